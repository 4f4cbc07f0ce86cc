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
	case OS_LINK_UP:
		(void)snprintf(text, size, "ip link set dev %s up", iface);
		break;
	case OS_LINK_DOWN:
		(void)snprintf(text, size, "ip link set dev %s down", iface);
		break;
	case OS_MTU_SET:
		(void)snprintf(text, size, "ip link set dev %s mtu %s", iface, argument);
		break;
	case OS_OFFLOADS_OFF:
		(void)snprintf(text, size, "ethtool -K %s gro off lro off rx-gro-hw off", iface);
		break;
	case OS_OFFLOADS_ON:
		(void)snprintf(text, size, "ethtool -K %s gro on", iface);
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
