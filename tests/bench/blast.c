/* SPDX-License-Identifier: ISC */
/*
 * A generator for benchmarks: UDP frames of a number of flows, as fast as one processor can or at a bounded rate, for a
 * bounded time or number, and how many of them the system took. Linux: packet sockets and sendmmsg(2).
 *
 * blast [-f FLOWS] [-o FLOW] [-b BLOCK] [-l LENGTH|imix] [-r RATE] [-t SECONDS] [-n FRAMES]
 *     INTERFACE FROM-MAC TO-MAC VIP PORT
 *
 * Flows come from 198.18.0.0/15, which RFC 2544 sets aside for benchmarks: flow n has source port 10000 + n % 50000 and
 * address 198.18.0.0 + n / 50000. One frame of each in turn, beginning with flow -o, so with more flows than frames
 * every frame is a new flow. With -b, each block of that many flows has two turns before the next block: a flow proves
 * itself by its second frame. After each burst it yields the processor to any waiting process, so without -r, on one
 * processor and with the same real-time priority, a forwarder is given as much as it takes, and no more: neither has
 * to wait for a timer. With a rate it lets others have the processor only while nothing is due. The length is without
 * Ethernet's check sequence. imix is the usual mix: of twelve frames seven have 60 bytes, four 590 and one 1514.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
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

#define SHORTEST 60 /* the least of Ethernet */
#define LONGEST 1514
#define IP_BYTES 20
#define BATCH 60 /* five times the mix */
/*
 * Linux stops real-time programs that use more than 95 % of a second for the rest of it (sched_rt_runtime_us in
 * Documentation/scheduler/sched-rt-group.rst), and what was due meanwhile would come as one burst. So there are pauses,
 * which do not count as time.
 */
#define STRETCH 0.1
#define PAUSE_NS 8000000
#define PACED_BATCH 12 /* at a bounded rate bursts are short, as from many senders */
#define FIRST_PORT 10000
#define PORTS 50000
#define FIRST_ADDRESS 0xc6120000U /* 198.18.0.0 */
#define FLOWS_MOST (131072ULL * PORTS)
#define RATE_MOST 100000000
#define SECONDS_MOST 60
#define PORT_MOST 65535
#define EX_USAGE 64 /* sysexits(3) */

