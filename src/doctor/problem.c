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
problems_find(struct problems *problems, const struct problem *problem)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->list[i].problem.id == problem->id &&
		    problems->list[i].problem.family == problem->family &&
		    strcmp(problems->list[i].problem.subject, problem->subject) == 0)
			return &problems->list[i];
	return NULL;
}

/* Room for one more, behind all of the same id or a smaller one; NULL when memory is out. */
static struct entry *
problems_insert(struct problems *problems, enum diagnosis id)
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

void
problem_write(struct problem *problem, const struct remedy_word *words)
{
	const struct remedy *remedy = remedy_at(problem->id, DIRECTOR_SYSTEM, 0);

	(void)remedy_write(diagnosis_sentence(problem->id), words, problem->what, PROBLEM_TEXT);
	(void)remedy_write(diagnosis_meaning(problem->id), words, problem->meaning, PROBLEM_TEXT);
	problem->fix[0] = problem->undo[0] = '\0';
	if (remedy != NULL)
		(void)remedy_write(remedy->fix, words, problem->fix, PROBLEM_TEXT);
	if (remedy != NULL && remedy->undo != NULL)
		(void)remedy_write(remedy->undo, words, problem->undo, PROBLEM_TEXT);
}

/* The problem exists, new or not. */
static void
problems_see(struct problems *problems, struct problem *problem, const struct remedy_word *words)
{
	struct entry *entry = problems_find(problems, problem);
	const bool is_new = entry == NULL;
	uint64_t since = problems->now;

	if (is_new)
		entry = problems_insert(problems, problem->id);
	else
		since = entry->problem.since;
	if (entry == NULL) {
		problems->incomplete = true;
		return;
	}
	problem_write(problem, words);
	entry->problem = *problem;
	entry->problem.since = since;
	entry->seen = true;
	if (is_new && problems->news != NULL)
		problems->news(problems->context, &entry->problem, false);
}

static struct problem
problem_of_director(enum diagnosis id)
{
	return (struct problem) { .id = id, .subject = DIRECTOR, .iface = IFACE_NONE };
}

static struct problem
problem_of_iface(enum diagnosis id, const struct problem_iface *fact, uint16_t index)
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
	const struct remedy_word words[] = { { "interface", iface->name }, { NULL, NULL } };
	struct problem problem;

	if (iface->gone)
		problem = problem_of_iface(DIAGNOSIS_INTERFACE_GONE, fact, index);
	else if (iface->disabled)
		problem = problem_of_iface(DIAGNOSIS_INTERFACE_DOWN, fact, index);
	else if (!iface->up)
		problem = problem_of_iface(DIAGNOSIS_NO_LINK, fact, index);
	else if (!fact->open)
		problem = problem_of_iface(DIAGNOSIS_INTERFACE_CLOSED, fact, index);
	else
		return;
	problems_see(problems, &problem, words);
}

/* Interfaces that look like any other, and are not. */
static void
problem_check_kind(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	const struct iface *iface = fact->iface;
	const struct remedy_word words[] = { { "interface", iface->name }, { "master", iface->master },
	    { NULL, NULL } };
	struct problem problem = problem_of_iface(iface->ipvlan ? DIAGNOSIS_INTERFACE_IPVLAN : DIAGNOSIS_INTERFACE_PORT,
	    fact, index);

	if (!iface->gone && (iface->ipvlan || iface->master[0] != '\0'))
		problems_see(problems, &problem, words);
}

static void
problem_check_forwarding(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	static const enum addr_family families[] = { ADDR_IPV4, ADDR_IPV6 };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct problem problem = problem_of_iface(DIAGNOSIS_FORWARDING, fact, index);
		const struct remedy_word words[] = { { "interface", fact->iface->name },
			{ "family", families[i] == ADDR_IPV4 ? "IPv4" : "IPv6" }, { "command", fact->forwards[i] },
			    { NULL, NULL } };

		if (fact->forwards[i][0] == '\0')
			continue;
		problem.family = families[i];
		problems_see(problems, &problem, words);
	}
}

static void
problem_check_drops(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	struct growth *growth = &problems->dropped[index];
	struct problem problem = problem_of_iface(DIAGNOSIS_CAPTURE_DROPS, fact, index);
	char count[24];
	const struct remedy_word words[] = { { "interface", fact->iface->name }, { "count", count }, { NULL, NULL } };

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
	snprintf(count, sizeof(count), "%" PRIu64, growth->value - growth->begin);
	problems_see(problems, &problem, words);
}

