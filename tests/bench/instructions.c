/* SPDX-License-Identifier: ISC */
/*
 * The pure way of a frame, from the parser to the new addresses, for flows that are established in a table of a
 * million: what instructions.sh counts are the instructions of forward_frames(). By itself the program measures time.
 *
 *	instructions [FLOWS [SERVICES [SERVERS]]]
 *
 * Each service has a VIP of its own and so many servers; the flows are spread over them all.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/duration.h"
#include "base/errlist.h"
#include "base/text.h"
#include "conf/conf.h"
#include "forward/forward.h"
#include "proto/checksum.h"
#include "proto/packet.h"

#define FRAMES 200000
#define FRAME_BYTES 60 /* the least of Ethernet, without the check sequence */
#define NOW MINUTES(60)
#define FLOWS_MOST 20000000
#define VIPS 0xc6120000U /* 198.18.0.0 (RFC 2544) */

struct bench {
	struct conf conf;
	struct iface iface;
	struct model *model;
	struct fwdtab *table;
	struct forwarder forwarder;
	uint64_t flows;
	uint64_t services;
	uint64_t servers; /* of each */
	uint64_t left;
	uint8_t (*frames)[FRAME_BYTES];
};

static void
leave(void *context, const struct frame *frame)
{
	struct bench *bench = context;

	bench->left += frame->length;
}

static void
ignore(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *before UNUSED)
{
}

static _Noreturn void
give_up(const char *why)
{
	(void)fprintf(stderr, "instructions: %s\n", why);
	exit(EXIT_FAILURE);
}

static void
write_servers(const struct bench *bench, uint64_t service, FILE *file)
{
	for (uint64_t i = 0; i < bench->servers; i++) {
		const unsigned number = (unsigned)(service * bench->servers + i), high = number / 250,
		    low = number % 250 + 1;

		(void)fprintf(file, "server = web%u 192.168.%u.%u mac=02:00:00:01:%02x:%02x\n", number, high, low, high,
		    low);
	}
}

static void
read_settings(struct bench *bench)
{
	FILE *file = tmpfile();

	if (file == NULL)
		give_up("no room for the settings");
	(void)fprintf(file, "[dsrd]\ninterface = eth0\nconnections = %" PRIu64 "\n", 2 * bench->flows);
	for (uint64_t i = 0; i < bench->services; i++) {
		(void)fprintf(file, "[service web%" PRIu64 "]\nlisten = 198.18.%u.%u tcp/80,443\ncheck = "
		    "none\nvip-check = off\n", i,
		    (unsigned)i / 256, (unsigned)i % 256);
		write_servers(bench, i, file);
	}
	rewind(file);
	if (conf_read(file, "settings", &bench->conf, errlist_new()) != 0)
		give_up("the settings are not read");
	(void)fclose(file);
}

static void
open_bench(struct bench *bench)
{
	static const struct siphash_key key = { { 1, 2, 3 } };
	char error[256];

	read_settings(bench);
	(void)snprintf(bench->iface.name, sizeof(bench->iface.name), "eth0");
	bench->iface.mac = (struct mac) { { 2, 0, 0, 0, 0, 1 } };
	bench->iface.mtu = IFACE_MTU_DEFAULT;
	bench->iface.addresses[0] = (struct prefix) { { .family = ADDR_IPV4, .bytes = { 192, 168, 255, 254 } }, 16 };
	bench->iface.address_count = 1;
	bench->model = model_new();
	if (bench->model == NULL || model_apply(bench->model, &bench->conf.settings, NOW) == -1 ||
	    forwarder_init(&bench->forwarder, (uint32_t)(2 * bench->flows), &key, ignore, bench, error,
	    sizeof(error)) == -1)
		give_up("no memory");
	model_place(bench->model, &bench->iface, 1);
	bench->table = fwdtab_compile(bench->model, &bench->iface, 1, NOW);
	if (bench->table == NULL)
		give_up("no memory");
	bench->forwarder.table = bench->table;
	bench->forwarder.ifaces = &bench->iface;
	bench->forwarder.iface_count = 1;
	bench->forwarder.tx = (struct frame_tx) { leave, bench, NULL };
}

