/* SPDX-License-Identifier: ISC */
/*
 * Shared by the files of announcing: announcing.c decides, announcing_conf.c follows the configuration, and
 * announcing_tell.c informs the route holder and programs.
 */
#ifndef DAEMON_ANNOUNCING_INT_H
#define DAEMON_ANNOUNCING_INT_H

#include "daemon/announce_program.h"
#include "daemon/announce_stream.h"
#include "daemon/announcing.h"
#include "os/os.h"
#include "role/role.h"

#define TOLD_UNKNOWN UINT32_MAX /* to a program, by an earlier process; or to the holder, which has failed */

struct entry {
	struct announce_status status; /* first: announce_streams_beat() */
	uint32_t told;  /* the metric that the holder or the program knows; 0: withdrawn */
	uint64_t retry; /* not before */
};

/* A service that has the VIP. */
struct pair {
	uint32_t service;
	uint32_t entry;
};

/* A VIP that the configuration no longer has, or announces otherwise, and that is to be withdrawn. */
struct leftover {
	struct addr addr;
	char group[ROLE_GROUP];
	struct announce_settings settings;
	struct leftover *next;
};

struct announcing {
	struct announcing_parts parts;
	struct announce_program *program;
	struct announce_streams streams;
	struct entry *entries;   /* in the order of the model's VIPs */
	size_t count;
	struct entry **sorted;   /* by address */
	struct pair *pairs;
	size_t pair_count;
	struct leftover *leftovers;
	struct announce_settings settings[ROLE_GROUPS];
	char groups[ROLE_GROUPS][ROLE_GROUP];
	char faults[ROLE_GROUPS][OS_ERROR];
	const char *fault_list[ROLE_GROUPS];
	struct announce_status *report;
	bool (*others)(void *context, const char *group); /* NULL: there are none */
	void *others_context;
	bool others_serve[ROLE_GROUPS]; /* of groups for which it matters */

	int holder; /* its socket; -1: there is none */
	pid_t holder_pid;
	bool holder_ready;
	bool holder_behind; /* it does not know of a reload yet */
	struct os_sandbox holder_sandbox;
	uint64_t holder_next; /* not before another one is begun */

	uint64_t due;
	enum announce_drain drain;
	uint64_t drain_since;
	uint64_t frames_total;
	uint64_t frames;
	uint64_t connections;
	uint64_t frame_seen;
	struct loop *stop;   /* NULL: dsrd goes on */
	uint64_t stop_until;
};

/* Does it put routes into this host's table? */
bool way_has_routes(enum announce_way way);
/* Is there anything to announce, and any way to? */
bool announcing_is_wanted(const struct announcing *announcing);
struct entry *announcing_find(const struct announcing *announcing, const struct addr *addr);

/* The holder of routes: begins one where one is needed, and ends it. */
void announcing_open_holder(struct announcing *announcing, uint64_t now);
void announcing_close_holder(struct announcing *announcing);
/* It knows nothing any more. */
void announcing_forget_routes(struct announcing *announcing);
/* What the holder answered. */
void announcing_hear_holder(struct announcing *announcing, uint64_t now);
/* Whatever they do not know yet goes to holder and programs. */
void announcing_tell(struct announcing *announcing, uint64_t now);
/* An announce_program_ended. */
void announcing_on_program(void *context, const struct addr *addr, const char *reason);
/* Is there a VIP that a program has not withdrawn yet? */
bool announcing_waits_for_programs(const struct announcing *announcing);

#endif
