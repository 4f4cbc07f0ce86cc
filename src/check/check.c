/* SPDX-License-Identifier: ISC */
/*
 * Scheduling of checks; check_<type>.c performs them. What a service requires of a server is a "want"; equal wants
 * share one question. Both are sorted by key, so that a sync is a single merge.
 */
#include "config.h"

#include "check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/compare.h"
#include "base/duration.h"
#include "check/kind.h"
#include "check/pace.h"
#include "check/tls.h"

/*
 * First checks are spread over this time, so that the state is known soon after a start, or over a millisecond each
 * when there are more than 200, to avoid a burst of connections.
 */
#define FIRST_WITHIN MILLISECONDS(200)
#define FIRST_GAP MILLISECONDS(1)

#define DETAIL_TEXT 640

/* Everything that makes a question another one. Points into the model or into a question. */
struct key {
	const struct addr *addr;
	const struct addr *vip;
	const struct check_settings *check;
	const char *service; /* of scripts only, like the three below; else empty */
	const char *server;
	uint16_t service_port;
	uint16_t port;
	uint64_t interval;
	uint64_t retry;
	uint64_t timeout;
};

struct want {
	struct server *server;
	struct server_ref ref; /* the server's own may be gone already */
	size_t check;
};

struct question {
	struct checker *checker;
	const struct check_type *kind;
	struct check_target target;
	uint64_t interval;
	uint64_t retry; /* from a failed check to the next, while the server is not DOWN */
	uint64_t timeout;
	void *asker;
	struct event *timer;
	bool asking;
	bool asked_before;
	bool fresh;   /* to be checked soon */
	size_t first; /* the first of the checker's wants that share it */
	size_t count;
	char label[CHECK_LABEL];
};

struct checker {
	struct event_base *base;
	struct children *children;
	struct tls_contexts *tls;
	probe_result *result;
	void *context;
	struct want *wants;
	struct question **questions;
	size_t question_count;
	uint32_t noise;
};

static const struct addr no_addr;

static const struct check_type *
check_kind_of(enum check_kind kind)
{
	switch (kind) {
	case CHECK_TCP:
		return &check_tcp;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		return &check_http;
	case CHECK_ICMP:
		return &check_icmp;
	case CHECK_DNS:
		return &check_dns;
	case CHECK_UDP:
		return &check_udp;
	case CHECK_SCRIPT:
		return &check_script;
	}
	return NULL;
}

void
check_tell(const struct check_target *target, enum health_reason reason, const char *detail)
{
	const struct check_report report = { .reason = reason, .weight = PROBE_NO_WEIGHT, .detail = detail };

	target->answer(target->question, &report);
}

static struct timeval
check_timeval_of(uint64_t microseconds)
{
	return (struct timeval) {
		.tv_sec = (time_t)(microseconds / SECONDS(1)),
		.tv_usec = (suseconds_t)(microseconds % SECONDS(1)),
	};
}

static int
check_arm(struct question *question, uint64_t delay)
{
	const struct timeval tv = check_timeval_of(delay);

	return event_add(question->timer, &tv);
}

/*
 * The answer was bad, and one of those it is for has not given the server up: what was it, a lost packet or a dead
 * server?
 */
static void
check_retry_soon(struct question *question, const struct check_report *report)
{
	const struct checker *checker = question->checker;

	if (report->reason == HEALTH_REASON_NONE || report->reason == HEALTH_REASON_LOCAL ||
	    question->retry >= question->interval)
		return;
	for (size_t i = 0; i < question->count; i++) {
		const struct want *want = &checker->wants[question->first + i];

		if (want->server->checks[want->check].health.state == HEALTH_DOWN)
			continue;
		(void)check_arm(question, question->retry);
		return;
	}
}

static void
check_on_answer(void *argument, const struct check_report *answer)
{
	struct question *question = argument;
	struct checker *checker = question->checker;
	struct check_report report = *answer;
	char detail[DETAIL_TEXT];

	question->asking = false;
	(void)snprintf(detail, sizeof(detail), "%s%s%s", question->label, answer->detail == NULL ? "" : ": ",
	    answer->detail == NULL ? "" : answer->detail);
	report.detail = detail;
	report.came = answer->detail;
	for (size_t i = 0; i < question->count; i++) {
		const struct want *want = &checker->wants[question->first + i];

		checker->result(checker->context, want->server, want->check, &report);
	}
	check_retry_soon(question, &report);
}

static void
check_on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct question *question = argument;

	/* Cannot fail: libevent has room for this timer, which it just took out. */
	(void)check_arm(question, pace_next(&question->checker->noise, question->interval, !question->asked_before));
	/* A timeout longer than the interval: one question at a time. */
	if (question->asking)
		return;
	question->asked_before = true;
	question->asking = true;
	question->kind->begin(question->asker);
}

