/* SPDX-License-Identifier: ISC */
/*
 * Scheduling of checks; check_<type>.c performs them. A check of a service on one of its servers is the user of a job;
 * users with equal settings share one. Both are sorted by key, so that a sync is a single merge.
 */
#include "config.h"

#include "check/check.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/duration.h"
#include "check/attempt_message.h"
#include "check/runner.h"
#include "check/tls.h"

/*
 * First checks are spread over this time, so that the state is known soon after a start, or over a millisecond each
 * when there are more than 200, to avoid a burst of connections.
 */
#define FIRST_WITHIN MILLISECONDS(200)
#define FIRST_GAP MILLISECONDS(1)

#define DETAIL_TEXT 640

/* What distinguishes jobs. Points into the model or into a job. */
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

struct user {
	struct server *server;
	struct server_ref ref; /* the server's own may be gone already */
	size_t check;
};

struct job {
	struct checker *checker;
	const struct check_type *kind;
	struct check_target target;
	uint64_t interval;
	uint64_t retry; /* from a failed check to the next, while the server is not DOWN */
	uint64_t timeout;
	void *runner;
	struct event *timer;
	bool running;
	bool ran_before;
	bool fresh;   /* to be checked soon */
	size_t first; /* the first of the checker's users that share it */
	size_t count;
	char label[CHECK_LABEL];
};

struct checker {
	struct event_base *base;
	struct children *children;
	struct tls_contexts *tls;
	struct attempts *attempts; /* NULL: all checks are made here */
	checker_ping *ping;
	void *ping_context;
	checker_result *result;
	void *context;
	struct user *users;
	struct job **jobs;
	size_t job_count;
	uint32_t noise;
};

static const struct addr no_addr;

static int
check_arm(struct job *job, uint64_t delay)
{
	const struct timeval tv = timeval_of(delay);

	return event_add(job->timer, &tv);
}

/*
 * The check failed, and the server is not DOWN for one of the users: a lost packet, or a dead server?
 */
static void
check_retry_soon(struct job *job, const struct check_report *report)
{
	const struct checker *checker = job->checker;

	if (report->reason == HEALTH_REASON_NONE || report->reason == HEALTH_REASON_LOCAL ||
	    job->retry >= job->interval)
		return;
	for (size_t i = 0; i < job->count; i++) {
		const struct user *user = &checker->users[job->first + i];

		if (user->server->checks[user->check].health.state == HEALTH_DOWN)
			continue;
		(void)check_arm(job, job->retry);
		return;
	}
}

static void
check_on_answer(void *argument, const struct check_report *answer)
{
	struct job *job = argument;
	struct checker *checker = job->checker;
	struct check_report report;
	char detail[DETAIL_TEXT];

	job->running = false;
	if (answer == NULL) {
		(void)check_arm(job, job->retry);
		return;
	}
	(void)snprintf(detail, sizeof(detail), "%s%s%s", job->label, answer->detail == NULL ? "" : ": ",
	    answer->detail == NULL ? "" : answer->detail);
	report = *answer;
	report.detail = detail;
	report.got = answer->detail;
	for (size_t i = 0; i < job->count; i++) {
		const struct user *user = &checker->users[job->first + i];

		checker->result(checker->context, user->server, user->check, &report);
	}
	check_retry_soon(job, &report);
}

static void
check_on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct job *job = argument;

	/* Cannot fail: libevent has room for this timer, which it just took out. */
	(void)check_arm(job, pace_next(&job->checker->noise, job->interval, !job->ran_before));
	/* A timeout longer than the interval: one run at a time. */
	if (job->running)
		return;
	job->ran_before = true;
	job->running = true;
	job->kind->begin(job->runner);
}

static void
check_job_free(struct job *job)
{
	if (job == NULL)
		return;
	if (job->runner != NULL)
		runner_free(job->runner);
	if (job->timer != NULL)
		event_free(job->timer);
	free(job);
}

static struct key
check_key_of_user(const struct user *user)
{
	const struct service_settings *service = &user->server->service->settings;
	const struct check_settings *check = &service->checks[user->check];
	struct key key = {
		.addr = &user->server->settings.addr,
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
		key.server = user->server->settings.name;
		if (service->listen_count > 0) {
			key.vip = &service->listens[0].vip;
			key.service_port = service->listens[0].first;
		}
	}
	return key;
}

