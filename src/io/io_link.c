/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "io/io_link.h"

#include <errno.h>
#include <libnet.h>
#include <stdio.h>
#include <string.h>

void
io_link_explain(const char *iface, const char *reason, char error[IO_ERROR])
{
	const int number = errno != 0 ? errno : EIO;

	(void)snprintf(error, IO_ERROR, "cannot send on %s: %s", iface, reason[0] != '\0' ? reason : strerror(number));
	errno = number;
}

struct libnet_context *
io_link_open(const char *iface, char error[IO_ERROR])
{
	char reason[LIBNET_ERRBUF_SIZE] = "";
	char device[IFACE_NAME]; /* before 1.1.3 libnet_init() took it without const */
	libnet_t *libnet;

	if (snprintf(device, sizeof(device), "%s", iface) >= (int)sizeof(device)) {
		(void)snprintf(error, IO_ERROR, "no interface `%.64s` on this host", iface);
		errno = ENXIO;
		return NULL;
	}
	errno = 0;
	libnet = libnet_init(LIBNET_LINK, device, reason);
	if (libnet == NULL)
		io_link_explain(device, reason, error);
	return libnet;
}

const char *
io_libnet_version(void)
{
	return libnet_version();
}
