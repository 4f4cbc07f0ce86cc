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

struct icmp_runner {
	const struct check_target *target;
	int fd; /* -1: could not be opened, tried again each time */
	struct event *event; /* NULL when nothing is under way */
	struct event *deadline;
	uint8_t cookie[COOKIE];
};

static void
check_icmp_stop(struct icmp_runner *runner)
{
	if (runner->event != NULL)
		event_free(runner->event);
	runner->event = NULL;
	if (runner->deadline != NULL)
		event_free(runner->deadline);
	runner->deadline = NULL;
}

static void
check_icmp_finish(struct icmp_runner *runner, enum health_reason reason, const char *detail)
{
	check_icmp_stop(runner);
	check_report_result(runner->target, reason, detail);
}

/* A raw IPv4 socket, and macOS's other one, give the IP header too. No echo has a type that looks like one. */
static bool
check_icmp_is_our_reply(const struct icmp_runner *runner, const uint8_t *bytes, size_t length)
{
	const bool v6 = runner->target->addr.family == ADDR_IPV6;
	size_t header = 0;

	if (!v6 && length > 0 && bytes[0] >> 4 == 4)
		header = (size_t)(bytes[0] & 0xf) * 4;
	if (length < header + HEADER + COOKIE || bytes[header] != (v6 ? ECHO_REPLY6 : ECHO_REPLY))
		return false;
	return memcmp(bytes + header + HEADER, runner->cookie, COOKIE) == 0;
}

static void
check_icmp_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	check_icmp_finish(argument, HEALTH_REASON_TIMEOUT, NULL);
}

static void
check_icmp_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct icmp_runner *runner = argument;
	uint8_t bytes[PACKET_MOST];
	const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	if (got >= 0 && check_icmp_is_our_reply(runner, bytes, (size_t)got))
		check_icmp_finish(runner, HEALTH_REASON_NONE, NULL);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		check_icmp_finish(runner, check_reason_of(errno), NULL);
}

/* The unprivileged kind of socket first, then the privileged one. */
static void
check_icmp_open_socket(struct icmp_runner *runner)
{
	const struct addr *addr = &runner->target->addr;
	const int protocol = addr->family == ADDR_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct icmp6_filter filter;

	if (runner->fd != -1)
		return;
	runner->fd = socket_connect(addr, 0, SOCK_DGRAM, protocol);
	if (runner->fd == -1)
		runner->fd = socket_connect(addr, 0, SOCK_RAW, protocol);
	if (runner->fd == -1 || addr->family == ADDR_IPV4)
		return;
	/* Spares us neighbor discovery's chatter; what comes in is looked at anyway. */
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ECHO_REPLY6, &filter);
	(void)setsockopt(runner->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

/* Unrelated messages: a raw socket receives all of the server's ICMP. Old errors too. */
static void
check_icmp_discard_old(const struct icmp_runner *runner)
{
	uint8_t byte;

	while (recv(runner->fd, &byte, sizeof(byte), 0) >= 0)
		continue;
	(void)socket_error(runner->fd);
}

static size_t
check_icmp_write_request(struct icmp_runner *runner, uint8_t packet[HEADER + COOKIE])
{
	const bool v6 = runner->target->addr.family == ADDR_IPV6;

	evutil_secure_rng_get_bytes(runner->cookie, sizeof(runner->cookie));
	memset(packet, 0, HEADER);
	packet[0] = v6 ? ECHO_REQUEST6 : ECHO_REQUEST;
	/* Number and sequence: any. An unprivileged socket has its own number there. */
	memcpy(packet + 4, runner->cookie, 4);
	memcpy(packet + HEADER, runner->cookie, COOKIE);
	/* The kernel does it for IPv6 (RFC 3542 section 3.1). */
	if (!v6)
		store16(packet + 2, checksum_finish(checksum_add(0, packet, HEADER + COOKIE)));
	return HEADER + COOKIE;
}

static void
check_icmp_start(void *argument)
{
	struct icmp_runner *runner = argument;
	struct event_base *base = runner->target->base;
	uint8_t packet[HEADER + COOKIE];

	check_icmp_open_socket(runner);
	if (runner->fd == -1) {
		check_icmp_finish(runner, check_reason_of(errno), errno == EPERM || errno == EACCES ?
		    "this process may not ping: start dsrd as root, or allow it with net.ipv4.ping_group_range" :
		    check_error_text(errno));
		return;
	}
	check_icmp_discard_old(runner);
	if (send(runner->fd, packet, check_icmp_write_request(runner, packet), 0) == -1) {
		check_icmp_finish(runner, check_reason_of(errno), check_error_text(errno));
		return;
	}
	runner->event = event_new(base, runner->fd, EV_READ | EV_PERSIST, check_icmp_on_readable, runner);
	runner->deadline = event_new(base, -1, 0, check_icmp_on_deadline, runner);
	if (runner->event == NULL || event_add(runner->event, NULL) == -1 || runner->deadline == NULL ||
	    event_add(runner->deadline, &runner->target->timeout) == -1)
		check_icmp_finish(runner, HEALTH_REASON_LOCAL, "out of memory");
}

static void *
check_icmp_create(const struct check_target *target)
{
	struct icmp_runner *runner = calloc(1, sizeof(*runner));

	if (runner == NULL)
		return NULL;
	runner->target = target;
	runner->fd = -1;
	check_icmp_open_socket(runner);
	return runner;
}

static void
check_icmp_destroy(void *argument)
{
	struct icmp_runner *runner = argument;

	check_icmp_stop(runner);
	if (runner->fd != -1)
		(void)close(runner->fd);
	free(runner);
}

const struct check_type check_icmp = {
	.create = check_icmp_create,
	.destroy = check_icmp_destroy,
	.begin = check_icmp_start,
};
