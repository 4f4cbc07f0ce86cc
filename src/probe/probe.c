/* SPDX-License-Identifier: ISC */
/* When to ask whom. How to ask is in probe_<kind>.c. */
#include "config.h"

#include "probe/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/duration.h"
#include "probe/kind.h"

/*
 * First checks are spread over this long, so that a start is known to be good or bad at once, or over a millisecond
 * each when there are more than 200: no burst of connections leaves here.
 */
#define FIRST_WITHIN MILLISECONDS(200)
#define FIRST_GAP MILLISECONDS(1)

#define DETAIL_TEXT 80

struct check {
	struct prober *prober;
	struct server *server;
	struct server_ref ref; /* the server's own may be gone already */
	const struct probe_kind *kind;
	struct addr addr;
	uint16_t port;
	uint64_t interval;
	uint64_t timeout;
	void *asker;
	struct event *timer;
	bool asking;
	bool asked_before;
	bool fresh; /* made, not yet armed */
	char detail[DETAIL_TEXT];
};

struct prober {
	struct event_base *base;
	probe_result *result;
	void *context;
	struct check **checks; /* by the server's slot; NULL: none */
	size_t slot_count;
	uint32_t noise;
};

static const struct probe_kind *
kind_of(enum check_kind kind)
{
	switch (kind) {
	case CHECK_NONE:
		break;
	case CHECK_TCP:
		return &probe_tcp;
	}
	return NULL;
}

static struct timeval
timeval_of(uint64_t microseconds)
{
	return (struct timeval) {
		.tv_sec = (time_t)(microseconds / SECONDS(1)),
		.tv_usec = (suseconds_t)(microseconds % SECONDS(1)),
	};
}

/* Below `most`; from a linear congruential generator (Numerical Recipes): it only has to keep checks out of step. */
static uint64_t
random_below(struct prober *prober, uint64_t most)
{
	prober->noise = prober->noise * 1664525 + 1013904223;
	return most / 65536 * (prober->noise >> 16);
}

static int
arm(struct check *check, uint64_t delay)
{
	const struct timeval tv = timeval_of(delay);

	return event_add(check->timer, &tv);
}

/*
 * The interval give or take a thirty-second. The first gap is anything from half an interval on: what began together
 * within 200 ms is spread out from then on.
 */
static uint64_t
next_delay(struct check *check)
{
	const uint64_t interval = check->interval;

	if (!check->asked_before)
		return interval / 2 + random_below(check->prober, interval / 2);
	return interval - interval / 32 + random_below(check->prober, interval / 16);
}

static void
on_answer(void *argument, enum health_reason result)
{
	struct check *check = argument;

	check->asking = false;
	check->prober->result(check->prober->context, check->server, result, check->detail);
}

static void
on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct check *check = argument;

	/* Cannot fail: libevent has room for this timer, which it just took out. */
	(void)arm(check, next_delay(check));
	/* A timeout longer than the interval: one question at a time. */
	if (check->asking)
		return;
	check->asked_before = true;
	check->asking = true;
	check->kind->begin(check->asker);
}

static void
check_free(struct check *check)
{
	if (check == NULL)
		return;
	if (check->asker != NULL)
		check->kind->destroy(check->asker);
	if (check->timer != NULL)
		event_free(check->timer);
	free(check);
}

static void
describe(struct check *check)
{
	const bool v6 = check->addr.family == ADDR_IPV6;
	char text[ADDR_TEXT];

	(void)snprintf(check->detail, sizeof(check->detail), "%s %s%s%s:%u", check->kind->name, v6 ? "[" : "",
	    addr_format(&check->addr, text), v6 ? "]" : "", check->port);
}

