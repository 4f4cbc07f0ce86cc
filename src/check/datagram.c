/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/datagram.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "check/kind.h"
#include "check/socket.h"

void
datagram_close(struct datagram *datagram)
{
	if (datagram->event != NULL)
		event_free(datagram->event);
	datagram->event = NULL;
	if (datagram->deadline != NULL)
		event_free(datagram->deadline);
	datagram->deadline = NULL;
	if (datagram->fd != -1)
		(void)close(datagram->fd);
	datagram->fd = -1;
}

static void
datagram_fail(struct datagram *datagram, enum health_reason reason, const char *detail)
{
	datagram_close(datagram);
	datagram->failed(datagram->runner, reason, detail);
}

static void
datagram_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	datagram_fail(argument, HEALTH_REASON_TIMEOUT, NULL);
}

static void
datagram_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct datagram *datagram = argument;
	uint8_t bytes[DATAGRAM_MOST];
	/* A connected socket takes datagrams of the server's port only, and its ICMP errors. */
	const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	if (got >= 0)
		datagram->received(datagram->runner, bytes, (size_t)got);
	else if (errno != EAGAIN && errno != EINTR)
		datagram_fail(datagram, check_reason_of(errno), check_error_text(errno));
}

void
datagram_ask(struct datagram *datagram, const uint8_t *bytes, size_t length)
{
	const struct check_target *target = datagram->target;

	datagram->fd = socket_connect(&target->addr, target->port, SOCK_DGRAM, 0);
	if (datagram->fd == -1 || send(datagram->fd, bytes, length, 0) == -1) {
		datagram_fail(datagram, check_reason_of(errno), check_error_text(errno));
		return;
	}
	/* A timer of its own: an answerer of nonsense must not prolong the wait. */
	datagram->deadline = event_new(target->base, -1, 0, datagram_on_deadline, datagram);
	datagram->event = event_new(target->base, datagram->fd, EV_READ | EV_PERSIST, datagram_on_readable, datagram);
	if (datagram->event == NULL || event_add(datagram->event, NULL) == -1 || datagram->deadline == NULL ||
	    event_add(datagram->deadline, &target->timeout) == -1)
		datagram_fail(datagram, HEALTH_REASON_LOCAL, NULL);
}
