/* SPDX-License-Identifier: ISC */
/*
 * The role of this director for a group of VIPs: one state machine, without clock or I/O. dsrd elects no one:
 * keepalived, ucarp, carp(4), a cluster manager or an operator gives the orders, and dsrd follows them.
 *
 *	starting --> warming --> standby <--> active --> lingering --> standby
 *	                            ^           |
 *	                            '- yielded <'      observe: an operator's word, never a candidate
 *
 * A director that was stopped while it was active is `starting` again, with `paused` set: it no longer knows its
 * role. It is silent until that is settled, and goes on forwarding what arrives.
 */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/duration.h"
#include "base/iface.h"

enum role_state {
	ROLE_STARTING = 0, /* nothing was ordered yet, or what was ordered may be out of date */
	ROLE_WARMING,      /* ordered, but checks, MAC addresses or the flow table are not complete */
	ROLE_STANDBY,
	ROLE_ACTIVE,
	ROLE_LINGERING,    /* it was active: silent, and forwards what still arrives */
	ROLE_YIELDED,      /* another director became active later, and no one told this one */
	ROLE_OBSERVE,
	ROLE_STATE_COUNT
};

enum role_event {
	ROLE_ORDER_ACTIVE = 0,
	ROLE_ORDER_STANDBY,
	ROLE_ORDER_OBSERVE,
	ROLE_WARM,       /* everything is present, or was waited for long enough */
	ROLE_RIVAL,      /* a peer has become active after this director */
	ROLE_RIVAL_GONE, /* no peer claims the VIPs any more */
	ROLE_PAUSED,     /* the process did not run for a time in which a peer may have taken over */
	ROLE_SETTLED,    /* after that: no other order came, and no peer claims the VIPs */
	ROLE_LINGERED,   /* clients that still had this director's MAC address have had time to learn another */
	ROLE_EVENT_COUNT
};

struct role {
	enum role_state state;
	bool wanted; /* the last order was `active` */
	bool paused; /* only when starting: it was active */
};

/* What follows from `event`. */
struct role role_next(struct role role, enum role_event event);

/* What a director in this role does with frames: bits, so that the data plane tests one of them. */
#define ROLE_ANSWERS 1U  /* ARP and neighbor discovery for the VIPs */
#define ROLE_FORWARDS 2U /* frames for the VIPs */
unsigned role_duties(const struct role *role);

/*
 * The event that comes about by time alone, and after how long in the state; 0: none. `linger` is the configured
 * time. A yielded director's time starts again with each claim of a peer.
 */
uint64_t role_timer(const struct role *role, uint64_t linger, enum role_event *event);

#define ROLE_WARM_MOST SECONDS(10)         /* an order is not delayed for longer */
#define ROLE_SETTLE MILLISECONDS(500)      /* the frames and commands that have queued meanwhile are read */
#define ROLE_RIVAL_QUIET MILLISECONDS(3500) /* three unanswered questions, one a second */
#define ROLE_LINGER SECONDS(60)            /* by default: ARP caches of common systems end within that */

const char *role_name(enum role_state state); /* "starting", ... */
const char *role_meaning(enum role_state state); /* a sentence without a full stop */

/* --- settings --- */

#define ROLE_GROUPS 16
#define ROLE_GROUP 32  /* bytes of a name, with its end */
#define ROLE_MAIN "main"   /* the group of services that name none, number 0 */
#define ROLE_PATH 200
#define ROLE_PEERS 8   /* MAC addresses of other directors */

/* Where orders come from. Commands are obeyed with all of them. */
enum role_source {
	ROLE_FIXED_ACTIVE = 0, /* the order at the start, then commands */
	ROLE_FIXED_STANDBY,
	ROLE_FOLLOW,           /* active while this host has the address */
	ROLE_FILE,             /* what the file says */
	ROLE_CARP              /* active while the carp(4) interface is master */
};

struct role_settings {
	char name[ROLE_GROUP];
	enum role_source source;
	struct addr addr;       /* ROLE_FOLLOW */
	char path[ROLE_PATH];   /* ROLE_FILE */
	char iface[IFACE_NAME]; /* ROLE_CARP */
	bool given;             /* a `role` was configured: there are other directors */
};

/*
 * All groups of a director. Group 0 is ROLE_MAIN; without any `role` it is active from the start, as if no one else
 * was there.
 */
struct role_config {
	struct role_settings groups[ROLE_GROUPS];
	size_t group_count;
	uint64_t linger;
	struct mac peers[ROLE_PEERS]; /* the other directors', on the VIPs' network */
	size_t peer_count;
};

/* The group of that name, or `group_count`. */
size_t role_group_find(const struct role_config *config, const char *name);
/* Is it one of the other directors'? */
bool role_is_peer(const struct role_config *config, const struct mac *mac);

/* "follow 192.0.2.5": as the configuration has it. Returns `text`. */
#define ROLE_SOURCE_TEXT (ROLE_PATH + 16)
const char *role_source_text(const struct role_settings *settings, char text[ROLE_SOURCE_TEXT]);
/* Is the source a state that can be read again at any time? */
bool role_is_level(enum role_source source);
/* "active", "standby" or "observe": the order for it; ROLE_EVENT_COUNT for other words. */
enum role_event role_order(const char *word);

#endif
