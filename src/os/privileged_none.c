/* SPDX-License-Identifier: ISC */
/* Where there is no privileged process: io/io_lend_none.c. */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <stdio.h>

int
os_keep_privileged(char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "not on this system");
	return -1;
}

int
os_keep_network(char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "not on this system");
	return -1;
}

int
os_packet_socket(const char *iface UNUSED, bool capture UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

int
os_ping_socket(const struct addr *addr UNUSED)
{
	errno = ENOTSUP;
	return -1;
}
