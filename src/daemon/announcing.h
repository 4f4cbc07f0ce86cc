/* SPDX-License-Identifier: ISC */
/*
 * Tells routers which VIPs this director serves (announce/announce.h): keeps the route holder alive and informed, runs
 * the program of `announce = program`, and feeds `dsrctl announce`.
 *
 *	announcing_apply(announcing, now);     the model has new settings, after roles_apply()
 *	announcing_run(announcing, now);       at announcing_due(), and when health, roles or links have changed
 */
#ifndef DAEMON_ANNOUNCING_H
#define DAEMON_ANNOUNCING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "announce/announce.h"
#include "base/attr.h"
#include "daemon/change.h"
#include "os/sandbox.h"

struct announcing;
struct children;
struct control;
struct director;
struct loop;
struct nic;
struct privsep;
struct privsep_order;
struct roles;

/* All of it outlives what reads it. */
struct announcing_parts {
	struct director *director;
	const struct nic *nics; /* by the director's interface numbers */
	const struct roles *roles;
	struct children *children;
	struct privsep *privsep;            /* NULL: there is none */
	const struct privsep_order *order;  /* for a route holder, where there is none */
};

/* NULL when memory is out. */
NODISCARD struct announcing *announcing_new(const struct announcing_parts *parts);
/* What was announced is withdrawn, but for that by a program. NULL is fine. */
void announcing_free(struct announcing *announcing);

/* NULL is fine for these: a director that only observes announces nothing. */
void announcing_apply(struct announcing *announcing, uint64_t now);
void announcing_run(struct announcing *announcing, uint64_t now);
uint64_t announcing_due(const struct announcing *announcing);
/* Once a second: what is left of the traffic. */
void announcing_tick(struct announcing *announcing, uint64_t now);
/* A change_subscriber: the context is the announcing. */
void announcing_change(void *context, const struct state_change *change);

/* Is another director active for the group of that name, with servers? */
void announcing_set_others(struct announcing *announcing, bool (*serve)(void *context, const char *group),
    void *context);

/* An operator's order. False: this director announces nothing, so there is nothing to withdraw. */
bool announcing_drain(struct announcing *announcing, enum announce_drain drain, uint64_t now);
/* Ends the event loop, once programs have been told that everything is withdrawn, or after five seconds. */
void announcing_stop(struct announcing *announcing, struct loop *loop, uint64_t now);

/*
 * A client of `dsrctl announce` for that group, or with ROLE_GROUPS for all. False: there are too many, or nothing is
 * announced; that was written. The stream has lines: "begin", "up VIP METRIC" for what is announced, "end"; then, as it changes, "up" and
 * "down VIP"; and several times a second "beat".
 */
NODISCARD bool announcing_listen(struct announcing *announcing, struct control *control, const void *client,
    size_t group, FILE *out);
void announcing_leave(struct announcing *announcing, const void *client);

/* NULL has nothing. It is good until the event loop goes on. */
struct announce_report announcing_report(struct announcing *announcing);
/* The route holder. False: there is none. */
bool announcing_process(const struct announcing *announcing, pid_t *pid, const struct os_sandbox **sandbox);

#endif
