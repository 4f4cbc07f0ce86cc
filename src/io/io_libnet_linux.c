/* SPDX-License-Identifier: ISC */
/*
 * Sends through the socket of libnet's link layer, a burst with one system call. libnet_write_link() itself asks for the
 * interface's number and sends with an address, two system calls a frame. Here the socket is bound once, and sendmmsg(2)
 * takes what a burst left. The queue discipline is not bypassed, fast as that would be: frames would be invisible to
 * tcpdump on the director, which is where people look first. Elsewhere: io_libnet.c.
 */
#include "config.h"

#include "io/io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_link.h"

/* Beyond 64 frames a call nothing is gained; a slot holds what an ordinary MTU allows, larger frames go at once. */
#define QUEUE 64
#define SLOT_BYTES 2048
/* How long a full socket buffer may keep the loop waiting; the kernel gives buffers back within microseconds. */
#define SEND_TIMEOUT_US 20000

struct libnet_sender {
	struct sender sender; /* first: the ops get a pointer to it */
	libnet_t *libnet;
	unsigned queued;
	struct mmsghdr messages[QUEUE];
	struct iovec vectors[QUEUE];
	uint8_t slots[QUEUE][SLOT_BYTES];
};

static void
count_failure(struct sender *sender)
{
	sender->stats.failed++;
	sender->stats.last_errno = errno;
}

/* A frame that the kernel refuses (no buffer in time, too long, interface down) is counted and passed over. */
static void
libnet_sender_flush(struct sender *sender)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;
	const int fd = libnet_getfd(self->libnet);
	unsigned done = 0;

	while (done < self->queued) {
		const int sent = sendmmsg(fd, self->messages + done, self->queued - done, 0);

		if (sent > 0) {
			done += (unsigned)sent;
			sender->stats.sent += (uint64_t)sent;
		} else if (errno != EINTR) {
			count_failure(sender);
			done++;
		}
	}
	self->queued = 0;
}

static void
send_now(struct sender *sender, const struct frame *frame)
{
	const int fd = libnet_getfd(((struct libnet_sender *)sender)->libnet);

	if (send(fd, frame->bytes, frame->length, 0) == (ssize_t)frame->length)
		sender->stats.sent++;
	else
		count_failure(sender);
}

static void
libnet_sender_send(struct sender *sender, const struct frame *frame)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;

	if (!sender->burst || frame->length > SLOT_BYTES) {
		libnet_sender_flush(sender);
		send_now(sender, frame);
		return;
	}
	if (self->queued == QUEUE)
		libnet_sender_flush(sender);
	memcpy(self->slots[self->queued], frame->bytes, frame->length);
	self->vectors[self->queued].iov_len = frame->length;
	self->queued++;
}

static int
libnet_sender_descriptor(struct sender *sender)
{
	return libnet_getfd(((struct libnet_sender *)sender)->libnet);
}

static int
libnet_sender_close(struct sender *sender, char error[IO_ERROR] UNUSED)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;

	libnet_destroy(self->libnet);
	free(self);
	return 0;
}

static const struct sender_ops libnet_sender_ops = {
	.send = libnet_sender_send,
	.flush = libnet_sender_flush,
	.descriptor = libnet_sender_descriptor,
	.close = libnet_sender_close,
};

/* Bound to the interface, so that no frame needs an address. -1 with errno. */
static int
prepare_socket(int fd, const char *device)
{
	const struct timeval timeout = { 0, SEND_TIMEOUT_US };
	struct sockaddr_ll where;

	memset(&where, 0, sizeof(where));
	where.sll_family = AF_PACKET;
	where.sll_protocol = htons(ETH_P_ALL);
	where.sll_ifindex = (int)if_nametoindex(device);
	if (where.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&where, sizeof(where)) == -1)
		return -1;
	/* Without it a wait may be longer. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	return 0;
}

static void
prepare_queue(struct libnet_sender *self)
{
	for (unsigned i = 0; i < QUEUE; i++) {
		self->vectors[i].iov_base = self->slots[i];
		self->messages[i].msg_hdr.msg_iov = &self->vectors[i];
		self->messages[i].msg_hdr.msg_iovlen = 1;
	}
}

struct sender *
io_libnet_open(const char *iface, char error[IO_ERROR])
{
	struct libnet_sender *self = calloc(1, sizeof(*self));
	int number;

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->sender.ops = &libnet_sender_ops;
	prepare_queue(self);
	self->libnet = io_link_open(iface, error);
	if (self->libnet == NULL)
		goto failed;
	if (prepare_socket(libnet_getfd(self->libnet), iface) == -1) {
		io_link_explain(iface, "", error);
		goto failed;
	}
	return &self->sender;
failed:
	number = errno;
	if (self->libnet != NULL)
		libnet_destroy(self->libnet);
	free(self);
	errno = number;
	return NULL;
}
