/* SPDX-License-Identifier: ISC */
/* Sends through libnet's link layer: portable, one system call or two a frame. */
#include "config.h"

#include "io/io.h"

#include <errno.h>
#include <libnet.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/io_link.h"

struct libnet_sender {
	struct sender sender; /* first: the ops get a pointer to it */
	libnet_t *libnet;
};

static void
libnet_sender_send(struct sender *sender, const struct frame *frame)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;

	errno = 0;
	if (libnet_write_link(self->libnet, frame->bytes, frame->length) == (int)frame->length) {
		sender->stats.sent++;
		return;
	}
	sender->stats.failed++;
	/* 1.1.6 warns of a short write without an error number; a frame is sent whole or not at all. */
	sender->stats.last_errno = errno != 0 ? errno : EIO;
}

static void
libnet_sender_flush(struct sender *sender UNUSED)
{
	/* Each frame went at once. */
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

struct sender *
io_libnet_open(const char *iface, bool bypass UNUSED, char error[IO_ERROR])
{
	struct libnet_sender *self = calloc(1, sizeof(*self));
	int number;

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->sender.ops = &libnet_sender_ops;
	self->libnet = io_link_open(iface, error);
	if (self->libnet == NULL) {
		number = errno;
		free(self);
		errno = number;
		return NULL;
	}
	return &self->sender;
}
