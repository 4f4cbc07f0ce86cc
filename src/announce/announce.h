/* SPDX-License-Identifier: ISC */
/*
 * Whether a VIP is announced to routers, and with which metric: the decision, without clock or I/O. dsrd speaks no
 * routing protocol. It puts routes into this host's table, which a routing daemon redistributes, or runs a program.
 *
 *	withdrawn --> waiting --> announced --> raised --> withdrawn
 *	    ^            |            |
 *	    '------------'------------'     whenever something is missing, at once
 */
#ifndef ANNOUNCE_ANNOUNCE_H
#define ANNOUNCE_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/duration.h"
#include "base/iface.h"

/* --- settings of a group of VIPs --- */

enum announce_way {
	ANNOUNCE_OFF = 0, /* `dsrctl announce` prints the routes all the same */
	ANNOUNCE_DEVICE,  /* routes to a tun device, which vanish with the process that holds it */
	ANNOUNCE_ROUTE,   /* blackhole routes */
	ANNOUNCE_PROGRAM
};

/* How many of the services that have the VIP must take connections. */
enum announce_when {
	ANNOUNCE_ANY = 0,
	ANNOUNCE_ALL,
	ANNOUNCE_LEAST /* `least` of them */
};

#define ANNOUNCE_PATH 200

struct announce_settings {
	enum announce_way way;
	enum announce_when when;
	uint32_t least;
	bool keep;               /* the last director that announces the VIP goes on without a server */
	uint32_t metric;         /* 0: ANNOUNCE_METRIC */
	uint32_t table;          /* of routes; 0: the main table */
	char device[IFACE_NAME]; /* ANNOUNCE_DEVICE */
	char program[ANNOUNCE_PATH];
	bool given;              /* it was configured */
};

#define ANNOUNCE_DEVICE_NAME "dsrd-vips"
#define ANNOUNCE_METRIC 100
#define ANNOUNCE_TABLE_MAIN 254 /* RT_TABLE_MAIN (linux/rtnetlink.h) */
#define ANNOUNCE_METRIC_MOST 1000000 /* what is added when a director drains stays far from 32 bits */
#define ANNOUNCE_TABLE_MOST 4294967294U /* include/uapi/linux/rtnetlink.h: tables are 32 bits, the last is RT_TABLE_MAX */
/*
 * The protocol of the routes, by which they are found again. In include/uapi/linux/rtnetlink.h 0 to 4 have a meaning
 * for the kernel, and 64 belongs to no routing daemon (RTPROT_*). BIRD and FRR take any other than their own for one
 * of the kernel's, to be redistributed.
 */
#define ANNOUNCE_PROTOCOL 64

/* --- the decision --- */

#define ANNOUNCE_HEALTHY SECONDS(3) /* so long everything must be well before a VIP is announced */
#define ANNOUNCE_RAISED SECONDS(2)  /* a draining director is the last choice for so long, then none */
#define ANNOUNCE_RAISE 1000         /* by which the metric is raised */

/* Not a director's role: an operator's order. */
enum announce_drain {
	ANNOUNCE_SERVING = 0,
	ANNOUNCE_DRAINING
};

/* What is known of a VIP. */
struct announce_facts {
	bool active;        /* the role of its group */
	bool warm;          /* checks, MAC addresses and flows were complete once */
	bool open;          /* its interface is up and frames are captured there */
	size_t services;    /* that have the VIP */
	size_t serving;     /* of these, those that take connections */
	bool peer_serves;   /* another director is active for its group, and has servers */
	enum announce_drain drain;
	uint64_t drain_since;
};

enum announce_state {
	ANNOUNCE_WITHDRAWN = 0,
	ANNOUNCE_WAITING,   /* all is well, and was not for long */
	ANNOUNCE_ANNOUNCED,
	ANNOUNCE_LAST       /* announced with the raised metric */
};

enum announce_reason {
	ANNOUNCE_NO_REASON = 0,
	ANNOUNCE_NOT_ACTIVE,
	ANNOUNCE_NOT_WARM,
	ANNOUNCE_NO_INTERFACE,
	ANNOUNCE_NO_SERVERS,
	ANNOUNCE_DRAINED,
	ANNOUNCE_ONLY_ONE   /* announced without servers: no other director announces it */
};

/* All zero is a VIP that is not announced. */
struct announce_vip {
	enum announce_state state;
	enum announce_reason reason;
	uint32_t metric;  /* while it is announced */
	uint64_t well;    /* since when nothing is missing; 0: something is */
	uint64_t changed; /* when `state` changed last; 0: never */
};

/* Brings the VIP up to date. True: what routers are to be told has changed: whether it is announced, or its metric. */
bool announce_decide(struct announce_vip *vip, const struct announce_settings *settings,
    const struct announce_facts *facts, uint64_t now);
/* When time alone changes the decision; UINT64_MAX: never. */
uint64_t announce_due(const struct announce_vip *vip, const struct announce_facts *facts);
bool announce_is_announced(const struct announce_vip *vip);
/* Are there servers enough, whatever else is missing? */
bool announce_is_served(const struct announce_settings *settings, const struct announce_facts *facts);

/* --- for reports --- */

/* A VIP, as log, dsrctl, JSON, metrics and doctor have it. */
struct announce_status {
	struct addr addr;
	size_t group;
	enum announce_way way;
	struct announce_vip vip;
	size_t services;
	size_t serving;
	bool given;          /* `announce` was configured for its group */
	bool routed;         /* `arp = off` */
	bool listened;       /* a `dsrctl announce` prints its routes */
	bool failed;         /* what was to be told could not be, for the reason of its group */
	uint64_t restored;   /* when another program had removed its route, and it was made again; 0: never */
};

struct announce_report {
	const struct announce_status *list; /* in the order of the configuration */
	size_t count;
	const char *const *faults;          /* by group: why something failed; empty: nothing did */
	const struct announce_settings *settings; /* by group */
	enum announce_drain drain;
	uint64_t drain_since;
	uint64_t frames;      /* forwarded in the last second */
	uint64_t connections; /* active */
	bool quiet;           /* drained, withdrawn, and no frame came for ANNOUNCE_QUIET */
};

#define ANNOUNCE_QUIET SECONDS(3)

const char *announce_way_name(enum announce_way way);       /* "device" */
const char *announce_state_name(enum announce_state state); /* "withdrawn" */
/* "no service of it has enough servers"; empty: there is none. */
const char *announce_reason_text(enum announce_reason reason);
/* "any", "all", "2". Returns `text`. */
#define ANNOUNCE_WHEN_TEXT 16
const char *announce_when_text(const struct announce_settings *settings, char text[ANNOUNCE_WHEN_TEXT]);

#endif
