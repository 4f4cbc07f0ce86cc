/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "doctor/problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DIRECTOR "director"

struct entry {
	struct problem problem;
	bool seen; /* in the update that goes on */
};

/* A counter, and when it last grew. */
struct growth {
	uint64_t value;
	uint64_t begin; /* its value when the problem began */
	uint64_t when;  /* 0: it did not, or not for a while */
};

struct problems {
	struct entry *list; /* sorted by id; those of one id as they came */
	size_t count;
	size_t room;
	struct growth *dropped; /* by interface */
	size_t dropped_count;
	uint64_t held_up;      /* the longest of those that the problem is about */
	uint64_t held_up_when; /* 0: none for a while */
	bool full;
	/* while updating */
	uint64_t now;
	problem_news *news;
	void *context;
	bool incomplete;
};

struct problems *
problems_new(void)
{
	return calloc(1, sizeof(struct problems));
}

void
problems_free(struct problems *problems)
{
	if (problems == NULL)
		return;
	free(problems->list);
	free(problems->dropped);
	free(problems);
}

static struct entry *
problem_problems_find(struct problems *problems, const struct problem *problem)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->list[i].problem.id == problem->id && problems->list[i].problem.family == problem->family &&
		    strcmp(problems->list[i].problem.subject, problem->subject) == 0)
			return &problems->list[i];
	return NULL;
}

/* Room for one more, behind all of the same id or a smaller one; NULL when memory is out. */
static struct entry *
problem_problems_insert(struct problems *problems, enum problem_id id)
{
	size_t at = problems->count;

	if (problems->count == problems->room) {
		const size_t room = problems->room == 0 ? 8 : problems->room * 2;
		struct entry *list = realloc(problems->list, room * sizeof(*list));

		if (list == NULL)
			return NULL;
		problems->list = list;
		problems->room = room;
	}
	while (at > 0 && problems->list[at - 1].problem.id > id)
		at--;
	memmove(&problems->list[at + 1], &problems->list[at], (problems->count - at) * sizeof(*problems->list));
	problems->count++;
	return &problems->list[at];
}

/* It is there, be it new or not. */
static void
problem_problems_see(struct problems *problems, const struct problem *problem)
{
	struct entry *entry = problem_problems_find(problems, problem);
	const bool is_new = entry == NULL;
	uint64_t since = problems->now;

	if (is_new)
		entry = problem_problems_insert(problems, problem->id);
	else
		since = entry->problem.since;
	if (entry == NULL) {
		problems->incomplete = true;
		return;
	}
	entry->problem = *problem;
	entry->problem.since = since;
	entry->seen = true;
	if (is_new && problems->news != NULL)
		problems->news(problems->context, &entry->problem, false);
}

static struct problem
problem_of_director(enum problem_id id)
{
	return (struct problem) { .id = id, .subject = DIRECTOR, .iface = IFACE_NONE };
}

static struct problem
problem_of_iface(enum problem_id id, const struct problem_iface *fact, uint16_t index)
{
	struct problem problem = { .id = id, .iface = index };

	snprintf(problem.subject, sizeof(problem.subject), "%s", fact->iface->name);
	return problem;
}

/* One of them at most: a cable does not matter to an interface that is down, nor that to one that is gone. */
static void
problem_check_link(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	const struct iface *iface = fact->iface;
	struct problem problem;

	if (iface->gone) {
		problem = problem_of_iface(PROBLEM_INTERFACE_GONE, fact, index);
		snprintf(problem.what, PROBLEM_TEXT, "this host has no interface %s", iface->name);
	} else if (iface->disabled) {
		problem = problem_of_iface(PROBLEM_INTERFACE_DOWN, fact, index);
		snprintf(problem.what, PROBLEM_TEXT, "the interface %s is administratively down", iface->name);
		memcpy(problem.fix, fact->up_command, PROBLEM_TEXT);
		memcpy(problem.undo, fact->down_command, PROBLEM_TEXT);
	} else if (!iface->up) {
		problem = problem_of_iface(PROBLEM_NO_LINK, fact, index);
		snprintf(problem.what, PROBLEM_TEXT, "the interface %s has no link", iface->name);
	} else if (!fact->open) {
		problem = problem_of_iface(PROBLEM_INTERFACE_CLOSED, fact, index);
		snprintf(problem.what, PROBLEM_TEXT, "dsrd cannot capture on the interface %s", iface->name);
	} else {
		return;
	}
	problem_problems_see(problems, &problem);
}

