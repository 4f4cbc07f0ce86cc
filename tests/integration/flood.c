/* SPDX-License-Identifier: ISC */
/*
 * A flood of forged packets, each from another address and port that no host has: RFC 2544's 198.18.0.0/15, in a
 * scattered order, so that no answer leaves a test network. It sends COUNT packets and at most PER-SECOND. Linux:
 * packet sockets and sendmmsg(2). KINDS is a list of letters, for the first packet, the second and so on, and then
 * from the start again: s a SYN, a an ACK, u a datagram.
 *
 *	flood INTERFACE DESTINATION-MAC VIP PORT COUNT PER-SECOND KINDS
 */
#include "config.h"

#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/text.h"

#define FRAME_BYTES 60 /* the least of Ethernet, without the check sequence */
#define IP_BYTES 20
#define TCP_BYTES 20
#define UDP_BYTES 8
#define UDP_PAYLOAD 18 /* what pads the frame, as data */
#define TCP 6  /* Protocol Numbers, IANA */
#define UDP 17
#define FLAG_SYN 0x02
#define FLAG_ACK 0x10
#define SCATTER UINT32_C(0x9e3779b1) /* odd: a bijection of the sources */
#define BATCH 64
#define FIRST_SOURCE UINT32_C(0xc6120000) /* 198.18.0.0 */
#define SOURCES UINT32_C(0x20000)
#define FIRST_PORT 1024
#define RUN_PORTS 256 /* for COUNT_MOST packets from SOURCES */
#define RUNS 250
#define COUNT_MOST UINT64_C(30000000) /* each source has ports enough for so many */
#define RATE_MOST UINT64_C(1000000)
#define NANOSECONDS UINT64_C(1000000000)

struct flood {
	const char *kinds;
	size_t kind_count;
	unsigned iface;
	struct mac to;
	struct addr vip;
	uint64_t port;
	uint64_t count;
	uint64_t rate;
	uint64_t first_port; /* another one in each run: a datagram that is sent again would prove its flow */
	int fd;
};

/* RFC 1071; `length` is even. */
static uint32_t
sum(uint32_t so_far, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		so_far += load16(bytes + i);
	return so_far;
}

static uint16_t
fold(uint32_t all)
{
	while (all > UINT16_MAX)
		all = (all & UINT16_MAX) + (all >> 16);
	return (uint16_t)~all;
}

static void
make_segment(const struct flood *flood, uint64_t number, uint8_t flags, uint8_t *ip)
{
	uint8_t *tcp = ip + IP_BYTES;

	store16(tcp, (uint16_t)(flood->first_port + number / SOURCES));
	store16(tcp + 2, (uint16_t)flood->port);
	store32(tcp + 4, (uint32_t)number * SCATTER);
	store32(tcp + 8, flags == FLAG_ACK ? (uint32_t)number * SCATTER + 1 : 0);
	tcp[12] = TCP_BYTES / 4 << 4;
	tcp[13] = flags;
	store16(tcp + 14, UINT16_MAX);
	store16(tcp + 16, fold(sum(sum(TCP + TCP_BYTES, ip + 12, 8), tcp, TCP_BYTES)));
}

/* Its checksum is left out, as RFC 768 allows. */
static void
make_datagram(const struct flood *flood, uint64_t number, uint8_t *ip)
{
	uint8_t *udp = ip + IP_BYTES;

	store16(udp, (uint16_t)(flood->first_port + number / SOURCES));
	store16(udp + 2, (uint16_t)flood->port);
	store16(udp + 4, UDP_BYTES + UDP_PAYLOAD);
}

