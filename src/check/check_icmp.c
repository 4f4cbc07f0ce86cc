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
#include <string.h>

#include <event2/util.h>

#include "base/bytes.h"
#include "check/runner.h"
#include "proto/checksum.h"

#define ECHO_REQUEST 8 /* RFC 792 */
#define ECHO_REPLY 0
#define ECHO_REQUEST6 128 /* RFC 4443 section 4 */
#define ECHO_REPLY6 129
#define HEADER 8
#define COOKIE 16 /* random bytes that prove an answer to be ours */
#define PACKET_MOST 256

struct icmp_runner {
	struct runner runner; /* without a socket, when it could not be opened: tried again each time */
	uint8_t cookie[COOKIE];
};

/* A raw IPv4 socket, and macOS's other one, give the IP header too. No echo has a type that looks like one. */
static bool
check_icmp_is_our_reply(const struct icmp_runner *runner, const uint8_t *bytes, size_t length)
{
	const bool v6 = runner->runner.target->addr.family == ADDR_IPV6;
	size_t header = 0;

	if (!v6 && length > 0 && bytes[0] >> 4 == 4)
		header = (size_t)(bytes[0] & 0xf) * 4;
	if (length < header + HEADER + COOKIE || bytes[header] != (v6 ? ECHO_REPLY6 : ECHO_REPLY))
		return false;
	return memcmp(bytes + header + HEADER, runner->cookie, COOKIE) == 0;
}

static void
check_icmp_on_readable(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct icmp_runner *runner = argument;
	uint8_t bytes[PACKET_MOST];
	const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	if (got >= 0 && check_icmp_is_our_reply(runner, bytes, (size_t)got))
		runner_finish(runner, HEALTH_REASON_NONE, NULL);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		runner_fail(runner, errno);
}

/* The unprivileged kind of socket first, then the privileged one. */
static void
check_icmp_open_socket(void *argument)
{
	struct icmp_runner *runner = argument;
	const struct addr *addr = &runner->runner.target->addr;
	const int protocol = addr->family == ADDR_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	struct icmp6_filter filter;

	if (runner->runner.fd != -1)
		return;
	runner->runner.fd = socket_connect(addr, 0, SOCK_DGRAM, protocol);
	if (runner->runner.fd == -1)
		runner->runner.fd = runner->runner.target->ping == NULL ? socket_connect(addr, 0, SOCK_RAW, protocol) :
		    runner->runner.target->ping(runner->runner.target->ping_context, addr);
	if (runner->runner.fd == -1 || addr->family == ADDR_IPV4)
		return;
	/* Spares us neighbor discovery's chatter; what comes in is looked at anyway. */
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ECHO_REPLY6, &filter);
	(void)setsockopt(runner->runner.fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

/* Unrelated messages: a raw socket receives all of the server's ICMP. Old errors too. */
static void
check_icmp_discard_old(const struct icmp_runner *runner)
{
	uint8_t byte;

	while (recv(runner->runner.fd, &byte, sizeof(byte), 0) >= 0)
		continue;
	(void)socket_error(runner->runner.fd);
}

static size_t
check_icmp_write_request(struct icmp_runner *runner, uint8_t packet[HEADER + COOKIE])
{
	const bool v6 = runner->runner.target->addr.family == ADDR_IPV6;

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
	uint8_t packet[HEADER + COOKIE];

	check_icmp_open_socket(runner);
	if (runner->runner.fd == -1) {
		runner_finish(runner, check_reason_of(errno), errno == EPERM || errno == EACCES ?
		    "this process may not ping: start dsrd as root, or allow it with net.ipv4.ping_group_range" :
		    check_error_text(errno));
		return;
	}
	check_icmp_discard_old(runner);
	if (send(runner->runner.fd, packet, check_icmp_write_request(runner, packet), 0) == -1) {
		runner_fail(runner, errno);
		return;
	}
	runner_await(runner, EV_READ, check_icmp_on_readable);
}

const struct check_type check_icmp = {
	.size = sizeof(struct icmp_runner),
	.keeps_socket = true,
	.init = check_icmp_open_socket,
	.begin = check_icmp_start,
};
