/* SPDX-License-Identifier: ISC */
/* The socket of libnet's link layer, which io_libnet.c and io_libnet_linux.c open alike and use differently. */
#ifndef IO_IO_LINK_H
#define IO_IO_LINK_H

#include "base/attr.h"
#include "io/io.h"

struct libnet_context; /* what libnet.h calls libnet_t */

/* What both senders begin with. */
struct link_sender {
	struct sender sender; /* first: the ops get a pointer to it */
	struct libnet_context *libnet;
};

/*
 * A sender of `size` bytes, zero behind the struct link_sender. NULL with a reason in `error`, and errno set as
 * io_libnet_open() promises.
 */
NODISCARD void *io_link_new(size_t size, const struct sender_ops *ops, const char *iface, char error[IO_ERROR]);
/* For the ops. */
int io_link_descriptor(struct sender *sender);
int io_link_close(struct sender *sender, char error[IO_ERROR]);
/* Writes why `iface` cannot be sent on, with errno's text where `reason` is empty, and leaves errno as it is. */
void io_link_explain(const char *iface, const char *reason, char error[IO_ERROR]);

#endif