static void
problem_check_offload(struct problems *problems, const struct problem_iface *fact, uint16_t index)
{
	struct problem problem = problem_of_iface(DIAGNOSIS_OFFLOAD_LOST, fact, index);
	const struct remedy_word words[] = { { "interface", fact->iface->name }, { "reason", fact->offload_lost },
		{ NULL, NULL } };

	if (fact->offload_lost != NULL)
		problems_see(problems, &problem, words);
}

static int
problems_grow(struct problems *problems, size_t ifaces)
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
	if (problems_grow(problems, facts->iface_count) == -1)
		problems->incomplete = true;
	for (size_t i = 0; i < facts->iface_count; i++) {
		const struct problem_iface *fact = &facts->ifaces[i];

		if (!fact->used)
			continue;
		problem_check_link(problems, fact, (uint16_t)i);
		problem_check_kind(problems, fact, (uint16_t)i);
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
		struct problem problem = { .id = DIAGNOSIS_VIP_HELD, .iface = IFACE_NONE, .vip = held->vip };
		const struct remedy_word words[] = { { "vip", problem.subject }, { "interface", held->holder },
			{ "command", held->fix }, { NULL, NULL } };

		addr_format(&held->vip, problem.subject);
		problems_see(problems, &problem, words);
	}
}

static void
problem_check_flood(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(DIAGNOSIS_FLOOD);
	char count[24];
	const struct remedy_word words[] = { { "count", count }, { NULL, NULL } };

	if (facts->flood == 0)
		return;
	snprintf(count, sizeof(count), "%" PRIu64, facts->flood);
	problems_see(problems, &problem, words);
}

static void
problem_check_limits(struct problems *problems, const struct problem_facts *facts)
{
	for (size_t i = 0; facts->model != NULL && i < facts->model->service_count; i++) {
		const struct service *service = facts->model->services[i];
		struct problem problem = problem_of_director(DIAGNOSIS_LIMIT_NEW);
		char count[24];
		const struct remedy_word words[] = { { "service", service->settings.name }, { "count", count },
			{ NULL, NULL } };

		if (service->settings.limit_new.service == 0 || service->run->limited == 0 ||
		    problems->now - service->run->limited_at >= PROBLEM_LASTS)
			continue;
		(void)snprintf(problem.subject, sizeof(problem.subject), "%s", service->settings.name);
		(void)snprintf(count, sizeof(count), "%" PRIu64, service->run->limited);
		problems_see(problems, &problem, words);
	}
}

static void
problem_check_flows(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(DIAGNOSIS_FLOW_TABLE_FULL);
	const uint64_t percent = facts->flow_capacity == 0 ? 0 : facts->flows * 100 / facts->flow_capacity;
	char count[24], most[24];
	const struct remedy_word words[] = { { "count", count }, { "most", most }, { NULL, NULL } };

	problems->full = percent >= (problems->full ? PROBLEM_ROOM : PROBLEM_FULL);
	if (!problems->full)
		return;
	snprintf(count, sizeof(count), "%" PRIu64, facts->flows);
	snprintf(most, sizeof(most), "%" PRIu64, facts->flow_capacity);
	problems_see(problems, &problem, words);
}

static void
problem_check_lateness(struct problems *problems, const struct problem_facts *facts)
{
	struct problem problem = problem_of_director(DIAGNOSIS_CHECKS_LATE);
	char text[DURATION_TEXT];
	const struct remedy_word words[] = { { "time", text }, { NULL, NULL } };

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
	text_format_duration(problems->held_up / MILLISECONDS(1) * MILLISECONDS(1), text);
	problems_see(problems, &problem, words);
}

/* Those that the daemon notices itself, with the reason. */
static void
problem_check_daemon(struct problems *problems, const struct problem_facts *facts)
{
	const struct {
		enum diagnosis id;
		bool exists;
		const char *reason;
	} noticed[] = {
		{ DIAGNOSIS_NO_MEMORY, facts->no_memory, "" },
		{ DIAGNOSIS_CHECKER_LOST, facts->checker_lost, facts->checker_reason },
		{ DIAGNOSIS_CHECKER_UNSTABLE, !facts->checker_lost && facts->checker_losses >= PROBLEM_LOSSES,
		    facts->checker_reason },
		{ DIAGNOSIS_RELOAD_FAILED, facts->reload_error != NULL, facts->reload_error },
		{ DIAGNOSIS_STATE_LOST, facts->state_error != NULL, facts->state_error },
	};
	char count[16];

	(void)snprintf(count, sizeof(count), "%u", facts->checker_losses);
	for (size_t i = 0; i < ARRAY_LEN(noticed); i++) {
		struct problem problem = problem_of_director(noticed[i].id);
		const struct remedy_word words[] = { { "reason", noticed[i].reason }, { "config", facts->config },
			{ "count", count },
			{ NULL, NULL } };

		if (noticed[i].exists)
			problems_see(problems, &problem, words);
	}
}