static struct check *
check_new(struct prober *prober, struct server *server)
{
	const struct service_settings *service = &server->service->settings;
	struct check *check = calloc(1, sizeof(*check));
	struct probe_target target;

	if (check == NULL)
		return NULL;
	check->prober = prober;
	check->server = server;
	check->ref = server->ref;
	check->kind = kind_of(service->check.kind);
	check->addr = server->settings.addr;
	check->port = service_check_port(service);
	check->interval = service->interval;
	check->timeout = service->timeout;
	check->fresh = true;
	describe(check);
	target = (struct probe_target) {
		.addr = check->addr,
		.port = check->port,
		.timeout = timeval_of(check->timeout),
		.base = prober->base,
		.answer = on_answer,
		.check = check,
	};
	check->timer = event_new(prober->base, -1, 0, on_timer, check);
	check->asker = check->kind->create(&target);
	if (check->timer == NULL || check->asker == NULL) {
		check_free(check);
		return NULL;
	}
	return check;
}

struct prober *
prober_new(struct event_base *base, probe_result *result, void *context)
{
	struct prober *prober = calloc(1, sizeof(*prober));

	if (prober == NULL)
		return NULL;
	prober->base = base;
	prober->result = result;
	prober->context = context;
	evutil_secure_rng_get_bytes(&prober->noise, sizeof(prober->noise));
	return prober;
}

void
prober_free(struct prober *prober)
{
	if (prober == NULL)
		return;
	for (size_t i = 0; i < prober->slot_count; i++)
		check_free(prober->checks[i]);
	free(prober->checks);
	free(prober);
}

static bool
is_checked(const struct server *server)
{
	const struct service_settings *service = &server->service->settings;

	return kind_of(service->check.kind) != NULL && service_check_port(service) != 0;
}

/* Is this check what the server, which may be another than before, wants? */
static bool
is_wanted(const struct check *check, const struct server *server)
{
	const struct service_settings *service;

	if (server == NULL || server->ref.generation != check->ref.generation || !is_checked(server))
		return false;
	service = &server->service->settings;
	return check->kind == kind_of(service->check.kind) && check->port == service_check_port(service) &&
	    addr_equal(&check->addr, &server->settings.addr) && check->interval == service->interval &&
	    check->timeout == service->timeout;
}

static void
drop_unwanted(struct prober *prober, const struct model *model)
{
	for (size_t slot = 0; slot < prober->slot_count; slot++) {
		const struct check *check = prober->checks[slot];

		if (check == NULL || (slot < model->slot_count && is_wanted(check, model->slots[slot])))
			continue;
		check_free(prober->checks[slot]);
		prober->checks[slot] = NULL;
	}
}

static int
make_room(struct prober *prober, size_t slot_count)
{
	struct check **checks;

	if (slot_count <= prober->slot_count)
		return 0;
	checks = realloc(prober->checks, slot_count * sizeof(struct check *));
	if (checks == NULL)
		return -1;
	for (size_t i = prober->slot_count; i < slot_count; i++)
		checks[i] = NULL;
	prober->checks = checks;
	prober->slot_count = slot_count;
	return 0;
}

/* First checks in the order of the slots, evenly spread. 0, or -1 when memory is out. */
static int
start_new(struct prober *prober)
{
	size_t count = 0, started = 0;
	uint64_t window;

	for (size_t slot = 0; slot < prober->slot_count; slot++)
		count += prober->checks[slot] != NULL && prober->checks[slot]->fresh;
	window = count * FIRST_GAP > FIRST_WITHIN ? count * FIRST_GAP : FIRST_WITHIN;
	for (size_t slot = 0; slot < prober->slot_count; slot++) {
		struct check *check = prober->checks[slot];
		uint64_t delay;

		if (check == NULL || !check->fresh)
			continue;
		delay = window * started++ / count;
		if (arm(check, delay < check->interval ? delay : check->interval) == -1)
			return -1;
		check->fresh = false;
	}
	return 0;
}

int
prober_sync(struct prober *prober, const struct model *model)
{
	int result = 0;

	/* First of all and without need of memory: what is dropped may point at servers that are gone. */
	drop_unwanted(prober, model);
	if (make_room(prober, model->slot_count) == -1)
		return -1;
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		if (prober->checks[slot] != NULL || model->slots[slot] == NULL || !is_checked(model->slots[slot]))
			continue;
		prober->checks[slot] = check_new(prober, model->slots[slot]);
		if (prober->checks[slot] == NULL)
			result = -1;
	}
	return start_new(prober) == -1 ? -1 : result;
}