static struct key
check_key_of_job(const struct job *job)
{
	const struct check_target *target = &job->target;

	return (struct key) {
		.addr = &target->addr,
		.vip = &target->vip,
		.check = &target->check,
		.service = target->service,
		.server = target->server,
		.service_port = target->service_port,
		.port = target->port,
		.interval = job->interval,
		.retry = job->retry,
		.timeout = job->timeout,
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
check_compare_users(const void *left, const void *right)
{
	const struct user *a = left, *b = right;
	const struct key key_a = check_key_of_user(a), key_b = check_key_of_user(b);
	int result = check_compare_keys(&key_a, &key_b);

	if (result == 0)
		result = compare_numbers(a->ref.slot, b->ref.slot);
	return result != 0 ? result : compare_numbers(a->check, b->check);
}

static struct job *
check_job_new(struct checker *checker, const struct key *key)
{
	struct job *job = calloc(1, sizeof(*job));
	struct check_target *target;

	if (job == NULL)
		return NULL;
	job->checker = checker;
	job->kind = checker->attempts != NULL && attempt_is_remote(key->check->kind) ? &check_remote :
	    check_type_of(key->check->kind);
	job->interval = key->interval;
	job->retry = key->retry;
	job->timeout = key->timeout;
	job->fresh = true;
	target = &job->target;
	target->addr = *key->addr;
	target->port = key->port;
	target->timeout = timeval_of(key->timeout);
	target->check = *key->check;
	(void)snprintf(target->service, sizeof(target->service), "%s", key->service);
	(void)snprintf(target->server, sizeof(target->server), "%s", key->server);
	target->vip = *key->vip;
	target->service_port = key->service_port;
	target->base = checker->base;
	target->children = checker->children;
	target->tls = checker->tls;
	target->attempts = checker->attempts;
	target->ping = checker->ping;
	target->ping_context = checker->ping_context;
	target->answer = check_on_answer;
	target->job = job;
	check_label(&target->check, &target->addr, target->port, job->label);
	job->timer = event_new(checker->base, -1, 0, check_on_timer, job);
	job->runner = runner_new(job->kind, target);
	if (job->timer == NULL || job->runner == NULL) {
		check_job_free(job);
		return NULL;
	}
	return job;
}

struct checker *
checker_new(struct event_base *base, struct children *children, checker_result *result, void *context)
{
	struct checker *checker = calloc(1, sizeof(*checker));

	if (checker == NULL)
		return NULL;
	checker->base = base;
	checker->children = children;
	checker->result = result;
	checker->context = context;
	checker->tls = tls_contexts_new(children);
	if (checker->tls == NULL) {
		free(checker);
		return NULL;
	}
	evutil_secure_rng_get_bytes(&checker->noise, sizeof(checker->noise));
	return checker;
}

static void
check_free_jobs(struct checker *checker)
{
	for (size_t i = 0; i < checker->job_count; i++)
		check_job_free(checker->jobs[i]);
	free(checker->jobs);
	free(checker->users);
	checker->jobs = NULL;
	checker->job_count = 0;
	checker->users = NULL;
}

void
checker_free(struct checker *checker)
{
	if (checker == NULL)
		return;
	check_free_jobs(checker);
	tls_contexts_free(checker->tls);
	free(checker);
}

void
checker_set_ping(struct checker *checker, checker_ping *ping, void *context)
{
	checker->ping = ping;
	checker->ping_context = context;
}

void
checker_set_attempts(struct checker *checker, struct attempts *attempts)
{
	checker->attempts = attempts;
}

size_t
checker_jobs(const struct checker *checker)
{
	return checker->job_count;
}

/* All users of the model, sorted by key, or NULL when out of memory. */
static struct user *
check_collect(const struct model *model, size_t *count)
{
	struct user *users;
	size_t most = 0;

	for (size_t slot = 0; slot < model->slot_count; slot++)
		if (model->slots[slot] != NULL)
			most += model->slots[slot]->service->settings.check_count;
	users = calloc(most + 1, sizeof(*users));
	if (users == NULL)
		return NULL;
	*count = 0;
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		struct server *server = model->slots[slot];

		for (size_t i = 0; server != NULL && i < server->service->settings.check_count; i++) {
			const struct check_settings *check = &server->service->settings.checks[i];

			/* A port is missing only in hand-made settings. */
			if (!server->checks[i].unused && (check->kind == CHECK_ICMP || check->kind == CHECK_SCRIPT ||
			    service_check_port(&server->service->settings, check) != 0))
				users[(*count)++] = (struct user) { server, server->ref, i };
		}
	}
	qsort(users, *count, sizeof(*users), check_compare_users);
	return users;
}

/* Was it among the job's users before? Otherwise it must not wait an interval for its first result. */
static bool
check_had_user(const struct checker *checker, const struct job *job, const struct user *user)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct user *old = &checker->users[job->first + i];

		if (old->ref.slot == user->ref.slot && old->ref.generation == user->ref.generation)
			return true;
	}
	return false;
}