static void
problem_check_role(struct problems *problems, const struct role_status *role)
{
	const enum role_state state = role->role.state;
	struct problem problem = { .iface = IFACE_NONE };
	char mac[MAC_TEXT];
	const struct remedy_word words[] = { { "group", role->name }, { "mac", mac_format(&role->rival, mac) },
		{ "reason", role->unready }, { NULL, NULL } };

	if (state == ROLE_YIELDED)
		problem.id = DIAGNOSIS_YIELDED;
	else if (state == ROLE_ACTIVE && !mac_is_zero(&role->rival))
		problem.id = DIAGNOSIS_TWO_ACTIVE;
	else if (role->warm && !role->ready && state != ROLE_OBSERVE && state != ROLE_STARTING)
		problem.id = DIAGNOSIS_NOT_READY;
	else
		return;
	snprintf(problem.subject, sizeof(problem.subject), "%s", role->name);
	problems_see(problems, &problem, words);
}

static void
problem_see_announce(struct problems *problems, enum diagnosis id, const struct role_status *role, const char *reason)
{
	struct problem problem = problem_of_director(id);
	char protocol[12];
	const struct remedy_word words[] = { { "group", role->name }, { "reason", reason },
		{ "protocol", protocol }, { NULL, NULL } };

	(void)snprintf(protocol, sizeof(protocol), "%d", ANNOUNCE_PROTOCOL);
	(void)snprintf(problem.subject, sizeof(problem.subject), "%s", role->name);
	problems_see(problems, &problem, words);
}

/* One of each kind for a group. */
static void
problem_check_announce(struct problems *problems, const struct problem_facts *facts)
{
	static const struct remedy_word none[] = { { NULL, NULL } };
	const struct announce_report *announce = facts->announce;
	struct problem drained = problem_of_director(DIAGNOSIS_DRAINED);

	if (announce == NULL)
		return;
	for (size_t i = 0; i < announce->count; i++) {
		const struct announce_status *status = &announce->list[i];
		const struct role_status *role = &facts->roles[status->group];

		if (status->failed)
			problem_see_announce(problems, DIAGNOSIS_ANNOUNCE_FAILED, role,
			    announce->faults[status->group]);
		if (status->restored != 0 && problems->now - status->restored < PROBLEM_LASTS)
			problem_see_announce(problems, DIAGNOSIS_ROUTES_REMOVED, role, "");
	}
	if (announce->drain == ANNOUNCE_DRAINING)
		problems_see(problems, &drained, none);
}

static void
problem_check_peers(struct problems *problems, const struct problem_facts *facts)
{
	for (size_t i = 0; i < facts->peer_count; i++) {
		const struct problem_peer *peer = &facts->peers[i];
		struct problem problem = problem_of_director(peer->fault != NULL ? DIAGNOSIS_PEER_DOWN :
		    DIAGNOSIS_PEER_DIFFERS);
		const struct remedy_word words[] = { { "peer", peer->name }, { "reason", peer->fault },
			{ "what", peer->subject }, { "difference", peer->difference }, { NULL, NULL } };

		snprintf(problem.subject, sizeof(problem.subject), "%s", peer->name);
		if (peer->fault != NULL || peer->difference != NULL)
			problems_see(problems, &problem, words);
	}
}

/* What was not seen is solved. */
static void
problems_sweep(struct problems *problems)
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
	problem_check_daemon(problems, facts);
	for (size_t i = 0; i < facts->role_count; i++)
		if (facts->roles[i].given && facts->roles[i].used)
			problem_check_role(problems, &facts->roles[i]);
	problem_check_announce(problems, facts);
	problem_check_peers(problems, facts);
	problem_check_flood(problems, facts);
	problem_check_limits(problems, facts);
	problem_check_flows(problems, facts);
	problem_check_lateness(problems, facts);
	problems_sweep(problems);
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
		    problem->iface == service->iface && (problem->family == ADDR_NONE ||
		    problem->family == vip->family))
			return true;
	}
	return false;
}

const struct problem *
problems_of_service(const struct problems *problems, const struct service *service)
{
	for (size_t i = 0; i < problems_count(problems); i++) {
		const struct problem *problem = problems_at(problems, i);

		if (diagnosis_severity(problem->id) == SEVERITY_ERROR && problem_concerns_service(problem, service))
			return problem;
	}
	return NULL;
}

const struct problem *
problems_of_iface(const struct problems *problems, uint16_t iface)
{
	for (size_t i = 0; i < problems_count(problems); i++) {
		const struct problem *problem = problems_at(problems, i);

		if (diagnosis_severity(problem->id) == SEVERITY_ERROR && problem->iface == iface)
			return problem;
	}
	return NULL;
}
