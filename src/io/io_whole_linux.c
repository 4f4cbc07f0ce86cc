/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "io/io_whole.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/iface.h"

/* With the 64 bytes that libpcap has before each frame two slots fill a page. */
#define SLOT 1984
/* Bytes that distinguish frames: headers with TCP's sequence number. */
#define COMPARED 128
/* The kernel keeps no more than this; the frames are there anyway as long as their sender has them. */
#define QUEUE_BYTES (32 * 1024 * 1024)
/* A frame is in the queue a moment before it is in the ring. */
#define IDLE_MOST 16

struct whole {
	int descriptor;
	int error;
	int idle; /* dispatches in a row that found nothing */
	uint8_t bytes[VLAN_TAG + FRAME_MOST];
};

/* The MTU, or that of ordinary Ethernet where it cannot be read: then opening fails anyway, or frames are fetched. */
static int
mtu_of(const char *iface)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request;
	int mtu = IFACE_MTU_DEFAULT;

	memset(&request, 0, sizeof(request));
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", iface);
	if (fd != -1 && ioctl(fd, SIOCGIFMTU, &request) == 0)
		mtu = request.ifr_mtu;
	if (fd != -1)
		(void)close(fd);
	return mtu;
}

int
whole_snaplen(const char *iface)
{
	const int most = mtu_of(iface) + ETHER_HEADER + VLAN_TAG;

	return most < SLOT ? SLOT : most < FRAME_MOST ? most : FRAME_MOST;
}

struct whole *
whole_open(int descriptor)
{
	struct whole *whole = calloc(1, sizeof(*whole));
	const int one = 1, bytes = QUEUE_BYTES;

	if (whole == NULL || setsockopt(descriptor, SOL_PACKET, PACKET_COPY_THRESH, &one, sizeof(one)) == -1) {
		free(whole);
		return NULL;
	}
	/* Else the queue holds two or three super-frames, and those that find no room stay cut. */
	if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == -1)
		(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	whole->descriptor = descriptor;
	return whole;
}

void
whole_close(struct whole *whole)
{
	free(whole);
}

/* Returns -1 when the queue is empty. */
static ssize_t
io_whole_next(struct whole *whole, uint8_t *bytes, size_t size)
{
	ssize_t length;

	do {
		length = recv(whole->descriptor, bytes, size, MSG_DONTWAIT | MSG_TRUNC);
	} while (length == -1 && errno == EINTR);
	if (length == -1 && errno != EAGAIN)
		whole->error = errno;
	return length;
}

/*
 * Is what was fetched the frame that was cut? libpcap has put a VLAN tag back into that one, which the kernel keeps
 * aside.
 */
static bool
is_whole_of(const uint8_t *bytes, uint32_t length, const struct frame *frame)
{
	const uint32_t tag = length + VLAN_TAG == frame->wire_length ? VLAN_TAG : 0;

	return length + tag == frame->wire_length && memcmp(bytes, frame->bytes, ETHER_TYPE) == 0 &&
	    memcmp(bytes + ETHER_TYPE, frame->bytes + ETHER_TYPE + tag, COMPARED) == 0;
}

bool
whole_fetch(struct whole *whole, struct frame *frame)
{
	uint8_t *bytes;
	ssize_t length;

	if (whole == NULL || frame->length < ETHER_TYPE + VLAN_TAG + COMPARED)
		return false;
	bytes = whole->bytes + VLAN_TAG;
	/* One that is not this was cut too, and libpcap had no use for it. */
	do {
		length = io_whole_next(whole, bytes, FRAME_MOST);
	} while (length > 0 && !is_whole_of(bytes, (uint32_t)length, frame));
	if (length <= 0 || length > FRAME_MOST)
		return false;
	if ((uint32_t)length != frame->wire_length) {
		memmove(whole->bytes, bytes, ETHER_TYPE);
		memcpy(whole->bytes + ETHER_TYPE, frame->bytes + ETHER_TYPE, VLAN_TAG);
		bytes = whole->bytes;
	}
	frame->bytes = bytes;
	frame->length = frame->wire_length;
	return true;
}

void
whole_settle(struct whole *whole, int count)
{
	if (whole == NULL)
		return;
	whole->idle = count == 0 ? whole->idle + 1 : 0;
	if (whole->idle < IDLE_MOST)
		return;
	whole->idle = 0;
	while (io_whole_next(whole, whole->bytes, 1) > 0)
		continue;
}

int
whole_error(const struct whole *whole)
{
	return whole == NULL ? 0 : whole->error;
}