/* The next old job, if its key is `key`; those that sort before it are obsolete. */
static struct job *
check_keep_old(struct checker *checker, size_t *next, const struct key *key)
{
	for (; *next < checker->job_count; (*next)++) {
		struct job *job = checker->jobs[*next];
		const struct key own = check_key_of_job(job);
		const int order = check_compare_keys(&own, key);

		if (order > 0)
			return NULL;
		checker->jobs[*next] = NULL;
		if (order == 0) {
			(*next)++;
			return job;
		}
		check_job_free(job);
	}
	return NULL;
}

/* The number of users from `at` on that have the same key. */
static size_t
check_slice_length(const struct user *users, size_t at, size_t count)
{
	const struct key key = check_key_of_user(&users[at]);
	size_t end = at + 1;

	for (; end < count; end++) {
		const struct key other = check_key_of_user(&users[end]);

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

	for (size_t i = 0; i < checker->job_count; i++)
		count += checker->jobs[i]->fresh;
	window = count * FIRST_GAP > FIRST_WITHIN ? count * FIRST_GAP : FIRST_WITHIN;
	for (size_t i = 0; i < checker->job_count; i++) {
		struct job *job = checker->jobs[i];
		uint64_t delay;

		if (!job->fresh)
			continue;
		delay = window * started++ / count;
		if (check_arm(job, delay < job->interval ? delay : job->interval) == -1)
			return -1;
		job->fresh = false;
	}
	return 0;
}

int
checker_sync(struct checker *checker, const struct model *model)
{
	size_t count = 0, made = 0, old = 0;
	struct user *users = check_collect(model, &count);
	struct job **jobs = calloc(count + 1, sizeof(struct job *));
	int result = 0;

	if (users == NULL || jobs == NULL) {
		/* What is there may point at servers that are gone. */
		check_free_jobs(checker);
		free(users);
		free(jobs);
		return -1;
	}
	for (size_t at = 0, length; at < count; at += length) {
		const struct key key = check_key_of_user(&users[at]);
		struct job *job = check_keep_old(checker, &old, &key);

		length = check_slice_length(users, at, count);
		for (size_t i = 0; job != NULL && i < length; i++)
			job->fresh = job->fresh || !check_had_user(checker, job, &users[at + i]);
		if (job == NULL)
			job = check_job_new(checker, &key);
		if (job == NULL) {
			result = -1;
			continue;
		}
		job->first = at;
		job->count = length;
		jobs[made++] = job;
	}
	for (; old < checker->job_count; old++)
		check_job_free(checker->jobs[old]);
	free(checker->jobs);
	free(checker->users);
	checker->jobs = jobs;
	checker->job_count = made;
	checker->users = users;
	return check_start_fresh(checker) == -1 ? -1 : result;
}

/*
 * Below `most`; from a linear congruential generator (Numerical Recipes, 2nd edition, chapter 7.1), whose high bits are
 * the better ones. It only has to spread checks. A duration of an hour has 32 bits, so the product fits.
 */
static uint64_t
pace_random(uint32_t *noise, uint64_t most)
{
	*noise = *noise * 1664525 + 1013904223;
	return most * (*noise >> 8) >> 24;
}

uint64_t
pace_next(uint32_t *noise, uint64_t interval, bool first)
{
	if (first)
		return interval / 2 + pace_random(noise, interval / 2 + 1);
	return interval - interval / 32 + pace_random(noise, interval / 32 * 2 + 1);
}