/* A segment of the flow with that number, padded as Ethernet wants it. */
static void
make_frame(const struct bench *bench, uint8_t bytes[FRAME_BYTES], uint32_t flow, uint8_t flags)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99, 8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64,
	    6, 0, 0,
		10, 0, 0, 0 };
	struct frame frame = frame_of(bytes, FRAME_BYTES, 0);
	struct packet packet;

	memset(bytes, 0, FRAME_BYTES);
	memcpy(bytes, head, sizeof(head));
	store32(bytes + 26, (UINT32_C(10) << 24) + flow / 16);
	store32(bytes + 30, VIPS + (uint32_t)(flow % bench->services));
	store16(bytes + 34, (uint16_t)(10000 + flow % 16));
	store16(bytes + 36, 80);
	store32(bytes + 38, 1000 + !(flags & TCP_SYN));
	store32(bytes + 42, flags & TCP_ACK ? 5000 : 0);
	bytes[46] = 5 << 4;
	bytes[47] = flags;
	store16(bytes + 48, 65535);
	if (packet_parse(&frame, &packet) != PACKET_OK)
		give_up("a frame that cannot be read");
	checksum_ipv4_header(&frame, &packet);
	checksum_transport(&frame, &packet);
}

static void
fill_table(struct bench *bench)
{
	static const uint8_t steps[] = { TCP_SYN, TCP_ACK };
	uint8_t bytes[FRAME_BYTES];

	for (uint32_t flow = 0; flow < bench->flows; flow++) {
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			struct frame frame = frame_of(bytes, FRAME_BYTES, 0);

			make_frame(bench, bytes, flow, steps[i]);
			if (forward_frame(&bench->forwarder, &frame, NOW).verdict != VERDICT_FORWARD)
				give_up("a frame was not forwarded");
		}
	}
	if (conn_table_count(bench->forwarder.conns) != bench->flows)
		give_up("not all flows are remembered");
}

/* Flows far from each other, in no order that a processor would guess. */
static void
make_frames(struct bench *bench)
{
	bench->frames = calloc(FRAMES, sizeof(*bench->frames));
	if (bench->frames == NULL)
		give_up("no memory");
	for (uint32_t i = 0; i < FRAMES; i++)
		make_frame(bench, bench->frames[i], (uint32_t)(i * UINT64_C(2654435761) % bench->flows), TCP_ACK);
}

/* The name is what callgrind looks for: "used" forbids compilers to make another function of it. */
static __attribute__((noinline, used)) void
forward_frames(struct bench *bench)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct frame frame = frame_of(bench->frames[i], FRAME_BYTES, 0);

		(void)forward_frame(&bench->forwarder, &frame, NOW + 1);
	}
}

static double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int
read_arguments(struct bench *bench, int argc, char *argv[])
{
	if (argc > 4 || (argc > 1 && text_number(argv[1], 1, FLOWS_MOST, &bench->flows) == -1) ||
	    (argc > 2 && text_number(argv[2], 1, 1000, &bench->services) == -1) ||
	    (argc > 3 && text_number(argv[3], 1, 1000, &bench->servers) == -1) ||
	    bench->services * bench->servers > 60000) {
		(void)fprintf(stderr, "usage: instructions [FLOWS [SERVICES [SERVERS]]]\n");
		return -1;
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct bench bench = { .flows = 1000000, .services = 1, .servers = 4 };
	uint64_t before;
	double began;

	if (read_arguments(&bench, argc, argv) == -1)
		return 64; /* EX_USAGE, sysexits(3) */
	open_bench(&bench);
	fill_table(&bench);
	make_frames(&bench);
	before = bench.forwarder.stats.forwarded;
	began = now();
	forward_frames(&bench);
	if (bench.forwarder.stats.forwarded - before != FRAMES)
		give_up("not all frames were forwarded");
	(void)printf("flows=%" PRIu64 " frames=%d nanoseconds=%.0f\n", bench.flows, FRAMES, (now() - began) / FRAMES);
	return 0;
}
