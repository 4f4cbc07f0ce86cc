/* SPDX-License-Identifier: ISC */
/* FreeBSD, OpenBSD, NetBSD, DragonFly and macOS: local addresses, forwarding, access to /dev/bpf. */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

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

/* By number, since OpenBSD has no sysctlbyname(). -1 where the system does not tell, as under pledge(2). */
static int
read_number(int family, int protocol, int number)
{
	/* Not const: macOS declares a plain pointer. */
	int name[] = {CTL_NET, family, protocol, number};
	int value = 0;
	size_t size = sizeof(value);

	return sysctl(name, ARRAY_LEN(name), &value, &size, NULL, 0) == 0 && size == sizeof(value) ? value : -1;
}

/* These systems forward on all interfaces or on none. */
bool
os_forwards(const char *iface, enum addr_family family, char *fix, size_t size)
{
	if (if_nametoindex(iface) == 0)
		return false;
	if (family == ADDR_IPV4 && read_number(PF_INET, IPPROTO_IP, IPCTL_FORWARDING) > 0) {
		(void)snprintf(fix, size, "sysctl -w net.inet.ip.forwarding=0");
		return true;
	}
	if (family == ADDR_IPV6 && read_number(PF_INET6, IPPROTO_IPV6, IPV6CTL_FORWARDING) > 0) {
		(void)snprintf(fix, size, "sysctl -w net.inet6.ip6.forwarding=0");
		return true;
	}
	return false;
}

#ifdef __OpenBSD__

/* Since 6.6 a host that does not forward drops them, and nothing changes that but forwarding. */
bool
os_drops_strays(char *fix, size_t size)
{
	(void)snprintf(fix, size, "%s", "");
	return read_number(PF_INET, IPPROTO_IP, IPCTL_FORWARDING) == 0;
}

#else

bool
os_drops_strays(char *fix, size_t size)
{
	static const char *const names[] = {
		"net.inet.ip.rfc1122_strong_es", /* FreeBSD 14 */
		"net.inet.ip.check_interface",   /* FreeBSD before, DragonFly, macOS */
		"net.inet.ip.checkinterface",    /* NetBSD */
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int value = 0;
		size_t length = sizeof(value);

		if (sysctlbyname(names[i], &value, &length, NULL, 0) != 0 || length != sizeof(value) || value == 0)
			continue;
		(void)snprintf(fix, size, "sysctl -w %s=0", names[i]);
		return true;
	}
	return false;
}

#endif

const char *
os_missing_privilege(void)
{
	/* One device that clones itself; macOS has one for each opener, the first of which stands for all. */
	static const char *const devices[] = {"/dev/bpf", "/dev/bpf0"};

	if (geteuid() == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		if (access(devices[i], R_OK | W_OK) == 0)
			return NULL;
	}
	return "dsrd may not open /dev/bpf, without which frames can be neither captured nor sent: run it as root, or give"
	    " its user read and write access to that device. Once it has given up root (`user`), an interface can only be"
	    " opened by a restart; on OpenBSD that access does not help then";
}

/* kern.boottime moves when the clock is set. It does not matter: /var/run is cleared at boot anyway. */
void
os_boot(char boot[OS_BOOT])
{
	memset(boot, 0, OS_BOOT);
}
