/* SPDX-License-Identifier: ISC */
/* The TCP check: a server is up when it accepts a connection and, if configured, sends the expected text. */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include "check/matcher.h"
#include "check/runner.h"

#define ANSWER_MOST 4096 /* bytes in which the expected ones must appear */
#define PIECE 1024

struct tcp_runner {
	struct runner runner;
	size_t sent;
	size_t received;
	struct matcher matcher;
};

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
		runner_fail(runner, errno);
		return;
	}
	runner->received += (size_t)got;
	/* expect="" is content with any byte. */
	if (got > 0 && matcher_feed(&runner->matcher, bytes, (size_t)got))
		runner_finish(runner, HEALTH_REASON_NONE, NULL);
	else if (got == 0 || runner->received == ANSWER_MOST)
		runner_finish(runner, HEALTH_REASON_MISSING, NULL);
}

/* All of `send` has been sent. */
static void
check_tcp_has_written(struct tcp_runner *runner)
{
	matcher_begin(&runner->matcher, &runner->runner.target->check.expect);
	runner->received = 0;
	if (!runner->runner.target->check.expect.given)
		runner_finish(runner, HEALTH_REASON_NONE, NULL);
	else
		runner_await(runner, EV_READ, check_tcp_on_readable);
}

static void
check_tcp_on_sendable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_runner *runner = argument;
	const struct check_bytes *text = &runner->runner.target->check.send;
	const ssize_t sent = send(fd, text->bytes + runner->sent, text->length - runner->sent, 0);

	if (sent == -1 && errno != EAGAIN && errno != EINTR) {
		runner_fail(runner, errno);
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
	if (runner->runner.target->check.send.given)
		runner_await(runner, EV_WRITE, check_tcp_on_sendable);
	else
		check_tcp_has_written(runner);
}

static void
check_tcp_on_connected(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct tcp_runner *runner = argument;
	const int error = socket_error(fd);

	if (error != 0)
		runner_fail(runner, error);
	else
		check_tcp_connected(runner);
}

/*
 * The end is an ordinary close: the server reads an end of file, which most take in silence. Cutting the connection
 * short by SO_LINGER would spare us TIME_WAIT, but many a server logs each reset or counts it against us. TIME_WAIT
 * stays small: a minute's worth of checks for each server.
 */
static void
check_tcp_start(void *runner)
{
	if (runner_connect(runner, SOCK_STREAM))
		runner_await(runner, EV_WRITE, check_tcp_on_connected);
}

const struct check_type check_tcp = {
	.size = sizeof(struct tcp_runner),
	.begin = check_tcp_start,
};
