/* SPDX-License-Identifier: ISC */
/*
 * The doctor's report: findings about the director's host, services without a server, and for each machine with a
 * problem the evidence, its meaning, the commands that fix it and those that undo them. Servers with the same address
 * are one machine, whose fault is reported once. The daemon runs the examination.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "ctl/report.h"
#include "ctl/selector.h"
#include "doctor/examine.h"
#include "doctor/problem.h"

/* The DNS records of a server's name. */
enum name_answer {
	NAME_NOT_LOOKED_UP = 0,
	NAME_UNKNOWN, /* no such name, or no answer */
	NAME_ELSEWHERE,
	NAME_IS_VIP   /* one of its service's VIPs is among its addresses */
};

struct doctor_view {
	const struct report_facts *facts;
	const struct examination *examination;
	bool all;                          /* also what is well, and notes */
	const struct selection *selection; /* what it is about; empty: all */
	const struct problem *host;        /* findings about the director */
	size_t host_count;
	enum name_answer (*name)(void *context, const struct server *server);
	/* Does the director's kernel forward what arrives there? */
	bool (*forwards)(void *context, uint16_t iface, enum addr_family family);
	void *context;
	bool unfinished;                   /* out of time before everything was probed again */
};

/* Counts the problems. 0, or -1 when memory is out. */
NODISCARD int doctor_report(struct writer *writer, const struct doctor_view *view, size_t *problems);

#endif