static void
make_frame(const struct flood *flood, uint64_t number, uint8_t frame[FRAME_BYTES])
{
	static const uint8_t from[ETH_ALEN] = { 0x02, 0x00, 0x00, 0x00, 0x00, 0x99 };
	const char kind = flood->kinds[number % flood->kind_count];
	uint8_t *ip = frame + ETH_HLEN;

	memset(frame, 0, FRAME_BYTES);
	memcpy(frame, flood->to.bytes, ETH_ALEN);
	memcpy(frame + ETH_ALEN, from, ETH_ALEN);
	store16(frame + 2 * ETH_ALEN, ETH_P_IP);
	ip[0] = 0x45;
	store16(ip + 2, IP_BYTES + (kind == 'u' ? UDP_BYTES + UDP_PAYLOAD : TCP_BYTES));
	ip[8] = 64;
	ip[9] = kind == 'u' ? UDP : TCP;
	store32(ip + 12, FIRST_SOURCE + (uint32_t)number * SCATTER % SOURCES);
	memcpy(ip + 16, flood->vip.bytes, 4);
	store16(ip + 10, fold(sum(0, ip, IP_BYTES)));
	if (kind == 'u')
		make_datagram(flood, number, ip);
	else
		make_segment(flood, number, kind == 'a' ? FLAG_ACK : FLAG_SYN, ip);
}

static int
read_arguments(struct flood *flood, char *argv[])
{
	flood->first_port = FIRST_PORT + (uint64_t)(getpid() % RUNS) * RUN_PORTS;
	flood->iface = if_nametoindex(argv[1]);
	flood->kinds = argv[7];
	flood->kind_count = strlen(flood->kinds);
	if (flood->iface == 0) {
		perror(argv[1]);
		return -1;
	}
	if (mac_parse(argv[2], &flood->to) == -1 || addr_parse(argv[3], &flood->vip) == -1 ||
	    flood->vip.family != ADDR_IPV4 || text_number(argv[4], 1, UINT16_MAX, &flood->port) == -1 ||
	    text_number(argv[5], 1, COUNT_MOST, &flood->count) == -1 ||
	    text_number(argv[6], BATCH, RATE_MOST, &flood->rate) == -1 || flood->kind_count == 0 ||
	    strspn(flood->kinds, "sau") != flood->kind_count) {
		fprintf(stderr, "flood: INTERFACE takes a MAC address, an IPv4 address, a port, the number of packets "
		    "and of packets "
		    "per second, and letters of s, a and u\n");
		return -1;
	}
	return 0;
}

static int
open_socket(const struct flood *flood)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)flood->iface };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) == -1) {
		perror("flood: packet socket");
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NANOSECONDS + (uint64_t)ts.tv_nsec;
}

/* What was sent by now must not be more than the rate allows. */
static void
wait_for_turn(const struct flood *flood, uint64_t began, uint64_t sent)
{
	const uint64_t due = began + sent * NANOSECONDS / flood->rate, at = now();
	const struct timespec pause = { (time_t)((due - at) / NANOSECONDS), (long)((due - at) % NANOSECONDS) };

	if (at < due)
		nanosleep(&pause, NULL);
}

static int
send_all(const struct flood *flood)
{
	static uint8_t frames[BATCH][FRAME_BYTES];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	const uint64_t began = now();
	uint64_t sent = 0;

	memset(messages, 0, sizeof(messages));
	while (sent < flood->count) {
		const uint64_t left = flood->count - sent;
		const unsigned batch = left < BATCH ? (unsigned)left : BATCH;
		int taken;

		for (unsigned i = 0; i < batch; i++) {
			make_frame(flood, sent + i, frames[i]);
			parts[i] = (struct iovec) { frames[i], FRAME_BYTES };
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		wait_for_turn(flood, began, sent);
		taken = sendmmsg(flood->fd, messages, batch, 0);
		if (taken == -1) {
			perror("flood: sendmmsg");
			return -1;
		}
		sent += (uint64_t)taken;
	}
	printf("%llu packets in %.3f s\n", (unsigned long long)sent, (double)(now() - began) / (double)NANOSECONDS);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct flood flood;
	int status;

	if (argc != 8) {
		fprintf(stderr, "usage: flood INTERFACE DESTINATION-MAC VIP PORT COUNT PER-SECOND KINDS\n");
		return 64; /* EX_USAGE, sysexits(3) */
	}
	if (read_arguments(&flood, argv) == -1)
		return 64;
	flood.fd = open_socket(&flood);
	if (flood.fd == -1)
		return 1;
	status = send_all(&flood) == 0 ? 0 : 1;
	close(flood.fd);
	return status;
}
