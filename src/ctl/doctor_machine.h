/* SPDX-License-Identifier: ISC */
/*
 * What the doctor found of one machine: the servers of all services that have one address. One fault of a machine is
 * one row, however many VIPs and services it concerns.
 */
#ifndef CTL_DOCTOR_MACHINE_H
#define CTL_DOCTOR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/doctor.h"
#include "doctor/diagnosis.h"
#include "model/model.h"

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

#endif
