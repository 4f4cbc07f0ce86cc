/* SPDX-License-Identifier: ISC */
/* The TCP check: a server is well when it accepts a connection. */
#include "config.h"

#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

struct tcp_asker {
	struct probe_target target;
	struct event *event; /* NULL when nothing is under way */
	int fd;
};

enum health_reason
probe_reason_of(int error)
{
	switch (error) {
	case 0:
		return HEALTH_REASON_NONE;
	case ECONNREFUSED:
		return HEALTH_REASON_REFUSED;
	case ETIMEDOUT:
		return HEALTH_REASON_TIMEOUT;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return HEALTH_REASON_RESET;
	case EMFILE: /* no descriptors, memory or ports left here */
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN:
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EPERM: /* a filter of our own (Linux, netfilter's OUTPUT) */
	case EACCES:
	case EAFNOSUPPORT: /* a kernel without IPv6 */
		return HEALTH_REASON_LOCAL;
	default: /* EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, and what else ICMP errors become (ENOPROTOOPT) */
		return HEALTH_REASON_UNREACHABLE;
	}
}

/*
 * An ordinary close: the server reads an end of file, which most take in silence. Cutting the connection short by
 * SO_LINGER would spare us TIME_WAIT, but many a server logs each reset or counts it against us. TIME_WAIT stays small:
 * a minute's worth of checks for each server.
 */
static void
hang_up(struct tcp_asker *asker)
{
	if (asker->event != NULL)
		event_free(asker->event);
	asker->event = NULL;
	if (asker->fd != -1)
		(void)close(asker->fd);
	asker->fd = -1;
}

static void
finish(struct tcp_asker *asker, enum health_reason result)
{
	hang_up(asker);
	asker->target.answer(asker->target.check, result);
}

static void
on_event(evutil_socket_t fd, short what, void *argument)
{
	struct tcp_asker *asker = argument;
	int error = 0;
	socklen_t length = sizeof(error);

	if ((what & EV_WRITE) == 0)
		finish(asker, HEALTH_REASON_TIMEOUT);
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1)
		finish(asker, HEALTH_REASON_LOCAL);
	else
		finish(asker, probe_reason_of(error));
}

/* The length of what was filled in. */
static socklen_t
fill_sockaddr(struct sockaddr_storage *storage, const struct addr *addr, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(storage, 0, sizeof(*storage));
	if (addr->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, addr->bytes, sizeof(v4.sin_addr));
		memcpy(storage, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, addr->bytes, sizeof(v6.sin6_addr));
	memcpy(storage, &v6, sizeof(v6));
	return sizeof(v6);
}

/* Waits for the connection that connect() began. 0 or -1. */
static int
await(struct tcp_asker *asker)
{
	asker->event = event_new(asker->target.base, asker->fd, EV_WRITE, on_event, asker);
	return asker->event == NULL ? -1 : event_add(asker->event, &asker->target.timeout);
}

static void
begin(void *argument)
{
	struct tcp_asker *asker = argument;
	struct sockaddr_storage storage;
	const socklen_t length = fill_sockaddr(&storage, &asker->target.addr, asker->target.port);
	const int family = asker->target.addr.family == ADDR_IPV4 ? AF_INET : AF_INET6;

	asker->fd = socket(family, SOCK_STREAM, 0);
	if (asker->fd == -1 || evutil_make_socket_nonblocking(asker->fd) == -1 ||
	    evutil_make_socket_closeonexec(asker->fd) == -1)
		finish(asker, HEALTH_REASON_LOCAL);
	else if (connect(asker->fd, (const struct sockaddr *)&storage, length) == 0)
		finish(asker, HEALTH_REASON_NONE);
	else if (errno != EINPROGRESS)
		finish(asker, probe_reason_of(errno));
	else if (await(asker) == -1)
		finish(asker, HEALTH_REASON_LOCAL);
}

static void *
create(const struct probe_target *target)
{
	struct tcp_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = *target;
	asker->fd = -1;
	return asker;
}

static void
destroy(void *argument)
{
	struct tcp_asker *asker = argument;

	hang_up(asker);
	free(asker);
}

const struct probe_kind probe_tcp = {
	.name = "tcp",
	.create = create,
	.destroy = destroy,
	.begin = begin,
};
