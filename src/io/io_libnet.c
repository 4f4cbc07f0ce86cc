/* SPDX-License-Identifier: ISC */
/* Sends through libnet's link layer: portable, one system call or two a frame. */
#include "config.h"

#include "io/io.h"

#include <errno.h>
#include <libnet.h>

#include "io/io_link.h"

static void
libnet_sender_send(struct sender *sender, const struct frame *frame)
{
	struct link_sender *self = (struct link_sender *)sender;

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

static const struct sender_ops libnet_sender_ops = {
	.send = libnet_sender_send,
	.flush = libnet_sender_flush,
	.descriptor = io_link_descriptor,
	.close = io_link_close,
};

struct sender *
io_libnet_open(const char *iface, bool bypass UNUSED, char error[IO_ERROR])
{
	return io_link_new(sizeof(struct link_sender), &libnet_sender_ops, iface, error);
}