struct blast {
	unsigned iface;
	struct mac source_mac;
	struct mac destination_mac;
	struct addr vip;
	uint64_t port;
	uint64_t flows;
	uint64_t first_flow;
	uint64_t block;  /* 0: no blocks */
	uint64_t length; /* 0: the mix */
	uint64_t rate;   /* 0: as fast as can be */
	uint64_t seconds;
	uint64_t count;
	uint64_t sent;
	uint64_t refused; /* for lack of room, which the frames under way still take: not sent again */
	int fd;
	uint32_t ip_sum;  /* of what all frames have in common, the length apart */
	uint32_t udp_sum;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	uint8_t frames[BATCH][LONGEST + 2];
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

static size_t
length_of(const struct blast *blast, size_t slot)
{
	static const size_t mix[] = { 60, 590, 60, 590, 60, 1514, 60, 590, 60, 590, 60, 60 };

	return blast->length != 0 ? (size_t)blast->length : mix[slot % ARRAY_LEN(mix)];
}

static void
make_frame(struct blast *blast, size_t slot)
{
	uint8_t *frame = blast->frames[slot], *ip = frame + ETH_HLEN, *udp = ip + IP_BYTES;
	const size_t length = length_of(blast, slot);

	memcpy(frame, blast->destination_mac.bytes, ETH_ALEN);
	memcpy(frame + ETH_ALEN, blast->source_mac.bytes, ETH_ALEN);
	store16(frame + 2 * ETH_ALEN, ETH_P_IP);
	ip[0] = 0x45;
	ip[8] = 64;
	ip[9] = 17; /* UDP, Protocol Numbers, IANA */
	memcpy(ip + 16, blast->vip.bytes, 4);
	store16(udp + 2, (uint16_t)blast->port);
	/* These are equal in all frames; the payload is zeroes. */
	blast->ip_sum = sum(0, ip, IP_BYTES);
	blast->udp_sum = sum(17, ip + 16, 4) + (uint32_t)blast->port;
	store16(ip + 2, (uint16_t)(length - ETH_HLEN));
	store16(udp + 4, (uint16_t)(length - ETH_HLEN - IP_BYTES));
	blast->parts[slot].iov_base = frame;
	blast->parts[slot].iov_len = length;
	blast->messages[slot].msg_hdr.msg_iov = &blast->parts[slot];
	blast->messages[slot].msg_hdr.msg_iovlen = 1;
}

/* Checksums are finished, so that no forwarder has more to do than another. */
static void
set_flow(struct blast *blast, size_t slot, uint64_t flow)
{
	uint8_t *ip = blast->frames[slot] + ETH_HLEN, *udp = ip + IP_BYTES;
	const uint32_t address = FIRST_ADDRESS + (uint32_t)(flow / PORTS);
	const uint32_t port = FIRST_PORT + (uint32_t)(flow % PORTS);
	const uint32_t from = (address >> 16) + (address & UINT16_MAX);
	const uint32_t udp_length = load16(udp + 4);
	uint16_t udp_check = fold(blast->udp_sum + from + port + 2 * udp_length);

	store16(ip + 10, fold(blast->ip_sum + from + udp_length + IP_BYTES));
	store16(ip + 12, (uint16_t)(address >> 16));
	store16(ip + 14, (uint16_t)address);
	store16(udp, (uint16_t)port);
	store16(udp + 6, udp_check != 0 ? udp_check : UINT16_MAX); /* RFC 768: zero would mean none */
}

static int
read_options(struct blast *blast, int argc, char *argv[])
{
	int option, wrong = 0;

	while ((option = getopt(argc, argv, "f:o:b:l:r:t:n:")) != -1)
		switch (option) {
		case 'f':
			wrong |= text_number(optarg, 1, FLOWS_MOST, &blast->flows);
			break;
		case 'o':
			wrong |= text_number(optarg, 0, FLOWS_MOST, &blast->first_flow);
			break;
		case 'b':
			wrong |= text_number(optarg, 1, FLOWS_MOST, &blast->block);
			break;
		case 'l':
			if (strcmp(optarg, "imix") == 0)
				blast->length = 0;
			else
				wrong |= text_number(optarg, SHORTEST, LONGEST, &blast->length);
			break;
		case 'r':
			wrong |= text_number(optarg, 1, RATE_MOST, &blast->rate);
			break;
		case 't':
			wrong |= text_number(optarg, 1, SECONDS_MOST, &blast->seconds);
			break;
		case 'n':
			wrong |= text_number(optarg, 1, UINT64_MAX, &blast->count);
			break;
		default:
			wrong = -1;
		}
	return wrong;
}

static int
read_arguments(struct blast *blast, int argc, char *argv[])
{
	char **words = argv + optind;

	if (argc - optind != 5 || mac_parse(words[1], &blast->source_mac) == -1 ||
	    mac_parse(words[2], &blast->destination_mac) == -1 || addr_parse(words[3], &blast->vip) == -1 ||
	    blast->vip.family != ADDR_IPV4 || text_number(words[4], 1, PORT_MOST, &blast->port) == -1)
		return -1;
	blast->iface = if_nametoindex(words[0]);
	if (blast->iface == 0) {
		perror(words[0]);
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

/* How many are to go in the next call: a whole burst, or none as long as the clock does not allow a short one. */
static size_t
due(const struct blast *blast, double began)
{
	const uint64_t tried = blast->sent + blast->refused, left = blast->count - tried;
	const size_t burst = blast->rate == 0 ? BATCH : PACED_BATCH;
	const size_t next = left < burst ? (size_t)left : burst;

	if (blast->rate != 0 && (now() - began) * (double)blast->rate < (double)(tried + next))
		return 0;
	return next;
}

/* Pauses when it is time for it, and returns when the sending began, had there been no pauses. */
static double
breathe(double began, double *paused)
{
	const struct timespec pause = { 0, PAUSE_NS };
	const double before = now();

	if (before < *paused + STRETCH)
		return began;
	(void)nanosleep(&pause, NULL);
	*paused = now();
	return began + (*paused - before);
}

/* The flow of a frame, counted from 0. */
static uint64_t
flow_of(const struct blast *blast, uint64_t frame)
{
	if (blast->block != 0)
		frame = frame / (2 * blast->block) * blast->block + frame % blast->block;
	return (blast->first_flow + frame) % blast->flows;
}

/* 0, or -1 when the interface is gone or the like. */
static int
send_all(struct blast *blast)
{
	double began = now(), paused = began;
	uint64_t frame = 0;
	size_t slot = 0;

	while (blast->sent + blast->refused < blast->count && now() < began + (double)blast->seconds) {
		size_t count;
		int taken;

		began = breathe(began, &paused);
		count = due(blast, began);
		/* The lengths follow one another as in the mix, also when batches are cut. */
		if (count > BATCH - slot)
			count = BATCH - slot;
		if (count == 0 || blast->rate == 0)
			sched_yield();
		if (count == 0)
			continue;
		for (size_t i = 0; i < count; i++)
			set_flow(blast, slot + i, flow_of(blast, frame++));
		taken = sendmmsg(blast->fd, blast->messages + slot, (unsigned)count, MSG_DONTWAIT);
		if (taken == -1 && errno != ENOBUFS && errno != EAGAIN) {
			perror("blast: sendmmsg");
			return -1;
		}
		blast->sent += taken > 0 ? (uint64_t)taken : 0;
		blast->refused += count - (taken > 0 ? (uint64_t)taken : 0);
		slot = (slot + count) % BATCH;
	}
	printf("sent=%llu refused=%llu rate=%.0f\n", (unsigned long long)blast->sent,
	    (unsigned long long)blast->refused,
	    (double)blast->sent / (now() - began));
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct blast blast = { .flows = 10000, .length = SHORTEST, .seconds = 1, .count = UINT64_MAX };
	int status;

	if (read_options(&blast, argc, argv) != 0 || read_arguments(&blast, argc, argv) == -1) {
		fprintf(stderr, "usage: blast [-f FLOWS] [-o FLOW] [-b BLOCK] [-l LENGTH|imix] [-r RATE] [-t SECONDS] "
		    "[-n FRAMES] INTERFACE FROM-MAC TO-MAC VIP PORT\n");
		return EX_USAGE;
	}
	blast.fd = open_socket(&blast);
	if (blast.fd == -1)
		return EXIT_FAILURE;
	for (size_t slot = 0; slot < BATCH; slot++)
		make_frame(&blast, slot);
	status = send_all(&blast) == 0 && blast.sent > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	close(blast.fd);
	return status;
}
