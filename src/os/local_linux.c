/* SPDX-License-Identifier: ISC */
/*
 * A frame that a packet socket sends by the loopback interface arrives there, without route or filter in between
 * (loopback_xmit() in drivers/net/loopback.c). The stack takes it if its destination is the host's own, and if the
 * reverse path filter lets its source pass (fib_validate_source() in net/ipv4/fib_frontend.c).
 */
#include "config.h"

#include "os/os.h"

#include <stdio.h>
#include <string.h>

#define LOOPBACK "lo"
#define RP_FILTER_STRICT 1 /* Documentation/networking/ip-sysctl.rst, as are all of these */

const char *
os_loopback(void)
{
	return LOOPBACK;
}

/* What counts is the larger value of `all` and the interface. 0 for what cannot be read. */
static int
local_read_setting(const char *iface, const char *key)
{
	const char *names[] = { "all", iface };
	int largest = 0;

	for (size_t i = 0; i < 2; i++) {
		char path[128];
		FILE *file;
		int value;

		if (snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", names[i], key) >= (int)sizeof(path))
			continue;
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		value = fgetc(file);
		(void)fclose(file);
		if (value >= '0' && value <= '9' && value - '0' > largest)
			largest = value - '0';
	}
	return largest;
}

enum os_local
os_local_obstacle(const struct addr *vip, const char *iface)
{
	char holder[IFACE_NAME];

	if (!os_holds_address(vip, holder))
		return OS_LOCAL_MISSING;
	if (strcmp(holder, LOOPBACK) != 0)
		return OS_LOCAL_EXPOSED;
	if (vip->family != ADDR_IPV4)
		return OS_LOCAL_OK; /* neighbor discovery is answered on the address's own interface alone */
	if (local_read_setting(iface, "arp_ignore") == 0)
		return OS_LOCAL_ANSWERS_ARP;
	return local_read_setting(LOOPBACK, "rp_filter") == RP_FILTER_STRICT ? OS_LOCAL_REVERSE_PATH : OS_LOCAL_OK;
}
