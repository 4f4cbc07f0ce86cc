/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/attempt_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/util.h>

#include "check/attempt_message.h"
#include "check/runner.h"
#include "check/tls.h"

struct serving {
	const struct attempt_host *host;
	struct event_base *base;
	struct bufferevent *director;
	struct tls_contexts *tls;
	struct work *first;
};

/* An attempt that is under way. */
struct work {
	struct serving *serving;
	struct work *next;
	struct work **link; /* what points to this one */
	uint64_t id;
	struct check_target target;
	void *runner;
};

static void
work_free(struct work *work)
{
	*work->link = work->next;
	if (work->next != NULL)
		work->next->link = work->link;
	if (work->runner != NULL)
		runner_free(work->runner);
	free(work);
}

/* The director waits for each; without the memory for one, another process has to go on. */
static void
serving_say(struct serving *serving, enum attempt_word word, uint64_t id, enum health_reason reason, const void *text,
    size_t length)
{
	struct attempt_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.word = word;
	answer.id = id;
	answer.reason = reason;
	memcpy(answer.text, text, length < sizeof(answer.text) ? length : sizeof(answer.text));
	if (bufferevent_write(serving->director, &answer, sizeof(answer)) == -1)
		_exit(1);
}

static void
serving_tell(struct serving *serving, uint64_t id, enum health_reason reason, const char *detail)
{
	char text[ATTEMPT_TEXT];

	(void)snprintf(text, sizeof(text), "%s", detail == NULL ? "" : detail);
	serving_say(serving, ATTEMPT_ENDED, id, reason, text, strlen(text));
}

static void
serving_on_answer(void *job, const struct check_report *report)
{
	struct work *work = job;

	serving_tell(work->serving, work->id, report->reason, report->detail);
	work_free(work);
}

static void
serving_run(struct serving *serving, const struct attempt_run *run)
{
	struct work *work = calloc(1, sizeof(*work));

	if (work == NULL) {
		serving_tell(serving, run->id, HEALTH_REASON_LOCAL, "out of memory");
		return;
	}
	work->serving = serving;
	work->id = run->id;
	work->target.addr = run->addr;
	work->target.port = run->port;
	work->target.timeout = timeval_of(run->timeout);
	work->target.check = run->check;
	work->target.base = serving->base;
	work->target.tls = serving->tls;
	work->target.once = true;
	work->target.answer = serving_on_answer;
	work->target.job = work;
	work->next = serving->first;
	work->link = &serving->first;
	if (work->next != NULL)
		work->next->link = &work->next;
	serving->first = work;
	work->runner = runner_new(check_type_of(run->check.kind), &work->target);
	if (work->runner != NULL) {
		check_type_of(run->check.kind)->begin(work->runner);
		return;
	}
	serving_tell(serving, run->id, HEALTH_REASON_LOCAL, "out of memory");
	work_free(work);
}

static void
serving_cancel(struct serving *serving, uint64_t id)
{
	struct work *work = serving->first;

	while (work != NULL && work->id != id)
		work = work->next;
	if (work != NULL)
		work_free(work);
}

/* 0, or -1: it is no order, or there is no memory for it. */
static int
serving_obey(struct serving *serving, uint32_t order, const unsigned char *bytes, size_t length)
{
	struct attempt_authority authority;
	struct attempt_run run;
	uint64_t id;

	switch ((enum attempt_order)order) {
	case ATTEMPT_RUN:
		if (attempt_read_run(bytes, length, &run) == -1)
			return -1;
		serving_run(serving, &run);
		return 0;
	case ATTEMPT_CANCEL:
		memcpy(&id, bytes, sizeof(id));
		serving_cancel(serving, id);
		return 0;
	case ATTEMPT_AUTHORITY:
		if (attempt_read_authority(bytes, length, &authority) == -1)
			return -1;
		return tls_set_authority(serving->tls, authority.path, authority.version,
		    (const char *)bytes + sizeof(authority), length - sizeof(authority));
	}
	return -1;
}

static void
serving_on_readable(struct bufferevent *director, void *argument)
{
	struct serving *serving = argument;
	struct evbuffer *input = bufferevent_get_input(director);
	struct attempt_header header;
	const unsigned char *bytes;

	while (evbuffer_copyout(input, &header, sizeof(header)) == (ev_ssize_t)sizeof(header)) {
		if (!attempt_header_fits(&header))
			_exit(1);
		if (evbuffer_get_length(input) < sizeof(header) + header.length)
			return;
		(void)evbuffer_drain(input, sizeof(header));
		bytes = evbuffer_pullup(input, header.length);
		if (bytes == NULL || serving_obey(serving, header.order, bytes, header.length) == -1)
			_exit(1);
		(void)evbuffer_drain(input, header.length);
	}
}

static void
serving_on_event(struct bufferevent *director UNUSED, short what UNUSED, void *serving UNUSED)
{
	_exit(0);
}

static void
serving_confine(struct serving *serving)
{
	char reason[LAUNCHER_REASON];
	union {
		max_align_t align;
		char bytes[LAUNCHER_OUTCOME];
	} outcome;

	memset(&outcome, 0, sizeof(outcome));
	if (serving->host->become(serving->host->order, outcome.bytes, reason) == -1)
		_exit(1);
	serving_say(serving, ATTEMPT_CONFINED, 0, HEALTH_REASON_NONE, outcome.bytes, sizeof(outcome.bytes));
}

void
attempt_serve(int fd, const struct attempt_host *host)
{
	struct serving serving = { .host = host, .base = event_base_new() };
	char call[ATTEMPT_TEXT];

	serving.tls = tls_contexts_new(NULL);
	if (serving.base == NULL || serving.tls == NULL || evutil_make_socket_nonblocking(fd) == -1)
		_exit(1);
	serving.director = bufferevent_socket_new(serving.base, fd, 0);
	if (serving.director == NULL)
		_exit(1);
	bufferevent_setcb(serving.director, serving_on_readable, NULL, serving_on_event, &serving);
	serving_confine(&serving);
	if (bufferevent_enable(serving.director, EV_READ | EV_WRITE) == -1)
		_exit(1);
	while (event_base_loop(serving.base, EVLOOP_ONCE) == 0)
		while (host->refused(call, sizeof(call)))
			serving_say(&serving, ATTEMPT_REFUSED, 0, HEALTH_REASON_NONE, call, strlen(call));
	_exit(1);
}
