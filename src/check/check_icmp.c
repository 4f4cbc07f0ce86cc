/* SPDX-License-Identifier: ISC */
/*
 * The ICMP check: an echo request, for IPv4 and IPv6. Its socket is opened when the check is created, which at startup
 * is before root is given up, and kept open. Where the kernel lets any user ping (Linux's ping_group_range, macOS) no
 * privilege is needed.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/bytes.h"
#include "check/kind.h"
#include "check/socket.h"
#include "proto/checksum.h"

#define ECHO_REQUEST 8 /* RFC 792 */
#define ECHO_REPLY 0
#define ECHO_REQUEST6 128 /* RFC 4443 section 4 */
#define ECHO_REPLY6 129
#define HEADER 8
#define COOKIE 16 /* random bytes that prove an answer to be ours */
#define PACKET_MOST 256

struct icmp_asker {
	const struct check_target *target;
	int fd; /* -1: could not be opened, tried again each time */
	struct event *event; /* NULL when nothing is under way */
	struct event *deadline;
	uint8_t cookie[COOKIE];
};

static void
check_icmp_stop(struct icmp_asker *asker)
{
	if (asker->event != NULL)
		event_free(asker->event);
	asker->event = NULL;
	if (asker->deadline != NULL)
		event_free(asker->deadline);
	asker->deadline = NULL;
}

static void
check_icmp_finish(struct icmp_asker *asker, enum health_reason reason, const char *detail)
{
	check_icmp_stop(asker);
	check_tell(asker->target, reason, detail);
}

/* A raw IPv4 socket, and macOS's other one, give the IP header too. No echo has a type that looks like one. */
static bool
check_icmp_is_our_reply(const struct icmp_asker *asker, const uint8_t *bytes, size_t length)
{
	const bool v6 = asker->target->addr.family == ADDR_IPV6;
	size_t header = 0;

	if (!v6 && length > 0 && bytes[0] >> 4 == 4)
		header = (size_t)(bytes[0] & 0xf) * 4;
	if (length < header + HEADER + COOKIE || bytes[header] != (v6 ? ECHO_REPLY6 : ECHO_REPLY))
		return false;
	return memcmp(bytes + header + HEADER, asker->cookie, COOKIE) == 0;
}

static void
check_icmp_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	check_icmp_finish(argument, HEALTH_REASON_TIMEOUT, NULL);
}

static void
check_icmp_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct icmp_asker *asker = argument;
	uint8_t bytes[PACKET_MOST];
	const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	if (got >= 0 && check_icmp_is_our_reply(asker, bytes, (size_t)got))
		check_icmp_finish(asker, HEALTH_REASON_NONE, NULL);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		check_icmp_finish(asker, check_reason_of(errno), NULL);
}

/* The unprivileged kind of socket first, then the privileged one. */
static void
check_icmp_open_socket(struct icmp_asker *asker)
{
	const struct addr *addr = &asker->target->addr;
	const int protocol = addr->family == ADDR_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct icmp6_filter filter;

	if (asker->fd != -1)
		return;
	asker->fd = socket_connect(addr, 0, SOCK_DGRAM, protocol);
	if (asker->fd == -1)
		asker->fd = socket_connect(addr, 0, SOCK_RAW, protocol);
	if (asker->fd == -1 || addr->family == ADDR_IPV4)
		return;
	/* Spares us neighbor discovery's chatter; what comes in is looked at anyway. */
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ECHO_REPLY6, &filter);
	(void)setsockopt(asker->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

/* Unrelated messages: a raw socket receives all of the server's ICMP. Old errors too. */
static void
check_icmp_discard_old(const struct icmp_asker *asker)
{
	uint8_t byte;

	while (recv(asker->fd, &byte, sizeof(byte), 0) >= 0)
		continue;
	(void)socket_error(asker->fd);
}

static size_t
check_icmp_write_request(struct icmp_asker *asker, uint8_t packet[HEADER + COOKIE])
{
	const bool v6 = asker->target->addr.family == ADDR_IPV6;

	evutil_secure_rng_get_bytes(asker->cookie, sizeof(asker->cookie));
	memset(packet, 0, HEADER);
	packet[0] = v6 ? ECHO_REQUEST6 : ECHO_REQUEST;
	/* Number and sequence: any. An unprivileged socket has its own number there. */
	memcpy(packet + 4, asker->cookie, 4);
	memcpy(packet + HEADER, asker->cookie, COOKIE);
	/* The kernel does it for IPv6 (RFC 3542 section 3.1). */
	if (!v6)
		store16(packet + 2, checksum_finish(checksum_add(0, packet, HEADER + COOKIE)));
	return HEADER + COOKIE;
}

static void
check_icmp_start(void *argument)
{
	struct icmp_asker *asker = argument;
	struct event_base *base = asker->target->base;
	uint8_t packet[HEADER + COOKIE];

	check_icmp_open_socket(asker);
	if (asker->fd == -1) {
		check_icmp_finish(asker, check_reason_of(errno), errno == EPERM || errno == EACCES ?
		    "this process may not ping: start dsrd as root, or allow it with net.ipv4.ping_group_range" :
		    check_trouble_of(errno));
		return;
	}
	check_icmp_discard_old(asker);
	if (send(asker->fd, packet, check_icmp_write_request(asker, packet), 0) == -1) {
		check_icmp_finish(asker, check_reason_of(errno), check_trouble_of(errno));
		return;
	}
	asker->event = event_new(base, asker->fd, EV_READ | EV_PERSIST, check_icmp_on_readable, asker);
	asker->deadline = event_new(base, -1, 0, check_icmp_on_deadline, asker);
	if (asker->event == NULL || event_add(asker->event, NULL) == -1 || asker->deadline == NULL ||
	    event_add(asker->deadline, &asker->target->timeout) == -1)
		check_icmp_finish(asker, HEALTH_REASON_LOCAL, "out of memory");
}

static void *
check_icmp_create(const struct check_target *target)
{
	struct icmp_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = target;
	asker->fd = -1;
	check_icmp_open_socket(asker);
	return asker;
}

static void
check_icmp_destroy(void *argument)
{
	struct icmp_asker *asker = argument;

	check_icmp_stop(asker);
	if (asker->fd != -1)
		(void)close(asker->fd);
	free(asker);
}

const struct check_type check_icmp = {
	.create = check_icmp_create,
	.destroy = check_icmp_destroy,
	.begin = check_icmp_start,
};
