/* SPDX-License-Identifier: ISC */
/* Commands for the BSDs, and for systems without a file of their own. */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#if defined(__FreeBSD__) || defined(__DragonFly__)
#define USER_ADD "pw useradd %s -d /nonexistent -s /usr/sbin/nologin"
#define GROUP_ADD "pw groupadd %s"
#elif defined(__APPLE__)
#define USER_ADD "sysadminctl -addUser %s -shell /usr/bin/false -home /var/empty"
#define GROUP_ADD "dseditgroup -o create %s"
#else
#define USER_ADD "useradd -d /var/empty -s /sbin/nologin %s"
#define GROUP_ADD "groupadd %s"
#endif

void
os_command(enum os_command command, const char *iface, const char *argument, char *text, size_t size)
{
	switch (command) {
	case OS_ADDRESS_DELETE:
		(void)snprintf(text, size, "ifconfig %s %s %s delete", iface,
		    strchr(argument, ':') == NULL ? "inet" : "inet6", argument);
		break;
	case OS_USER_ADD:
		(void)snprintf(text, size, USER_ADD, argument);
		break;
	case OS_GROUP_ADD:
		(void)snprintf(text, size, GROUP_ADD, argument);
		break;
	}
}
