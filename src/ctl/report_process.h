/* SPDX-License-Identifier: ISC */
/* The processes of a director, and what each may do. */
#ifndef CTL_REPORT_PROCESS_H
#define CTL_REPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/writer.h"

#define REPORT_PROCESS_TEXT 160

enum report_confined { REPORT_CONFINED_NO = 0, REPORT_CONFINED_LOG, REPORT_CONFINED_YES };

/* Texts are empty where the system does not tell. */
struct report_process {
	const char *name;
	int64_t pid;
	char user[REPORT_PROCESS_TEXT];
	char capabilities[REPORT_PROCESS_TEXT];
	bool no_new_privs;
	enum report_confined calls;
	enum report_confined files;
	char calls_by[REPORT_PROCESS_TEXT]; /* "seccomp", or why they are not confined */
	char files_by[REPORT_PROCESS_TEXT];
	const char *task;
};

void report_processes(struct writer *writer, const struct report_process *processes, size_t count);

#endif
