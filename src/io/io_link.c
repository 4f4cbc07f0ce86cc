/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "io/io_link.h"

#include <errno.h>
#include <libnet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
io_link_explain(const char *iface, const char *reason, char error[IO_ERROR])
{
	const int number = errno != 0 ? errno : EIO;

	(void)snprintf(error, IO_ERROR, "cannot send on %s: %s", iface, reason[0] != '\0' ? reason : strerror(number));
	errno = number;
}

void *
io_link_new(size_t size, const struct sender_ops *ops, const char *iface, char error[IO_ERROR])
{
	struct link_sender *self = calloc(1, size);
	char reason[LIBNET_ERRBUF_SIZE] = "";
	int number;
	char device[IFACE_NAME]; /* before 1.1.3 libnet_init() took it without const */

	if (self == NULL) {
		(void)snprintf(error, IO_ERROR, "out of memory");
		return NULL;
	}
	self->sender.ops = ops;
	if (snprintf(device, sizeof(device), "%s", iface) >= (int)sizeof(device)) {
		(void)snprintf(error, IO_ERROR, "no interface `%.64s` on this host", iface);
		free(self);
		errno = ENXIO;
		return NULL;
	}
	errno = 0;
	self->libnet = libnet_init(LIBNET_LINK, device, reason);
	if (self->libnet == NULL) {
		io_link_explain(device, reason, error);
		number = errno;
		free(self);
		errno = number;
		return NULL;
	}
	return self;
}

int
io_link_descriptor(struct sender *sender)
{
	return libnet_getfd(((struct link_sender *)sender)->libnet);
}

int
io_link_close(struct sender *sender, char error[IO_ERROR] UNUSED)
{
	libnet_destroy(((struct link_sender *)sender)->libnet);
	free(sender);
	return 0;
}

const char *
io_libnet_version(void)
{
	return libnet_version();
}
