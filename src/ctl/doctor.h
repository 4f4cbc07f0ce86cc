/* SPDX-License-Identifier: ISC */
/*
 * What the doctor reports: findings about the director's own host, services without a server, and for each machine that
 * has a problem the evidence, what it means, the commands that fix it and those that undo them. Servers of one address
 * are one machine, whose fault is reported once. The examination itself is the daemon's to run.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "ctl/report.h"
#include "doctor/examine.h"

#define HOST_TEXT PROBLEM_TEXT

/* Something about the director's host. */
struct host_finding {
	bool wrong;           /* else only worth knowing */
	const char *name;     /* for programs */
	char what[HOST_TEXT];
	char meaning[HOST_TEXT];
	char fix[HOST_TEXT];  /* empty: nothing to type */
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
	bool all;                          /* also what is well, and notes */
	const char *service;               /* what it is about; empty: all */
	const char *server;
	const struct host_finding *host;
	size_t host_count;
	enum name_answer (*name)(void *context, const struct server *server);
	/* Does the director's kernel forward what arrives there? */
	bool (*forwards)(void *context, uint16_t iface, enum addr_family family);
	void *context;
	bool unfinished;                   /* the time ran out before all paths were asked again */
};

/* Counts the problems. 0, or -1 when memory is out. */
NODISCARD int doctor_report(struct writer *writer, const struct doctor_view *view, size_t *problems);
/* Is the examination about this server? */
bool doctor_concerns(const char *service_name, const char *server_name, const struct server *server);

#endif
