/* SPDX-License-Identifier: ISC */
/* The holder of routes, and programs: what they know, and what they do not know yet. */
#include "config.h"

#include "daemon/announcing_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/privsep.h"
#include "daemon/route_holder.h"

#define RETRY SECONDS(1)          /* of a route that could not be made, and of a holder that has ended */
#define RETRY_PROGRAM SECONDS(10)
#define ANSWERS_MOST 256          /* that are read in one go */

/* --- the holder of routes ----------------------------------------------------------------------------------------- */

void
announcing_close_holder(struct announcing *announcing)
{
	if (announcing->holder != -1)
		(void)close(announcing->holder);
	announcing->holder = -1;
	announcing->holder_ready = false;
}

void
announcing_forget_routes(struct announcing *announcing)
{
	for (size_t i = 0; i < announcing->count; i++)
		if (way_has_routes(announcing->entries[i].status.way))
			announcing->entries[i].told = 0;
}

static void
announcing_set_fault(struct announcing *announcing, size_t group, const char *reason)
{
	if (strcmp(announcing->faults[group], reason) == 0)
		return;
	(void)snprintf(announcing->faults[group], OS_ERROR, "%s", reason);
	if (reason[0] != '\0')
		log_error("announce group=%s result=failed reason=\"%s\" meaning=\"routers do not learn the VIPs; it "
		    "is tried again\"", announcing->groups[group], reason);
}

/* All routes are gone with it: VIPs begin from the start. */
static void
announcing_lose_holder(struct announcing *announcing, const char *reason, uint64_t now)
{
	log_error("route-holder pid=%ld result=lost reason=\"%s\" meaning=\"the VIPs are withdrawn, and announced "
	    "again by a new one\"", (long)announcing->holder_pid, reason);
	announcing_close_holder(announcing);
	announcing_forget_routes(announcing);
	announcing->holder_next = now + RETRY;
	for (size_t i = 0; i < announcing->count; i++)
		if (way_has_routes(announcing->entries[i].status.way)) {
			announcing->entries[i].status.vip = (struct announce_vip) { .state = ANNOUNCE_WITHDRAWN };
			announce_streams_tell(&announcing->streams, &announcing->entries[i].status);
		}
}

void
announcing_open_holder(struct announcing *announcing, uint64_t now)
{
	bool wanted = false;

	for (size_t i = 0; i < ROLE_GROUPS; i++)
		wanted |= way_has_routes(announcing->settings[i].way);
	if (!wanted || announcing->holder != -1 || now < announcing->holder_next || announcing->stop != NULL)
		return;
	announcing->holder_next = now + RETRY;
	announcing->holder = announcing->parts.privsep != NULL ?
	    privsep_routes(announcing->parts.privsep, &announcing->holder_pid) :
	    route_holder_fork(announcing->parts.order, &announcing->holder_pid);
	if (announcing->holder != -1)
		return;
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		if (way_has_routes(announcing->settings[i].way))
			announcing_set_fault(announcing, i, "the process that holds the routes cannot be started: "
			    "restart dsrd");
}

static void
announcing_take_answer(struct announcing *announcing, const struct route_holder_answer *answer, uint64_t now)
{
	struct entry *entry = announcing_find(announcing, &answer->addr);
	char addr[ADDR_TEXT];

	switch ((enum route_holder_result)answer->result) {
	case ROUTE_HOLDER_READY:
		announcing->holder_ready = true;
		announcing->holder_sandbox = answer->sandbox;
		break;
	case ROUTE_HOLDER_DONE:
		if (entry == NULL)
			break;
		entry->status.failed = false;
		announcing_set_fault(announcing, entry->status.group, "");
		break;
	case ROUTE_HOLDER_RESTORED:
		log_warning("announce vip=%s result=restored reason=\"another program had removed the route\"",
		    addr_format(&answer->addr, addr));
		if (entry != NULL)
			entry->status.restored = now;
		break;
	case ROUTE_HOLDER_FAILED:
		if (entry == NULL)
			break;
		entry->status.failed = true;
		/* It may hold another route, or make this one later. */
		entry->told = TOLD_UNKNOWN;
		entry->retry = now + RETRY;
		announcing_set_fault(announcing, entry->status.group, answer->reason);
		break;
	case ROUTE_HOLDER_ENDS:
		announcing_lose_holder(announcing, answer->reason, now);
		break;
	}
}

void
announcing_hear_holder(struct announcing *announcing, uint64_t now)
{
	struct route_holder_answer answer;
	int got = 1;

	for (unsigned i = 0; i < ANSWERS_MOST && got == 1 && announcing->holder != -1; i++) {
		got = route_holder_read(announcing->holder, &answer);
		if (got == 1)
			announcing_take_answer(announcing, &answer, now);
	}
	if (got == -1 && announcing->holder != -1)
		announcing_lose_holder(announcing, "it has ended", now);
}

