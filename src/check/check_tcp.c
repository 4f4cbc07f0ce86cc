/* SPDX-License-Identifier: ISC */
/* The TCP check: a server is up when it accepts a connection and, if configured, sends the expected text. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "check/kind.h"
#include "check/matcher.h"
#include "check/socket.h"

#define ANSWER_MOST 4096 /* bytes in which the expected ones must appear */
#define PIECE 1024

struct tcp_runner {
	const struct check_target *target;
	struct event *event;    /* NULL when nothing is under way */
	struct event *deadline; /* of the whole check, whatever drips in */
	int fd;
	size_t sent;
	size_t received;
	struct matcher matcher;
};

/*
 * An ordinary close: the server reads an end of file, which most take in silence. Cutting the connection short by
 * SO_LINGER would spare us TIME_WAIT, but many a server logs each reset or counts it against us. TIME_WAIT stays small:
 * a minute's worth of checks for each server.
 */
static void
check_tcp_hang_up(struct tcp_runner *runner)
{
	if (runner->event != NULL)
		event_free(runner->event);
	runner->event = NULL;
	(void)event_del(runner->deadline);
	if (runner->fd != -1)
		(void)close(runner->fd);
	runner->fd = -1;
}

static void
check_tcp_finish(struct tcp_runner *runner, enum health_reason result)
{
	check_tcp_hang_up(runner);
	check_report_result(runner->target, result, NULL);
}

static void
check_tcp_fail(struct tcp_runner *runner, int error)
{
	check_tcp_hang_up(runner);
	check_report_result(runner->target, check_reason_of(error), check_error_text(error));
}

static void
check_tcp_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	check_tcp_finish(argument, HEALTH_REASON_TIMEOUT);
}

static void
check_tcp_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_runner *runner = argument;
	uint8_t bytes[PIECE];
	const size_t room = ANSWER_MOST - runner->received;
	const ssize_t got = recv(fd, bytes, room < PIECE ? room : PIECE, 0);

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == -1) {
		check_tcp_fail(runner, errno);
		return;
	}
	runner->received += (size_t)got;
	/* expect="" is content with any byte. */
	if (got > 0 && matcher_feed(&runner->matcher, bytes, (size_t)got))
		check_tcp_finish(runner, HEALTH_REASON_NONE);
	else if (got == 0 || runner->received == ANSWER_MOST)
		check_tcp_finish(runner, HEALTH_REASON_MISSING);
}

/* Waits for `what` from now on. */
static void
check_tcp_await(struct tcp_runner *runner, short what, event_callback_fn callback)
{
	if (runner->event != NULL)
		event_free(runner->event);
	runner->event = event_new(runner->target->base, runner->fd, (short)(what | EV_PERSIST), callback, runner);
	if (runner->event == NULL || event_add(runner->event, NULL) == -1)
		check_tcp_finish(runner, HEALTH_REASON_LOCAL);
}

/* All of `send` has been sent. */
static void
check_tcp_has_written(struct tcp_runner *runner)
{
	matcher_begin(&runner->matcher, &runner->target->check.expect);
	runner->received = 0;
	if (!runner->target->check.expect.given)
		check_tcp_finish(runner, HEALTH_REASON_NONE);
	else
		check_tcp_await(runner, EV_READ, check_tcp_on_readable);
}

static void
check_tcp_on_sendable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_runner *runner = argument;
	const struct check_bytes *text = &runner->target->check.send;
	const ssize_t sent = send(fd, text->bytes + runner->sent, text->length - runner->sent, 0);

	if (sent == -1 && errno != EAGAIN && errno != EINTR) {
		check_tcp_fail(runner, errno);
		return;
	}
	if (sent > 0)
		runner->sent += (size_t)sent;
	if (runner->sent == text->length)
		check_tcp_has_written(runner);
}

static void
check_tcp_connected(struct tcp_runner *runner)
{
	runner->sent = 0;
	if (runner->target->check.send.given)
		check_tcp_await(runner, EV_WRITE, check_tcp_on_sendable);
	else
		check_tcp_has_written(runner);
}

static void
check_tcp_on_connected(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_runner *runner = argument;
	const int error = socket_error(fd);

	if (error != 0)
		check_tcp_finish(runner, check_reason_of(error));
	else
		check_tcp_connected(runner);
}

static void
check_tcp_start(void *argument)
{
	struct tcp_runner *runner = argument;

	runner->fd = socket_connect(&runner->target->addr, runner->target->port, SOCK_STREAM, 0);
	if (runner->fd == -1) {
		check_tcp_fail(runner, errno);
		return;
	}
	if (event_add(runner->deadline, &runner->target->timeout) == -1)
		check_tcp_finish(runner, HEALTH_REASON_LOCAL);
	else
		check_tcp_await(runner, EV_WRITE, check_tcp_on_connected);
}

static void *
check_tcp_create(const struct check_target *target)
{
	struct tcp_runner *runner = calloc(1, sizeof(*runner));

	if (runner == NULL)
		return NULL;
	runner->target = target;
	runner->fd = -1;
	runner->deadline = event_new(target->base, -1, 0, check_tcp_on_deadline, runner);
	if (runner->deadline == NULL) {
		free(runner);
		return NULL;
	}
	return runner;
}

static void
check_tcp_destroy(void *argument)
{
	struct tcp_runner *runner = argument;

	check_tcp_hang_up(runner);
	event_free(runner->deadline);
	free(runner);
}

const struct check_type check_tcp = {
	.create = check_tcp_create,
	.destroy = check_tcp_destroy,
	.begin = check_tcp_start,
};
