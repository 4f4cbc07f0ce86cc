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

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "base/iface.h"
#include "model/model.h"

/* An error costs clients their answers; a warning does not, or not yet. */
enum problem_severity {
	PROBLEM_WARNING = 0,
	PROBLEM_ERROR
};

/* id, name, severity, what it means. Errors first: that is the order of the list. */
#define PROBLEMS(X) \
	X(INTERFACE_GONE, "interface-gone", PROBLEM_ERROR, "Nothing is received or sent there. dsrd opens the interface " \
	    "when it is back.") \
	X(INTERFACE_DOWN, "interface-down", PROBLEM_ERROR, "Nothing is received or sent there until it is set up.") \
	X(NO_LINK, "no-link", PROBLEM_ERROR, "Nothing is received or sent there. Check the cable, the port of the switch, " \
	    "or the other end of a virtual link.") \
	X(INTERFACE_CLOSED, "interface-closed", PROBLEM_ERROR, "Nothing is received or sent there. dsrd tries again every " \
	    "few seconds.") \
	X(INTERFACE_IPVLAN, "interface-ipvlan", PROBLEM_ERROR, "Its kernel distributes packets by their address and hands it " \
	    "only those for the host's own: those for a VIP never arrive.") \
	X(VIP_HELD, "vip-held", PROBLEM_ERROR, "It resets every connection to the VIP. Only dsrd may answer for it.") \
	X(FORWARDING, "forwarding", PROBLEM_ERROR, "Its kernel routes a second copy of every packet for a VIP, and tells " \
	    "clients that the VIP is unreachable.") \
	X(NO_MEMORY, "no-memory", PROBLEM_ERROR, "Frames still follow the table from before: changes of health and " \
	    "configuration have no effect.") \
	X(INTERFACE_PORT, "interface-port", PROBLEM_WARNING, "What arrives by its other ports is not received, and its " \
	    "addresses, MAC address and link are not those of the port.") \
	X(RELOAD_FAILED, "reload-failed", PROBLEM_WARNING, "The configuration from before is still in force.") \
	X(STATE_LOST, "state-lost", PROBLEM_WARNING, "The next restart of dsrd loses connections, and what dsrctl changed.") \
	X(FLOW_TABLE_FULL, "flow-table-full", PROBLEM_WARNING, "Connections that find no room follow a consistent hash: a " \
	    "change of servers or weights may break them.") \
	X(CAPTURE_DROPS, "capture-drops", PROBLEM_WARNING, "Clients send what was lost again, later. The processor was busy, " \
	    "or the load came in bursts.") \
	X(OFFLOAD_LOST, "offload-lost", PROBLEM_WARNING, "Every frame goes through dsrd itself, which costs more of the " \
	    "processor.") \
	X(CHECKS_LATE, "checks-late", PROBLEM_WARNING, "Checks and answers were late: a server that fails is noticed later. " \
	    "The processor is overloaded, or the machine was stopped.")

enum problem_id {
#define X(id, name, severity, meaning) PROBLEM_##id,
	PROBLEMS(X)
#undef X
	PROBLEM_COUNT
};

#define PROBLEM_SUBJECT (ADDR_TEXT + IFACE_NAME)
#define PROBLEM_TEXT 320

struct problem {
	enum problem_id id;
	char subject[PROBLEM_SUBJECT]; /* an interface, a VIP, or "director" */
	uint16_t iface;                /* the director's number of it; IFACE_NONE: not about one */
	struct addr vip;               /* not set: not about one */
	enum addr_family family;       /* of the packets that are concerned; ADDR_NONE: all */
	uint64_t since;
	char what[PROBLEM_TEXT];       /* one sentence, without a full stop */
	char fix[PROBLEM_TEXT];        /* a command; empty: there is none */
	char undo[PROBLEM_TEXT];       /* takes it back; empty: there is none */
};

/* --- facts --- */

/* Frames that were lost, or ticks that were late: the problem lasts so long after the last one. */
#define PROBLEM_LASTS SECONDS(60)
/* Shares of the flow table at which the problem begins and ends, in percent. */
#define PROBLEM_FULL 90
#define PROBLEM_ROOM 80

struct problem_iface {
	const struct iface *iface;
	bool used;                      /* some service or server is there; else nothing about it matters */
	bool open;                      /* frames are captured */
	const char *offload_lost;       /* why the kernel no longer forwards there as configured; NULL: it does */
	uint64_t capture_dropped;       /* a counter */
	char forwards[2][PROBLEM_TEXT]; /* the command that stops the host's forwarding, IPv4 and IPv6; empty: it does no harm */
	char up_command[PROBLEM_TEXT];
	char down_command[PROBLEM_TEXT];
};

/* A VIP that this host's own kernel holds. */
struct problem_vip {
	struct addr vip;
	char holder[IFACE_NAME];
	char fix[PROBLEM_TEXT];
};

struct problem_facts {
	const struct problem_iface *ifaces; /* by the director's numbers */
	size_t iface_count;
	const struct problem_vip *held;
	size_t held_count;
	uint64_t flows;
	uint64_t flow_capacity;
	const char *reload_error; /* the first error of the last reload; NULL: it succeeded */
	const char *config;       /* path of the file */
	const char *state_error;  /* why what a restart needs is not kept, or not all; NULL: it is, or is not to be */
	uint64_t held_up;         /* for how long the event loop stood still since the last call, beyond its usual second */
	bool no_memory;           /* the table could not be compiled */
};

/* --- the list --- */

struct problems;

/* `ended`: it is solved, and this is the last that is seen of it. */
typedef void problem_news(void *context, const struct problem *problem, bool ended);

/* NULL when memory is out. */
NODISCARD struct problems *problems_new(void);
/* NULL is fine. */
void problems_free(struct problems *problems);
/* Makes the list what the facts say. A problem that stays keeps its `since`. -1: no memory for all of them. */
NODISCARD int problems_update(struct problems *problems, const struct problem_facts *facts, uint64_t now,
    problem_news *news, void *context);
/* NULL has none. */
size_t problems_count(const struct problems *problems);
const struct problem *problems_at(const struct problems *problems, size_t index);

/* The first error that keeps the service's clients from its servers, or NULL. */
const struct problem *problems_of_service(const struct problems *problems, const struct service *service);
/* The first error of the interface, or NULL. */
const struct problem *problems_of_iface(const struct problems *problems, uint16_t iface);

const char *problem_name(enum problem_id id);
const char *problem_meaning(enum problem_id id);
enum problem_severity problem_severity(enum problem_id id);
const char *problem_severity_name(enum problem_severity severity); /* "error", "warning" */

#endif