/* What it does not know yet; when it has not read everything, the next beat goes on. */
static void
announcing_tell_holder(struct announcing *announcing, uint64_t now)
{
	for (size_t i = 0; i < announcing->count && announcing->holder != -1; i++) {
		struct entry *entry = &announcing->entries[i];
		const uint32_t metric = entry->status.vip.metric;

		if (!way_has_routes(entry->status.way) || entry->told == metric || now < entry->retry)
			continue;
		if (route_holder_send(announcing->holder, metric != 0 ? ROUTE_HOLDER_ADD : ROUTE_HOLDER_REMOVE,
		    &entry->status.addr, metric) == -1)
			return;
		entry->told = metric;
		if (metric == 0)
			entry->status.failed = false;
	}
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

void
announcing_on_program(void *context, const struct addr *addr, const char *reason)
{
	struct announcing *announcing = context;
	struct entry *entry = announcing_find(announcing, addr);

	if (entry != NULL && entry->status.way == ANNOUNCE_PROGRAM) {
		entry->status.failed = reason != NULL;
		if (reason != NULL)
			entry->told = TOLD_UNKNOWN;
		else
			entry->retry = 0;
		announcing_set_fault(announcing, entry->status.group, reason != NULL ? reason : "");
	}
	/* The next one at once. */
	announcing->due = 0;
}

static void
announcing_start_program(struct announcing *announcing, struct entry *entry, uint64_t now)
{
	const size_t group = entry->status.group;

	if (announce_program_start(announcing->program, &announcing->settings[group], &entry->status.vip,
	    &entry->status.addr, announcing->groups[group]) == -1) {
		entry->status.failed = true;
		announcing_set_fault(announcing, group, strerror(errno));
	} else {
		entry->told = entry->status.vip.metric;
	}
	/* After a failure; a success, or a change, sets it back. */
	entry->retry = now + RETRY_PROGRAM;
}

static void
announcing_run_program(struct announcing *announcing, uint64_t now)
{
	for (size_t i = 0; i < announcing->count && !announce_program_is_running(announcing->program); i++) {
		struct entry *entry = &announcing->entries[i];

		if (entry->status.way == ANNOUNCE_PROGRAM && entry->told != entry->status.vip.metric &&
		    now >= entry->retry)
			announcing_start_program(announcing, entry, now);
	}
}

/* True: that one is done. */
static bool
announcing_withdraw_leftover(struct announcing *announcing, const struct leftover *leftover)
{
	const struct announce_vip vip = { .state = ANNOUNCE_WITHDRAWN };

	if (leftover->settings.way == ANNOUNCE_PROGRAM) {
		if (announce_program_is_running(announcing->program))
			return false;
		return announce_program_start(announcing->program, &leftover->settings, &vip, &leftover->addr,
		    leftover->group) == 0 || errno != EAGAIN;
	}
	return announcing->holder == -1 ||
	    route_holder_send(announcing->holder, ROUTE_HOLDER_REMOVE, &leftover->addr, 0) == 0;
}

static void
announcing_withdraw_leftovers(struct announcing *announcing)
{
	for (struct leftover **at = &announcing->leftovers, *leftover; (leftover = *at) != NULL;) {
		if (!announcing_withdraw_leftover(announcing, leftover)) {
			at = &leftover->next;
			continue;
		}
		*at = leftover->next;
		free(leftover);
	}
}

/* Routes are removed before others of the same VIPs are made. */
static bool
announcing_removes_routes(const struct announcing *announcing)
{
	for (const struct leftover *leftover = announcing->leftovers; leftover != NULL; leftover = leftover->next)
		if (way_has_routes(leftover->settings.way))
			return true;
	return false;
}

bool
announcing_waits_for_programs(const struct announcing *announcing)
{
	bool waits = announce_program_is_running(announcing->program) || announcing->leftovers != NULL;

	for (size_t i = 0; i < announcing->count && !waits; i++)
		waits = announcing->entries[i].status.way == ANNOUNCE_PROGRAM && announcing->entries[i].told != 0;
	return waits;
}

void
announcing_tell(struct announcing *announcing, uint64_t now)
{
	/* A full socket has older signs of life in it, and that the holder has ended is read from it. */
	if (announcing->holder != -1 && route_holder_send(announcing->holder, ROUTE_HOLDER_BEAT, NULL, 0) == -1 &&
	    errno != EAGAIN)
		log_debug("route-holder beat=failed reason=\"%s\"", strerror(errno));
	announcing_withdraw_leftovers(announcing);
	if (announcing->holder_behind)
		announcing->holder_behind = announcing->holder != -1 &&
		    route_holder_send(announcing->holder, ROUTE_HOLDER_RELOAD, NULL, 0) == -1;
	if (!announcing->holder_behind && !announcing_removes_routes(announcing))
		announcing_tell_holder(announcing, now);
	announcing_run_program(announcing, now);
}
