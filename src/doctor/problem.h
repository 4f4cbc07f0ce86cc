/* SPDX-License-Identifier: ISC */
/*
 * The problems of the director itself: one list, built in one place from facts that the daemon collects, and read by
 * the log, dsrctl, the status page, /healthz, /status.json, metrics and the doctor. Pure: no clock, no system calls.
 *
 *	problems_update(problems, &facts, now, on_problem, context);   when a fact may have changed, and once a second
 *	for (i = 0; i < problems_count(problems); i++)
 *		problems_at(problems, i)->what ...
 */
#ifndef DOCTOR_PROBLEM_H
#define DOCTOR_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announce/announce.h"
#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "base/iface.h"
#include "doctor/diagnosis.h"
#include "model/model.h"
#include "role/status.h"

#define PROBLEM_SUBJECT (ADDR_TEXT + IFACE_NAME)
#define PROBLEM_TEXT 320

/* A finding about the director: a problem, or what an examination of its host adds. */
struct problem {
	enum diagnosis id;
	char subject[PROBLEM_SUBJECT]; /* an interface, a VIP, a service, or "director" */
	uint16_t iface;                /* the director's number of it; IFACE_NONE: not about one */
	struct addr vip;               /* not set: not about one */
	enum addr_family family;       /* of the packets that are concerned; ADDR_NONE: all */
	uint64_t since;
	char what[PROBLEM_TEXT];       /* one sentence, without a full stop */
	char meaning[PROBLEM_TEXT];
	char fix[PROBLEM_TEXT];        /* a command; empty: there is none */
	char undo[PROBLEM_TEXT];       /* takes it back; empty: there is none */
};

/* --- facts --- */

/* Frames that were lost, or ticks that were late: the problem lasts so long after the last one. */
#define PROBLEM_LASTS SECONDS(60)
/* So many ends of the process that makes checks are one too many. */
#define PROBLEM_LOSSES 3
/* Shares of the flow table at which the problem begins and ends, in percent. */
#define PROBLEM_FULL 90
#define PROBLEM_ROOM 80

struct problem_iface {
	const struct iface *iface;
	bool used;                      /* some service or server is there; else nothing about it matters */
	bool open;                      /* frames are captured */
	const char *offload_lost;       /* why the kernel no longer forwards there as configured; NULL: it does */
	uint64_t capture_dropped;       /* a counter */
	/* the command that stops the host's forwarding, IPv4 and IPv6; empty: it does no harm */
	char forwards[2][PROBLEM_TEXT];
};

/* A VIP that this host's own kernel holds. */
struct problem_vip {
	struct addr vip;
	char holder[IFACE_NAME];
	char fix[PROBLEM_TEXT];
};

/* Another director. */
struct problem_peer {
	const char *name;
	const char *fault;      /* why it is down; NULL: it is not */
	/* of the first difference of its configuration, and what that is; NULL: there is none */
	const char *subject;
	const char *difference;
};

struct problem_facts {
	const struct announce_report *announce; /* NULL: nothing is announced */
	const struct role_status *roles;
	size_t role_count;
	const struct problem_iface *ifaces; /* by the director's numbers */
	size_t iface_count;
	const struct problem_vip *held;
	size_t held_count;
	const struct problem_peer *peers;
	size_t peer_count;
	uint64_t flood; /* new flows a second, while there is a flood; else 0 */
	const struct model *model; /* whose services may drop new connections (`limit-new`); NULL: none does */
	uint64_t flows;
	uint64_t flow_capacity;
	const char *reload_error; /* the first error of the last reload; NULL: it succeeded */
	const char *config;       /* path of the file */
	/* why the state for a restart is not kept, or not all of it; NULL: it is kept, or is not wanted */
	const char *state_error;
	/* for how long the event loop stood still since the last call, beyond its usual second */
	uint64_t held_up;
	bool no_memory;           /* the table could not be compiled */
	bool checker_lost;        /* no check can be made */
	unsigned checker_losses;  /* how often the process that makes them has ended of late */
	const char *checker_reason; /* why it last did, or cannot be started */
};

/* --- the list --- */

struct problems;

/* `ended`: it is solved, and `problem` is freed after the call. */
typedef void problem_news(void *context, const struct problem *problem, bool ended);

/* NULL when memory is out. */
NODISCARD struct problems *problems_new(void);
/* NULL is fine. */
void problems_free(struct problems *problems);
/* Updates the list from the facts. A problem that stays keeps its `since`. -1: not enough memory for all of them. */
NODISCARD int problems_update(struct problems *problems, const struct problem_facts *facts, uint64_t now,
    problem_news *news, void *context);
/* NULL has none. */
size_t problems_count(const struct problems *problems);
const struct problem *problems_at(const struct problems *problems, size_t index);

/* The first error that keeps the service's clients from its servers, or NULL. */
const struct problem *problems_of_service(const struct problems *problems, const struct service *service);
/* The first error of the interface, or NULL. */
const struct problem *problems_of_iface(const struct problems *problems, uint16_t iface);

/* Sets `what`, `meaning`, `fix` and `undo` from the tables of findings and remedies, with `words` filled in. */
void problem_write(struct problem *problem, const struct remedy_word *words);

#endif