/* Interfaces that look like any other, and are not. */
static void
problem_check_shape(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	const struct iface *iface = fact->iface;
	struct problem problem = problem_of_iface(iface->ipvlan ? PROBLEM_INTERFACE_IPVLAN : PROBLEM_INTERFACE_PORT, fact, index);

	if (iface->gone || (!iface->ipvlan && iface->master[0] == '\0'))
		return;
	if (iface->ipvlan)
		snprintf(problem.what, PROBLEM_TEXT, "the interface %s is an ipvlan: use a macvlan, or the interface that it is on",
		    iface->name);
	else
		snprintf(problem.what, PROBLEM_TEXT, "the interface %s is a port of %s: configure `interface = %s`", iface->name,
		    iface->master, iface->master);
	problem_problems_see(problems, &problem);
}

static void
problem_check_forwarding(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	static const enum addr_family families[] = { ADDR_IPV4, ADDR_IPV6 };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct problem problem = problem_of_iface(PROBLEM_FORWARDING, fact, index);

		if (fact->forwards[i][0] == '\0')
			continue;
		problem.family = families[i];
		snprintf(problem.what, PROBLEM_TEXT, "this host forwards %s packets that arrive on %s",
		    families[i] == ADDR_IPV4 ? "IPv4" : "IPv6", fact->iface->name);
		memcpy(problem.fix, fact->forwards[i], PROBLEM_TEXT);
		problem_problems_see(problems, &problem);
	}
}

static void
problem_check_drops(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	struct growth *growth = &problems->dropped[index];
	struct problem problem = problem_of_iface(PROBLEM_CAPTURE_DROPS, fact, index);

	if (fact->capture_dropped > growth->value) {
		if (growth->when == 0)
			growth->begin = growth->value;
		growth->when = problems->now;
	}
	growth->value = fact->capture_dropped;
	if (growth->when == 0)
		return;
	if (problems->now - growth->when >= PROBLEM_LASTS) {
		growth->when = 0;
		return;
	}
	snprintf(problem.what, PROBLEM_TEXT, "%" PRIu64 " frames were lost at %s before dsrd could read them",
	    growth->value - growth->begin, fact->iface->name);
	problem_problems_see(problems, &problem);
}

static void
problem_check_offload(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	struct problem problem = problem_of_iface(PROBLEM_OFFLOAD_LOST, fact, index);

	if (fact->offload_lost == NULL)
		return;
	snprintf(problem.what, PROBLEM_TEXT, "the kernel does not carry flows on %s: %s", fact->iface->name,
	    fact->offload_lost);
	problem_problems_see(problems, &problem);
}

static int
problem_problems_grow(struct problems *problems, size_t ifaces)
{
	struct growth *dropped;

	if (ifaces <= problems->dropped_count)
		return 0;
	dropped = realloc(problems->dropped, ifaces * sizeof(*dropped));
	if (dropped == NULL)
		return -1;
	memset(&dropped[problems->dropped_count], 0, (ifaces - problems->dropped_count) * sizeof(*dropped));
	problems->dropped = dropped;
	problems->dropped_count = ifaces;
	return 0;
}

static void
problem_check_ifaces(struct problems *problems, const struct problem_facts *facts)
{
	if (problem_problems_grow(problems, facts->iface_count) == -1)
		problems->incomplete = true;
	for (size_t i = 0; i < facts->iface_count; i++) {
		const struct problem_iface *fact = &facts->ifaces[i];

		if (!fact->used)
			continue;
		problem_check_link(problems, fact, (uint16_t)i);
		problem_check_shape(problems, fact, (uint16_t)i);
		problem_check_forwarding(problems, fact, (uint16_t)i);
		if (i < problems->dropped_count)
			problem_check_drops(problems, fact, (uint16_t)i);
		problem_check_offload(problems, fact, (uint16_t)i);
	}
}

static void
problem_check_vips(struct problems *problems, const struct problem_facts *facts)
{
	for (size_t i = 0; i < facts->held_count; i++) {
		const struct problem_vip *held = &facts->held[i];
		struct problem problem = { .id = PROBLEM_VIP_HELD, .iface = IFACE_NONE, .vip = held->vip };

		addr_format(&held->vip, problem.subject);
		snprintf(problem.what, PROBLEM_TEXT, "this host's own kernel holds the VIP %s, on %s", problem.subject,
		    held->holder);
		memcpy(problem.fix, held->fix, PROBLEM_TEXT);
		problem_problems_see(problems, &problem);
	}
}

static void
problem_check_flows(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(PROBLEM_FLOW_TABLE_FULL);
	const uint64_t percent = facts->flow_capacity == 0 ? 0 : facts->flows * 100 / facts->flow_capacity;

	problems->full = percent >= (problems->full ? PROBLEM_ROOM : PROBLEM_FULL);
	if (!problems->full)
		return;
	snprintf(problem.what, PROBLEM_TEXT, "the flow table holds %" PRIu64 " of at most %" PRIu64 " connections",
	    facts->flows, facts->flow_capacity);
	snprintf(problem.fix, PROBLEM_TEXT, "raise `connections` in dsrd.conf, and restart dsrd");
	problem_problems_see(problems, &problem);
}

