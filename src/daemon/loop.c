/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/loop.h"

#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/log.h"

/* Between two attempts to write log lines while their reader stalls. */
static const struct timeval log_interval = { 0, 50000 };

static const int signals[] = { SIGHUP, SIGTERM, SIGINT, SIGUSR1 };

struct loop_source {
	struct loop *loop;
	size_t number;
	struct event *event;
};

struct loop {
	struct event_base *base;
	const struct loop_calls *calls;
	void *context;
	struct event *ticker;
	struct event *waker;
	struct event *log; /* pending while lines wait */
	struct event *signals[ARRAY_LEN(signals)];
	size_t most;
	struct loop_source sources[];
};

static void
loop_on_ready(evutil_socket_t descriptor UNUSED, short what UNUSED, void *arg)
{
	struct loop_source *source = arg;

	source->loop->calls->readable(source->loop->context, source->number);
}

static void
loop_on_tick(evutil_socket_t descriptor UNUSED, short what UNUSED, void *arg)
{
	struct loop *loop = arg;

	loop->calls->tick(loop->context);
}

static void
loop_on_wake(evutil_socket_t descriptor UNUSED, short what UNUSED, void *arg)
{
	struct loop *loop = arg;

	loop->calls->woken(loop->context);
}

static void
loop_on_signal(evutil_socket_t number, short what UNUSED, void *arg)
{
	struct loop *loop = arg;

	loop->calls->signalled(loop->context, (int)number);
}

static void
loop_on_log_waiting(void *arg)
{
	struct loop *loop = arg;

	(void)evtimer_add(loop->log, &log_interval);
}

static void
loop_on_log(evutil_socket_t descriptor UNUSED, short what UNUSED, void *arg)
{
	if (log_drain())
		loop_on_log_waiting(arg);
}

static int
loop_begin_timers(struct loop *loop)
{
	const struct timeval second = { 1, 0 };

	loop->ticker = event_new(loop->base, -1, EV_PERSIST, loop_on_tick, loop);
	if (loop->ticker == NULL || event_add(loop->ticker, &second) == -1)
		return -1;
	loop->waker = evtimer_new(loop->base, loop_on_wake, loop);
	loop->log = evtimer_new(loop->base, loop_on_log, loop);
	if (loop->waker == NULL || loop->log == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		loop->signals[i] = evsignal_new(loop->base, signals[i], loop_on_signal, loop);
		if (loop->signals[i] == NULL || event_add(loop->signals[i], NULL) == -1)
			return -1;
	}
	return 0;
}

struct loop *
loop_new(const struct loop_calls *calls, void *context, size_t most)
{
	struct loop *loop = calloc(1, sizeof(*loop) + most * sizeof(loop->sources[0]));

	if (loop == NULL)
		return NULL;
	loop->calls = calls;
	loop->context = context;
	loop->most = most;
	loop->base = event_base_new();
	if (loop->base == NULL || loop_begin_timers(loop) == -1) {
		loop_free(loop);
		return NULL;
	}
	log_async(loop_on_log_waiting, loop);
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	log_async(NULL, NULL);
	for (size_t i = 0; i < loop->most; i++)
		loop_unwatch(loop, i);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (loop->signals[i] != NULL)
			event_free(loop->signals[i]);
	if (loop->ticker != NULL)
		event_free(loop->ticker);
	if (loop->waker != NULL)
		event_free(loop->waker);
	if (loop->log != NULL)
		event_free(loop->log);
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop);
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

int
loop_watch(struct loop *loop, size_t number, int descriptor, const struct timeval *wait)
{
	struct loop_source *source = &loop->sources[number];
	const short what = (short)(EV_PERSIST | (descriptor == -1 ? 0 : EV_READ));

	loop_unwatch(loop, number);
	source->loop = loop;
	source->number = number;
	source->event = event_new(loop->base, descriptor, what, loop_on_ready, source);
	if (source->event == NULL || event_add(source->event, wait) == -1) {
		loop_unwatch(loop, number);
		return -1;
	}
	return 0;
}

void
loop_unwatch(struct loop *loop, size_t number)
{
	struct loop_source *source = &loop->sources[number];

	if (source->event != NULL)
		event_free(source->event);
	source->event = NULL;
}

void
loop_wake(struct loop *loop, uint64_t delay)
{
	const struct timeval tv = { (time_t)(delay / SECONDS(1)), (suseconds_t)(delay % SECONDS(1)) };

	/* Without memory for it, the next tick does the work. */
	(void)evtimer_add(loop->waker, &tv);
}

int
loop_run(struct loop *loop)
{
	return event_base_dispatch(loop->base) == -1 ? -1 : 0;
}

void
loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

const char *
loop_library(void)
{
	return event_get_version();
}