static void
check_question_free(struct question *question)
{
	if (question == NULL)
		return;
	if (question->asker != NULL)
		question->kind->destroy(question->asker);
	if (question->timer != NULL)
		event_free(question->timer);
	free(question);
}

static struct key
key_of_want(const struct want *want)
{
	const struct service_settings *service = &want->server->service->settings;
	const struct check_settings *check = &service->checks[want->check];
	struct key key = {
		.addr = &want->server->settings.addr,
		.vip = &no_addr,
		.check = check,
		.service = "",
		.server = "",
		.port = service_check_port(service, check),
		.interval = service->interval,
		.retry = service->retry != 0 ? service->retry : service->interval,
		.timeout = service->timeout,
	};

	if (check->kind == CHECK_SCRIPT) {
		key.service = service->name;
		key.server = want->server->settings.name;
		if (service->listen_count > 0) {
			key.vip = &service->listens[0].vip;
			key.service_port = service->listens[0].first;
		}
	}
	return key;
}

static struct key
key_of_question(const struct question *question)
{
	const struct check_target *target = &question->target;

	return (struct key) {
		.addr = &target->addr,
		.vip = &target->vip,
		.check = &target->check,
		.service = target->service,
		.server = target->server,
		.service_port = target->service_port,
		.port = target->port,
		.interval = question->interval,
		.retry = question->retry,
		.timeout = question->timeout,
	};
}

static int
check_compare_keys(const struct key *a, const struct key *b)
{
	int result = compare_addrs(a->addr, b->addr);

	if (result == 0)
		result = compare_numbers(a->port, b->port);
	if (result == 0)
		result = compare_numbers(a->interval, b->interval);
	if (result == 0)
		result = compare_numbers(a->retry, b->retry);
	if (result == 0)
		result = compare_numbers(a->timeout, b->timeout);
	if (result == 0)
		result = strcmp(a->service, b->service);
	if (result == 0)
		result = strcmp(a->server, b->server);
	if (result == 0)
		result = compare_numbers(a->service_port, b->service_port);
	if (result == 0)
		result = compare_addrs(a->vip, b->vip);
	return result != 0 ? result : check_compare(a->check, b->check);
}

/* Equal keys in the order of the slots. */
static int
check_compare_wants(const void *left, const void *right)
{
	const struct want *a = left, *b = right;
	const struct key key_a = key_of_want(a), key_b = key_of_want(b);
	int result = check_compare_keys(&key_a, &key_b);

	if (result == 0)
		result = compare_numbers(a->ref.slot, b->ref.slot);
	return result != 0 ? result : compare_numbers(a->check, b->check);
}

static struct question *
check_question_new(struct checker *checker, const struct key *key)
{
	struct question *question = calloc(1, sizeof(*question));
	struct check_target *target;

	if (question == NULL)
		return NULL;
	question->checker = checker;
	question->kind = check_kind_of(key->check->kind);
	question->interval = key->interval;
	question->retry = key->retry;
	question->timeout = key->timeout;
	question->fresh = true;
	target = &question->target;
	target->addr = *key->addr;
	target->port = key->port;
	target->timeout = check_timeval_of(key->timeout);
	target->check = *key->check;
	(void)snprintf(target->service, sizeof(target->service), "%s", key->service);
	(void)snprintf(target->server, sizeof(target->server), "%s", key->server);
	target->vip = *key->vip;
	target->service_port = key->service_port;
	target->base = checker->base;
	target->children = checker->children;
	target->tls = checker->tls;
	target->answer = check_on_answer;
	target->question = question;
	check_label(&target->check, &target->addr, target->port, question->label);
	question->timer = event_new(checker->base, -1, 0, check_on_timer, question);
	question->asker = question->kind->create(target);
	if (question->timer == NULL || question->asker == NULL) {
		check_question_free(question);
		return NULL;
	}
	return question;
}

struct checker *
checker_new(struct event_base *base, struct children *children, probe_result *result, void *context)
{
	struct checker *checker = calloc(1, sizeof(*checker));

	if (checker == NULL)
		return NULL;
	checker->base = base;
	checker->children = children;
	checker->result = result;
	checker->context = context;
	checker->tls = tls_contexts_new();
	if (checker->tls == NULL) {
		free(checker);
		return NULL;
	}
	evutil_secure_rng_get_bytes(&checker->noise, sizeof(checker->noise));
	return checker;
}

static void
check_forget_all(struct checker *checker)
{
	for (size_t i = 0; i < checker->question_count; i++)
		check_question_free(checker->questions[i]);
	free(checker->questions);
	free(checker->wants);
	checker->questions = NULL;
	checker->question_count = 0;
	checker->wants = NULL;
}

