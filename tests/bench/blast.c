/* SPDX-License-Identifier: ISC */
/*
 * A generator for benchmarks: sends 60-byte UDP frames over a number of flows as fast as one core can, for a bounded
 * time, and says how many the system took. Linux: packet sockets and sendmmsg(2).
 *
 *	blast INTERFACE SOURCE-MAC DESTINATION-MAC SOURCE-IP DESTINATION-IP FLOWS SECONDS
 *
 * Flows differ in their source port, from 10000 on.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "base/text.h"

#define FRAME_BYTES 60 /* the least of Ethernet, without the check sequence */
#define IP_BYTES 20
#define UDP_BYTES (FRAME_BYTES - ETH_HLEN - IP_BYTES)
#define BATCH 64
#define FIRST_PORT 10000
#define FLOWS_MOST 50000
#define SECONDS_MOST 60

struct blast {
	unsigned iface;
	struct mac source_mac;
	struct mac destination_mac;
	struct addr source;
	struct addr destination;
	uint64_t flows;
	uint64_t seconds;
	uint8_t *frames; /* one a flow */
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

/* Checksums are finished, so that no forwarder has more to do than another. */
static void
make_frame(const struct blast *blast, uint64_t flow, uint8_t *frame)
{
	uint8_t *ip = frame + ETH_HLEN, *udp = ip + IP_BYTES;

	memcpy(frame, blast->destination_mac.bytes, ETH_ALEN);
	memcpy(frame + ETH_ALEN, blast->source_mac.bytes, ETH_ALEN);
	store16(frame + 2 * ETH_ALEN, ETH_P_IP);
	ip[0] = 0x45;
	store16(ip + 2, IP_BYTES + UDP_BYTES);
	ip[8] = 64;
	ip[9] = 17; /* UDP, Protocol Numbers, IANA */
	memcpy(ip + 12, blast->source.bytes, 4);
	memcpy(ip + 16, blast->destination.bytes, 4);
	store16(ip + 10, fold(sum(0, ip, IP_BYTES)));
	store16(udp, (uint16_t)(FIRST_PORT + flow));
	store16(udp + 2, 53);
	store16(udp + 4, UDP_BYTES);
	store16(udp + 6, fold(sum(sum(17 + UDP_BYTES, ip + 12, 8), udp, UDP_BYTES)));
}

static int
read_arguments(struct blast *blast, char *argv[])
{
	blast->iface = if_nametoindex(argv[1]);
	if (blast->iface == 0) {
		perror(argv[1]);
		return -1;
	}
	if (mac_parse(argv[2], &blast->source_mac) == -1 || mac_parse(argv[3], &blast->destination_mac) == -1 ||
	    addr_parse(argv[4], &blast->source) == -1 || blast->source.family != ADDR_IPV4 ||
	    addr_parse(argv[5], &blast->destination) == -1 || blast->destination.family != ADDR_IPV4 ||
	    text_number(argv[6], 1, FLOWS_MOST, &blast->flows) == -1 ||
	    text_number(argv[7], 1, SECONDS_MOST, &blast->seconds) == -1) {
		fprintf(stderr, "blast: two MACs, two IPv4 addresses, at most %d flows, at most %d seconds\n", FLOWS_MOST,
		    SECONDS_MOST);
		return -1;
	}
	return 0;
}

static int
open_socket(const struct blast *blast)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)blast->iface };
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) == -1) {
		perror("blast: packet socket");
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The number of frames the system took. What it refused for lack of room is not sent again. */
static uint64_t
send_all(const struct blast *blast)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	const double end = now() + (double)blast->seconds;
	uint64_t sent = 0, flow = 0;

	memset(messages, 0, sizeof(messages));
	while (now() < end) {
		int taken;

		for (size_t i = 0; i < BATCH; i++) {
			parts[i].iov_base = blast->frames + flow * FRAME_BYTES;
			parts[i].iov_len = FRAME_BYTES;
			messages[i].msg_hdr.msg_iov = &parts[i];
			messages[i].msg_hdr.msg_iovlen = 1;
			flow = (flow + 1) % blast->flows;
		}
		taken = sendmmsg(blast->fd, messages, BATCH, 0);
		if (taken > 0)
			sent += (uint64_t)taken;
		else if (errno != ENOBUFS && errno != EAGAIN)
			break;
	}
	return sent;
}

int
main(int argc, char *argv[])
{
	struct blast blast = { .fd = -1 };
	int status = 1;
	uint64_t sent;

	if (argc != 8) {
		fprintf(stderr,
		    "usage: blast INTERFACE SOURCE-MAC DESTINATION-MAC SOURCE-IP DESTINATION-IP FLOWS SECONDS\n");
		return 64; /* EX_USAGE, sysexits(3) */
	}
	if (read_arguments(&blast, argv) == -1)
		return 64;
	blast.frames = calloc(blast.flows, FRAME_BYTES);
	if (blast.frames == NULL) {
		fprintf(stderr, "blast: out of memory\n");
		return 1;
	}
	for (uint64_t flow = 0; flow < blast.flows; flow++)
		make_frame(&blast, flow, blast.frames + flow * FRAME_BYTES);
	blast.fd = open_socket(&blast);
	if (blast.fd == -1)
		goto out;
	sent = send_all(&blast);
	printf("sent=%llu seconds=%llu rate=%llu\n", (unsigned long long)sent, (unsigned long long)blast.seconds,
	    (unsigned long long)(sent / blast.seconds));
	status = sent > 0 ? 0 : 1;
	close(blast.fd);
out:
	free(blast.frames);
	return status;
}
