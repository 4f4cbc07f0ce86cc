/* SPDX-License-Identifier: ISC */
/*
 * What the doctor tells: findings about the director's own host, and for each server the evidence, what it means, the
 * commands that mend it and those that take them back. The examination itself is the daemon's to run.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/report.h"
#include "doctor/examine.h"

#define HOST_TEXT PROBLEM_TEXT

/* Something about the director's host. */
struct host_finding {
	bool wrong;           /* else only worth knowing */
	const char *name;     /* for programs */
	char what[HOST_TEXT];
	char meaning[HOST_TEXT];
	char mend[HOST_TEXT]; /* empty: nothing to type */
	char undo[HOST_TEXT];
};

/* What DNS says of a server's name. */
enum name_answer {
	NAME_NOT_ASKED = 0,
	NAME_UNKNOWN, /* no such name, or no answer */
	NAME_ELSEWHERE,
	NAME_IS_VIP   /* one of its service's VIPs is among its addresses */
};

struct doctor_view {
	const struct report_facts *facts;
	const struct examination *examination;
	const char *service;               /* whom it is about; empty: all */
	const char *server;
	const struct host_finding *host;
	size_t host_count;
	enum name_answer (*name)(void *context, const struct server *server);
	void *context;
	bool unfinished;                   /* time was over before all paths were asked anew */
};

/* Says whether anything is wrong. */
bool doctor_report(struct writer *writer, const struct doctor_view *view);
/* Is the examination about this server? */
bool doctor_concerns(const char *service_name, const char *server_name, const struct server *server);

#endif