void
checker_free(struct checker *checker)
{
	if (checker == NULL)
		return;
	check_forget_all(checker);
	tls_contexts_free(checker->tls);
	free(checker);
}

size_t
checker_questions(const struct checker *checker)
{
	return checker->question_count;
}

/* Can it be checked? A port is missing only in hand-made settings. */
static bool
check_is_askable(const struct service_settings *service, const struct check_settings *check)
{
	return check->kind == CHECK_ICMP || check->kind == CHECK_SCRIPT || service_check_port(service, check) != 0;
}

/* All wants of the model, sorted by key, or NULL when out of memory. */
static struct want *
check_collect(const struct model *model, size_t *count)
{
	struct want *wants;
	size_t most = 0;

	for (size_t slot = 0; slot < model->slot_count; slot++)
		if (model->slots[slot] != NULL)
			most += model->slots[slot]->service->settings.check_count;
	wants = calloc(most + 1, sizeof(*wants));
	if (wants == NULL)
		return NULL;
	*count = 0;
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		struct server *server = model->slots[slot];

		for (size_t i = 0; server != NULL && i < server->service->settings.check_count; i++)
			if (!server->checks[i].unused && check_is_askable(&server->service->settings, &server->service->settings.checks[i]))
				wants[(*count)++] = (struct want) { server, server->ref, i };
	}
	qsort(wants, *count, sizeof(*wants), check_compare_wants);
	return wants;
}

/* Did the question's old wants include it? Otherwise it must not wait an interval for its first answer. */
static bool
check_had_want(const struct checker *checker, const struct question *question, const struct want *want)
{
	for (size_t i = 0; i < question->count; i++) {
		const struct want *old = &checker->wants[question->first + i];

		if (old->ref.slot == want->ref.slot && old->ref.generation == want->ref.generation)
			return true;
	}
	return false;
}

/* The next old question, if its key is `key`; those that sort before it are obsolete. */
static struct question *
check_keep_old(struct checker *checker, size_t *next, const struct key *key)
{
	for (; *next < checker->question_count; (*next)++) {
		struct question *question = checker->questions[*next];
		const struct key own = key_of_question(question);
		const int order = check_compare_keys(&own, key);

		if (order > 0)
			return NULL;
		checker->questions[*next] = NULL;
		if (order == 0) {
			(*next)++;
			return question;
		}
		check_question_free(question);
	}
	return NULL;
}

/* The number of wants from `at` on that have the same key. */
static size_t
check_slice_length(const struct want *wants, size_t at, size_t count)
{
	const struct key key = key_of_want(&wants[at]);
	size_t end = at + 1;

	for (; end < count; end++) {
		const struct key other = key_of_want(&wants[end]);

		if (check_compare_keys(&key, &other) != 0)
			break;
	}
	return end - at;
}

/* First checks in the order of the keys, evenly spread. 0, or -1 when memory is out. */
static int
check_start_fresh(struct checker *checker)
{
	size_t count = 0, started = 0;
	uint64_t window;

	for (size_t i = 0; i < checker->question_count; i++)
		count += checker->questions[i]->fresh;
	window = count * FIRST_GAP > FIRST_WITHIN ? count * FIRST_GAP : FIRST_WITHIN;
	for (size_t i = 0; i < checker->question_count; i++) {
		struct question *question = checker->questions[i];
		uint64_t delay;

		if (!question->fresh)
			continue;
		delay = window * started++ / count;
		if (check_arm(question, delay < question->interval ? delay : question->interval) == -1)
			return -1;
		question->fresh = false;
	}
	return 0;
}

int
checker_sync(struct checker *checker, const struct model *model)
{
	size_t count = 0, made = 0, old = 0;
	struct want *wants = check_collect(model, &count);
	struct question **questions = calloc(count + 1, sizeof(struct question *));
	int result = 0;

	if (wants == NULL || questions == NULL) {
		/* What is there may point at servers that are gone. */
		check_forget_all(checker);
		free(wants);
		free(questions);
		return -1;
	}
	for (size_t at = 0, length; at < count; at += length) {
		const struct key key = key_of_want(&wants[at]);
		struct question *question = check_keep_old(checker, &old, &key);

		length = check_slice_length(wants, at, count);
		for (size_t i = 0; question != NULL && i < length; i++)
			question->fresh = question->fresh || !check_had_want(checker, question, &wants[at + i]);
		if (question == NULL)
			question = check_question_new(checker, &key);
		if (question == NULL) {
			result = -1;
			continue;
		}
		question->first = at;
		question->count = length;
		questions[made++] = question;
	}
	for (; old < checker->question_count; old++)
		check_question_free(checker->questions[old]);
	free(checker->questions);
	free(checker->wants);
	checker->questions = questions;
	checker->question_count = made;
	checker->wants = wants;
	return check_start_fresh(checker) == -1 ? -1 : result;
}
