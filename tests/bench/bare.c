/* SPDX-License-Identifier: ISC */
/*
 * What user space can reach with dsrd's packet engines and nothing behind them: takes the frames for a VIP, writes
 * other Ethernet addresses, sends them in bursts. No table, no checks, no look at whether a frame is well formed.
 *
 *	bare INTERFACE VIP OWN-MAC SERVER-MAC SERVER-MAC
 */
#include "config.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "io/io.h"
#include "os/os.h"

#define ARGUMENTS 6
#define BUDGET 256 /* as the daemon's loop */
#define PORT 34    /* of the client: after Ethernet and IPv4 without options */
#define EX_USAGE 64 /* sysexits(3) */

struct bare {
	struct receiver *receiver;
	struct sender *sender;
	struct mac own;
	struct mac servers[2];
};

static void
forward(void *context, struct frame *frame, uint64_t when UNUSED)
{
	struct bare *bare = context;

	if (frame->length <= PORT + 1)
		return;
	memcpy(frame->bytes, bare->servers[frame->bytes[PORT + 1] & 1].bytes, sizeof(bare->own.bytes));
	memcpy(frame->bytes + sizeof(bare->own.bytes), bare->own.bytes, sizeof(bare->own.bytes));
	bare->sender->ops->send(bare->sender, frame);
}

/* 0, or -1 with a reason. */
static int
open_engines(struct bare *bare, char *arguments[], char error[IO_ERROR])
{
	char filter[128];

	bare->receiver = io_pcap_open(arguments[1], 0, error);
	if (bare->receiver == NULL)
		return -1;
	os_ignore_outgoing(bare->receiver->ops->descriptor(bare->receiver));
	(void)snprintf(filter, sizeof(filter), "ether dst %s and dst host %s", arguments[3], arguments[2]);
	if (bare->receiver->ops->filter(bare->receiver, filter, error) == -1)
		return -1;
	bare->sender = io_libnet_open(arguments[1], false, error);
	if (bare->sender == NULL)
		return -1;
	bare->sender->burst = true;
	return os_silence_socket(bare->sender->ops->descriptor(bare->sender));
}

int
main(int argc, char *argv[])
{
	struct bare bare = { .receiver = NULL };
	struct pollfd wait = { .events = POLLIN };
	char error[IO_ERROR] = "";

	if (argc != ARGUMENTS || mac_parse(argv[3], &bare.own) == -1 || mac_parse(argv[4], &bare.servers[0]) == -1 ||
	    mac_parse(argv[5], &bare.servers[1]) == -1) {
		(void)fprintf(stderr, "usage: bare INTERFACE VIP OWN-MAC SERVER-MAC SERVER-MAC\n");
		return EX_USAGE;
	}
	if (open_engines(&bare, argv, error) == -1) {
		(void)fprintf(stderr, "bare: %s\n", error[0] != '\0' ? error : "cannot silence the socket");
		return EXIT_FAILURE;
	}
	wait.fd = bare.receiver->ops->descriptor(bare.receiver);
	while (bare.receiver->ops->dispatch(bare.receiver, BUDGET, forward, &bare, error) >= 0) {
		bare.sender->ops->flush(bare.sender);
		(void)poll(&wait, 1, -1);
	}
	(void)fprintf(stderr, "bare: %s\n", error);
	return EXIT_FAILURE;
}
