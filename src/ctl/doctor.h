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
#include "doctor/diagnosis.h"
#include "doctor/examine.h"
#include "doctor/problem.h"
#include "model/model.h"

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

/*
 * What the doctor found of one machine: the servers of all services that have one address. One fault of a machine is
 * one row, however many VIPs and services it concerns.
 */
#define MACHINE_ROWS (DIAGNOSIS_COUNT + 8) /* each diagnosis once, and a few checks that fail */
#define ALSO_TEXT 256
#define NETWORKS_TEXT 128

/* One finding. */
struct machine_row {
	enum diagnosis diagnosis;
	bool note;                   /* does not count as a problem */
	const struct server *server; /* of the first place */
	size_t check;                /* of CHECK_FAILED and OWN_REFUSED: the server's check */
	struct diagnose_facts facts; /* of the first place */
	char place[PORT_TEXT];       /* what it is about: "192.0.2.10 tcp/80", or the machine's address */
	char also[ALSO_TEXT];        /* further places, as far as there is room */
	size_t unnamed;              /* places beyond that */
};

struct machine {
	const struct doctor_view *view;
	const struct server *const *servers; /* in the order of the file */
	size_t count;
	bool unexamined;                     /* its interface has no link: the state is unknown */
	bool found[DIAGNOSIS_COUNT];
	struct machine_row rows[MACHINE_ROWS];
	size_t row_count;
	char networks[NETWORKS_TEXT];        /* of its interface */
};

/* Examines `count` servers, which have one address and interface. */
void machine_examine(struct machine *machine, const struct doctor_view *view, const struct server *const *servers,
    size_t count);
size_t machine_problems(const struct machine *machine);
/* Which systems its answers look like. */
unsigned machine_systems(const struct machine *machine);

/* doctor_evidence.c: what was sent and what came back. */
void doctor_write_evidence(struct writer *writer, const struct evidence *evidence);
void doctor_write_vipcheck(struct writer *writer, const struct vipcheck *check);
void doctor_write_check(struct writer *writer, const struct machine_row *row);

#endif
