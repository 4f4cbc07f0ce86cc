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

struct tcp_asker {
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
check_tcp_hang_up(struct tcp_asker *asker)
{
	if (asker->event != NULL)
		event_free(asker->event);
	asker->event = NULL;
	(void)event_del(asker->deadline);
	if (asker->fd != -1)
		(void)close(asker->fd);
	asker->fd = -1;
}

static void
check_tcp_finish(struct tcp_asker *asker, enum health_reason result)
{
	check_tcp_hang_up(asker);
	check_tell(asker->target, result, NULL);
}

static void
check_tcp_fail(struct tcp_asker *asker, int error)
{
	check_tcp_hang_up(asker);
	check_tell(asker->target, check_reason_of(error), check_trouble_of(error));
}

static void
check_tcp_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	check_tcp_finish(argument, HEALTH_REASON_TIMEOUT);
}

static void
check_tcp_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_asker *asker = argument;
	uint8_t bytes[PIECE];
	const size_t room = ANSWER_MOST - asker->received;
	const ssize_t got = recv(fd, bytes, room < PIECE ? room : PIECE, 0);

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == -1) {
		check_tcp_fail(asker, errno);
		return;
	}
	asker->received += (size_t)got;
	/* expect="" is content with any byte. */
	if (got > 0 && matcher_feed(&asker->matcher, bytes, (size_t)got))
		check_tcp_finish(asker, HEALTH_REASON_NONE);
	else if (got == 0 || asker->received == ANSWER_MOST)
		check_tcp_finish(asker, HEALTH_REASON_MISSING);
}

/* Waits for `what` from now on. */
static void
check_tcp_await(struct tcp_asker *asker, short what, event_callback_fn callback)
{
	if (asker->event != NULL)
		event_free(asker->event);
	asker->event = event_new(asker->target->base, asker->fd, (short)(what | EV_PERSIST), callback, asker);
	if (asker->event == NULL || event_add(asker->event, NULL) == -1)
		check_tcp_finish(asker, HEALTH_REASON_LOCAL);
}

/* All of `send` has been sent. */
static void
check_tcp_has_written(struct tcp_asker *asker)
{
	matcher_begin(&asker->matcher, &asker->target->check.expect);
	asker->received = 0;
	if (!asker->target->check.expect.given)
		check_tcp_finish(asker, HEALTH_REASON_NONE);
	else
		check_tcp_await(asker, EV_READ, check_tcp_on_readable);
}

static void
check_tcp_on_sendable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_asker *asker = argument;
	const struct check_bytes *text = &asker->target->check.send;
	const ssize_t sent = send(fd, text->bytes + asker->sent, text->length - asker->sent, 0);

	if (sent == -1 && errno != EAGAIN && errno != EINTR) {
		check_tcp_fail(asker, errno);
		return;
	}
	if (sent > 0)
		asker->sent += (size_t)sent;
	if (asker->sent == text->length)
		check_tcp_has_written(asker);
}

static void
check_tcp_connected(struct tcp_asker *asker)
{
	asker->sent = 0;
	if (asker->target->check.send.given)
		check_tcp_await(asker, EV_WRITE, check_tcp_on_sendable);
	else
		check_tcp_has_written(asker);
}

static void
check_tcp_on_connected(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_asker *asker = argument;
	const int error = socket_error(fd);

	if (error != 0)
		check_tcp_finish(asker, check_reason_of(error));
	else
		check_tcp_connected(asker);
}

static void
check_tcp_start(void *argument)
{
	struct tcp_asker *asker = argument;

	asker->fd = socket_connect(&asker->target->addr, asker->target->port, SOCK_STREAM, 0);
	if (asker->fd == -1) {
		check_tcp_fail(asker, errno);
		return;
	}
	if (event_add(asker->deadline, &asker->target->timeout) == -1)
		check_tcp_finish(asker, HEALTH_REASON_LOCAL);
	else
		check_tcp_await(asker, EV_WRITE, check_tcp_on_connected);
}

static void *
check_tcp_create(const struct check_target *target)
{
	struct tcp_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = target;
	asker->fd = -1;
	asker->deadline = event_new(target->base, -1, 0, check_tcp_on_deadline, asker);
	if (asker->deadline == NULL) {
		free(asker);
		return NULL;
	}
	return asker;
}

static void
check_tcp_destroy(void *argument)
{
	struct tcp_asker *asker = argument;

	check_tcp_hang_up(asker);
	event_free(asker->deadline);
	free(asker);
}

const struct check_type check_tcp = {
	.create = check_tcp_create,
	.destroy = check_tcp_destroy,
	.begin = check_tcp_start,
};