static void
problem_check_lateness(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(PROBLEM_CHECKS_LATE);
	char text[DURATION_TEXT];

	if (facts->held_up >= SECONDS(1)) {
		if (problems->held_up_when == 0 || facts->held_up > problems->held_up)
			problems->held_up = facts->held_up;
		problems->held_up_when = problems->now;
	}
	if (problems->held_up_when == 0)
		return;
	if (problems->now - problems->held_up_when >= PROBLEM_LASTS) {
		problems->held_up_when = 0;
		return;
	}
	snprintf(problem.what, PROBLEM_TEXT, "the director was held up for %s",
	    text_format_duration(problems->held_up / MILLISECONDS(1) * MILLISECONDS(1), text));
	problem_problems_see(problems, &problem);
}

static void
problem_check_configuration(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(PROBLEM_RELOAD_FAILED);

	if (facts->reload_error == NULL)
		return;
	snprintf(problem.what, PROBLEM_TEXT, "the last reload failed: %s", facts->reload_error);
	snprintf(problem.fix, PROBLEM_TEXT, "dsrd -n -f %s", facts->config);
	problem_problems_see(problems, &problem);
}

static void
problem_check_state(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(PROBLEM_STATE_LOST);

	if (facts->state_error == NULL)
		return;
	snprintf(problem.what, PROBLEM_TEXT, "the state for the next start is not kept: %s", facts->state_error);
	problem_problems_see(problems, &problem);
}

static void
problem_check_memory(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(PROBLEM_NO_MEMORY);

	if (!facts->no_memory)
		return;
	snprintf(problem.what, PROBLEM_TEXT, "there was no memory for a new forwarding table");
	problem_problems_see(problems, &problem);
}

/* What was not seen is solved. */
static void
problem_problems_sweep(struct problems *problems)
{
	size_t kept = 0;

	for (size_t i = 0; i < problems->count; i++) {
		if (problems->list[i].seen)
			problems->list[kept++] = problems->list[i];
		else if (problems->news != NULL)
			problems->news(problems->context, &problems->list[i].problem, true);
	}
	problems->count = kept;
}

int
problems_update(struct problems *problems, const struct problem_facts *facts, uint64_t now, problem_news *news,
    void *context)
{
	problems->now = now;
	problems->news = news;
	problems->context = context;
	problems->incomplete = false;
	for (size_t i = 0; i < problems->count; i++)
		problems->list[i].seen = false;
	problem_check_ifaces(problems, facts);
	problem_check_vips(problems, facts);
	problem_check_memory(problems, facts);
	problem_check_configuration(problems, facts);
	problem_check_state(problems, facts);
	problem_check_flows(problems, facts);
	problem_check_lateness(problems, facts);
	problem_problems_sweep(problems);
	return problems->incomplete ? -1 : 0;
}

size_t
problems_count(const struct problems *problems)
{
	return problems == NULL ? 0 : problems->count;
}

const struct problem *
problems_at(const struct problems *problems, size_t index)
{
	return &problems->list[index].problem;
}

static bool
problem_concerns_service(const struct problem *problem, const struct service *service)
{
	const struct service_settings *settings = &service->settings;

	if (problem->iface == IFACE_NONE && !addr_is_set(&problem->vip))
		return true;
	for (size_t i = 0; i < settings->listen_count; i++) {
		const struct addr *vip = &settings->listens[i].vip;

		if (problem->iface == IFACE_NONE ? addr_equal(vip, &problem->vip) :
		    problem->iface == service->iface && (problem->family == ADDR_NONE || problem->family == vip->family))
			return true;
	}
	return false;
}

const struct problem *
problems_of_service(const struct problems *problems, const struct service *service)
{
	for (size_t i = 0; i < problems_count(problems); i++) {
		const struct problem *problem = problems_at(problems, i);

		if (problem_severity(problem->id) == PROBLEM_ERROR && problem_concerns_service(problem, service))
			return problem;
	}
	return NULL;
}

const struct problem *
problems_of_iface(const struct problems *problems, uint16_t iface)
{
	for (size_t i = 0; i < problems_count(problems); i++) {
		const struct problem *problem = problems_at(problems, i);

		if (problem_severity(problem->id) == PROBLEM_ERROR && problem->iface == iface)
			return problem;
	}
	return NULL;
}

static const struct {
	const char *name;
	enum problem_severity severity;
	const char *meaning;
} kinds[] = {
#define X(id, name, severity, meaning) { name, severity, meaning },
	PROBLEMS(X)
#undef X
};

const char *
problem_name(enum problem_id id)
{
	return kinds[id].name;
}

const char *
problem_meaning(enum problem_id id)
{
	return kinds[id].meaning;
}

enum problem_severity
problem_severity(enum problem_id id)
{
	return kinds[id].severity;
}

const char *
problem_severity_name(enum problem_severity severity)
{
	return severity == PROBLEM_ERROR ? "error" : "warning";
}
