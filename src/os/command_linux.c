/* SPDX-License-Identifier: ISC */
/* What a person types on Linux. */
#include "config.h"

#include "os/os.h"

#include <stdio.h>

void
os_command(enum os_command command, const char *iface, const char *argument, char *text, size_t size)
{
	switch (command) {
	case OS_ADDRESS_DELETE:
		(void)snprintf(text, size, "ip address delete %s dev %s", argument, iface);
		break;
	case OS_USER_ADD:
		(void)snprintf(
		    text, size, "useradd --system --no-create-home --shell /usr/sbin/nologin %s", argument);
		break;
	case OS_GROUP_ADD:
		(void)snprintf(text, size, "groupadd --system %s", argument);
		break;
	}
}
