/* SPDX-License-Identifier: ISC */
/* FreeBSD, OpenBSD, NetBSD, DragonFly and macOS: local addresses, forwarding, access to /dev/bpf. */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <assert.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
os_hold_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME])
{
	os_iface_of_addresses(addrs, count, ifaces);
}

void
os_release_command(const struct addr *addr, const char *iface, char *text, size_t size)
{
	char name[ADDR_TEXT];

	os_command(OS_ADDRESS_DELETE, iface, addr_format(addr, name), text, size);
}

/* By number, since OpenBSD has no sysctlbyname(). */
static enum os_answer
read_switch(int family, int protocol, int number)
{
	/* Not const: macOS declares a plain pointer. */
	int name[] = {CTL_NET, family, protocol, number};
	int value = 0;
	size_t size = sizeof(value);

	if (sysctl(name, ARRAY_LEN(name), &value, &size, NULL, 0) != 0 || size != sizeof(value))
		return OS_UNKNOWN;
	return value > 0 ? OS_YES : OS_NO;
}

void
os_routing_read(struct os_routing *routing)
{
	routing->forwards[0] = read_switch(PF_INET, IPPROTO_IP, IPCTL_FORWARDING);
	routing->forwards[1] = read_switch(PF_INET6, IPPROTO_IPV6, IPV6CTL_FORWARDING);
}

#ifdef __OpenBSD__

/* Pledged, it may not look again. */
static void
look_again(struct os_routing *now, const struct os_routing *before)
{
	*now = *before;
}

#else

static void
look_again(struct os_routing *now, const struct os_routing *before UNUSED)
{
	os_routing_read(now);
}

#endif

/* These systems forward on all interfaces or on none. */
enum os_answer
os_forwards(const struct os_routing *routing, const char *iface, enum addr_family family, char *fix, size_t size)
{
	const bool ip6 = family == ADDR_IPV6;
	struct os_routing now;

	if (if_nametoindex(iface) == 0)
		return OS_NO;
	look_again(&now, routing);
	if (now.forwards[ip6] == OS_YES)
		(void)snprintf(fix, size, "sysctl -w %s=0", ip6 ? "net.inet6.ip6.forwarding" :
		    "net.inet.ip.forwarding");
	return now.forwards[ip6];
}

#ifdef __OpenBSD__

/* Since 6.6 a host that does not forward drops them, and nothing changes that but forwarding. */
enum os_answer
os_drops_strays(const struct os_routing *routing, char *fix, size_t size)
{
	static const enum os_answer answers[] = { [OS_NO] = OS_YES, [OS_YES] = OS_NO, [OS_UNKNOWN] = OS_UNKNOWN };

	(void)snprintf(fix, size, "%s", "");
	return answers[routing->forwards[0]];
}

#else

enum os_answer
os_drops_strays(const struct os_routing *routing UNUSED, char *fix, size_t size)
{
	static const char *const names[] = {
		"net.inet.ip.rfc1122_strong_es", /* FreeBSD 14 */
		"net.inet.ip.check_interface",   /* FreeBSD before, DragonFly, macOS */
		"net.inet.ip.checkinterface",    /* NetBSD */
	};

	enum os_answer answer = OS_UNKNOWN;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int value = 0;
		size_t length = sizeof(value);

		if (sysctlbyname(names[i], &value, &length, NULL, 0) != 0 || length != sizeof(value))
			continue;
		answer = OS_NO;
		if (value == 0)
			continue;
		(void)snprintf(fix, size, "sysctl -w %s=0", names[i]);
		return OS_YES;
	}
	return answer;
}

#endif

const char *
os_missing_privilege(void)
{
	/* One device that clones itself; macOS has one for each opener, the first of which stands for all. */
	static const char *const devices[] = {"/dev/bpf", "/dev/bpf0"};
	static const char text[] = "dsrd may not open /dev/bpf, without which frames can be neither captured nor sent: "
	    "run it as"
	    " root, or give its user read and write access to that device. Once it has given up root (`user`), only a "
	    "restart"
	    " opens an interface; on OpenBSD that access does not help then";

	static_assert(sizeof(text) <= OS_PRIVILEGE_TEXT, "OS_PRIVILEGE_TEXT must have room for it");

	if (geteuid() == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		if (access(devices[i], R_OK | W_OK) == 0)
			return NULL;
	}
	return text;
}

/* kern.boottime moves when the clock is set. It does not matter: /var/run is cleared at boot anyway. */
void
os_boot(char boot[OS_BOOT])
{
	memset(boot, 0, OS_BOOT);
}
