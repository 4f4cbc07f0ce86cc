/* SPDX-License-Identifier: ISC */
/*
 * What an AF_XDP socket can reach with nothing behind it, as bare.c shows for the batched packet socket: takes the
 * frames for a VIP, writes other Ethernet addresses, sends them in bursts. One queue, in copy mode, which every driver
 * has. bench.bpf.c has the program that selects the frames.
 *
 *	xsk OBJECT INTERFACE OWN-MAC SERVER-MAC SERVER-MAC [generic]
 */
#include "config.h"

#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/xsk.h>

#include "base/addr.h"

#define ARGUMENTS 6
#define EX_USAGE 64 /* sysexits(3) */
#define FRAMES 4096
#define FRAME_BYTES XSK_UMEM__DEFAULT_FRAME_SIZE
#define BURST 64
#define PORT 34 /* of the client: after Ethernet and IPv4 without options */

struct xsk {
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons completed;
	struct xsk_ring_cons received;
	struct xsk_ring_prod sending;
	uint8_t *frames;
	uint32_t under_way; /* in `sending`, and not completed */
	struct mac own;
	struct mac servers[2];
};

/* Of a program in the object, attached to the interface; the map of sockets, or -1. */
static int
attach(const char *object_path, int ifindex, bool generic)
{
	struct bpf_object *object = bpf_object__open_file(object_path, NULL);
	struct bpf_program *program;

	if (object == NULL)
		return -1;
	bpf_object__for_each_program(program, object)
		(void)bpf_program__set_autoload(program, strcmp(bpf_program__name(program), "bench_xsk") == 0);
	program = bpf_object__find_program_by_name(object, "bench_xsk");
	if (program == NULL || bpf_object__load(object) != 0 ||
	    bpf_xdp_attach(ifindex, bpf_program__fd(program), generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE, NULL) != 0)
		return -1;
	return bpf_object__find_map_fd_by_name(object, "sockets");
}

static void
give_back(struct xsk *xsk, const uint64_t addresses[], uint32_t count)
{
	uint32_t at;

	/* There is always room: the ring holds all frames. */
	if (count == 0 || xsk_ring_prod__reserve(&xsk->fill, count, &at) != count)
		return;
	for (uint32_t i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&xsk->fill, at + i) = addresses[i];
	xsk_ring_prod__submit(&xsk->fill, count);
}

static int
open_socket(struct xsk *xsk, const char *interface, int map)
{
	const struct xsk_umem_config memory = { .fill_size = FRAMES, .comp_size = FRAMES, .frame_size = FRAME_BYTES };
	const struct xsk_socket_config config = { .rx_size = FRAMES, .tx_size = FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD, .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
	const size_t bytes = (size_t)FRAMES * FRAME_BYTES;

	xsk->frames = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (xsk->frames == MAP_FAILED ||
	    xsk_umem__create(&xsk->umem, xsk->frames, bytes, &xsk->fill, &xsk->completed, &memory) != 0 ||
	    xsk_socket__create(&xsk->socket, interface, 0, xsk->umem, &xsk->received, &xsk->sending, &config) != 0)
		return -1;
	for (uint64_t frame = 0; frame < FRAMES; frame++) {
		const uint64_t address = frame * FRAME_BYTES;

		give_back(xsk, &address, 1);
	}
	return xsk_socket__update_xskmap(xsk->socket, map);
}

/* Frames that have left can receive again. */
static void
collect(struct xsk *xsk)
{
	uint64_t addresses[BURST];
	uint32_t at, count = xsk_ring_cons__peek(&xsk->completed, BURST, &at);

	for (uint32_t i = 0; i < count; i++)
		addresses[i] = *xsk_ring_cons__comp_addr(&xsk->completed, at + i);
	if (count > 0)
		xsk_ring_cons__release(&xsk->completed, count);
	xsk->under_way -= count;
	give_back(xsk, addresses, count);
}

/* Up to a burst of them; how many. */
static uint32_t
forward(struct xsk *xsk)
{
	uint32_t from, to, count = xsk_ring_cons__peek(&xsk->received, BURST, &from);

	if (count == 0 || xsk_ring_prod__reserve(&xsk->sending, count, &to) != count)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct xdp_desc *frame = xsk_ring_cons__rx_desc(&xsk->received, from + i);
		uint8_t *bytes = xsk_umem__get_data(xsk->frames, frame->addr);

		memcpy(bytes, xsk->servers[bytes[PORT + 1] & 1].bytes, sizeof(xsk->own.bytes));
		memcpy(bytes + sizeof(xsk->own.bytes), xsk->own.bytes, sizeof(xsk->own.bytes));
		*xsk_ring_prod__tx_desc(&xsk->sending, to + i) = (struct xdp_desc){ .addr = frame->addr, .len = frame->len };
	}
	xsk_ring_prod__submit(&xsk->sending, count);
	xsk_ring_cons__release(&xsk->received, count);
	xsk->under_way += count;
	return count;
}

/* In copy mode the system call does the sending. */
static void
flush(struct xsk *xsk)
{
	while (xsk->under_way > 0) {
		if (sendto(xsk_socket__fd(xsk->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) == -1 && errno != EAGAIN &&
		    errno != EBUSY && errno != ENOBUFS)
			return;
		collect(xsk);
	}
}

int
main(int argc, char *argv[])
{
	struct xsk xsk = { .umem = NULL };
	struct pollfd wait = { .events = POLLIN };
	int ifindex, map;

	if (argc < ARGUMENTS || mac_parse(argv[3], &xsk.own) == -1 || mac_parse(argv[4], &xsk.servers[0]) == -1 ||
	    mac_parse(argv[5], &xsk.servers[1]) == -1) {
		(void)fprintf(stderr, "usage: xsk OBJECT INTERFACE OWN-MAC SERVER-MAC SERVER-MAC [generic]\n");
		return EX_USAGE;
	}
	ifindex = (int)if_nametoindex(argv[2]);
	map = attach(argv[1], ifindex, argc > ARGUMENTS);
	if (map == -1 || open_socket(&xsk, argv[2], map) != 0) {
		perror("xsk");
		return EXIT_FAILURE;
	}
	wait.fd = xsk_socket__fd(xsk.socket);
	for (;;) {
		while (forward(&xsk) > 0)
			flush(&xsk);
		(void)poll(&wait, 1, -1);
	}
}
