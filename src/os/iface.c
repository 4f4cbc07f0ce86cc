/* SPDX-License-Identifier: ISC */
/* Interfaces by getifaddrs(), which every system has; libnet's own look-up confuses em1 with em10 on BSD. */
#include "config.h"

#include "os/os.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef AF_PACKET
#include <netpacket/packet.h>
#else
#include <net/if_dl.h>
#endif

#include "os/bsd_bytes.h"

/* Linux puts the label of an address where its interface's name should be: "eth0:1". */
static size_t
iface_name_length(const char *name)
{
	return strcspn(name, ":");
}

static bool
name_matches(const char *name, const char *found)
{
	size_t length = iface_name_length(found);

	return strlen(name) == length && strncmp(name, found, length) == 0;
}

static void
name_copy(char to[IFACE_NAME], const char *found)
{
	(void)snprintf(to, IFACE_NAME, "%.*s", (int)iface_name_length(found), found);
}

#ifdef AF_PACKET

/* The MAC of the entry with the link-layer address, if it has six bytes. */
static void
read_link(const struct ifaddrs *entry, struct iface *iface)
{
	struct sockaddr_ll link;

	if (entry->ifa_addr->sa_family != AF_PACKET)
		return;
	memcpy(&link, entry->ifa_addr, sizeof(link));
	if (link.sll_halen == MAC_BYTES)
		memcpy(iface->mac.bytes, link.sll_addr, MAC_BYTES);
}

#else

/* A driver that does not know its link state is assumed to be up. */
static bool
has_link(const struct if_data *data)
{
#if defined(LINK_STATE_IS_UP) /* OpenBSD */
	return LINK_STATE_IS_UP(data->ifi_link_state);
#elif defined(LINK_STATE_DOWN)
	return data->ifi_link_state != LINK_STATE_DOWN;
#else /* macOS reports it through SIOCGIFMEDIA only */
	(void)data;
	return true;
#endif
}

/* From the entry with the link-layer address: the MAC, if it has six bytes, the MTU, the link. */
static void
read_link(const struct ifaddrs *entry, struct iface *iface)
{
	const struct if_data *facts = entry->ifa_data;

	if (entry->ifa_addr->sa_family != AF_LINK)
		return;
	(void)sockaddr_link_mac((const uint8_t *)entry->ifa_addr, entry->ifa_addr->sa_len, &iface->mac);
	if (facts == NULL)
		return;
	iface->mtu = (uint32_t)facts->ifi_mtu;
	iface->up = iface->up && has_link(facts);
}

#endif

static uint8_t
prefix_length(const struct sockaddr *sa, enum addr_family family)
{
	size_t size = family == ADDR_IPV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (sa == NULL) /* point to point: there is no other host */
		return family == ADDR_IPV4 ? 32 : 128;
#ifdef HAVE_STRUCT_SOCKADDR_SA_LEN
	if (sa->sa_len < size)
		size = sa->sa_len;
#endif
	return sockaddr_mask_length((const uint8_t *)sa, size, family);
}

static void
read_address(const struct ifaddrs *entry, struct iface *iface)
{
	struct prefix *prefix = &iface->addresses[iface->address_count];
	struct addr addr = addr_from_sockaddr(entry->ifa_addr);

	if (!addr_is_set(&addr) || iface->address_count == IFACE_ADDRESSES)
		return;
	prefix->addr = addr;
	prefix->length = prefix_length(entry->ifa_netmask, addr.family);
	iface->address_count++;
}

static int
read_mtu(struct iface *iface)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int result;

	if (fd < 0)
		return -1;
	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, iface->name, sizeof(iface->name));
	result = ioctl(fd, SIOCGIFMTU, &request);
	if (result == 0)
		iface->mtu = (uint32_t)request.ifr_mtu;
	(void)close(fd);
	return result;
}

int
os_iface_read(const char *name, struct iface *iface, char error[OS_ERROR])
{
	struct ifaddrs *list;
	bool found = false;

	memset(iface, 0, sizeof(*iface));
	if (getifaddrs(&list) != 0) {
		(void)snprintf(error, OS_ERROR, "cannot list the interfaces: %s", strerror(errno));
		return -1;
	}
	for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
		if (!name_matches(name, entry->ifa_name))
			continue;
		if (!found) {
			iface->up = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_RUNNING) != 0;
			iface->disabled = (entry->ifa_flags & IFF_UP) == 0;
		}
		found = true;
		if (entry->ifa_addr == NULL)
			continue;
		read_link(entry, iface);
		read_address(entry, iface);
	}
	freeifaddrs(list);
	if (!found) {
		(void)snprintf(error, OS_ERROR, "no interface `%.64s` on this host", name);
		errno = ENXIO;
		return -1;
	}
	name_copy(iface->name, name);
	os_iface_read_shape(iface);
	/* On BSD it is known by now; pledge(2) of OpenBSD forbids the query. */
	if (iface->mtu == 0 && read_mtu(iface) != 0) {
		(void)snprintf(error, OS_ERROR, "cannot read the MTU of %s: %s", iface->name, strerror(errno));
		return -1;
	}
	return 0;
}

static bool
iface_is_listed(char names[][IFACE_NAME], size_t count, const char *found)
{
	for (size_t i = 0; i < count; i++) {
		if (name_matches(names[i], found))
			return true;
	}
	return false;
}

size_t
os_iface_list(char names[][IFACE_NAME], size_t most)
{
	struct ifaddrs *list;
	size_t count = 0;

	if (getifaddrs(&list) != 0)
		return 0;
	for (const struct ifaddrs *entry = list; entry != NULL && count < most; entry = entry->ifa_next) {
		if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		if (!iface_is_listed(names, count, entry->ifa_name))
			name_copy(names[count++], entry->ifa_name);
	}
	freeifaddrs(list);
	return count;
}

void
os_iface_of_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME])
{
	struct ifaddrs *list;

	for (size_t i = 0; i < count; i++)
		ifaces[i][0] = '\0';
	if (getifaddrs(&list) != 0)
		return;
	for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
		struct addr own;

		if (entry->ifa_addr == NULL)
			continue;
		own = addr_from_sockaddr(entry->ifa_addr);
		for (size_t i = 0; i < count && addr_is_set(&own); i++)
			if (ifaces[i][0] == '\0' && addr_equal(&own, &addrs[i]))
				name_copy(ifaces[i], entry->ifa_name);
	}
	freeifaddrs(list);
}

bool
os_holds_address(const struct addr *addr, char iface[IFACE_NAME])
{
	char found[1][IFACE_NAME];

	os_hold_addresses(addr, 1, found);
	memcpy(iface, found[0], IFACE_NAME);
	return iface[0] != '\0';
}

/* Multicast groups: the portable part of being reachable by neighbor discovery (RFC 3493 section 5.2). */
int
os_group_socket(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

int
os_group_join(int fd, const char *iface, const struct addr *group)
{
	struct ipv6_mreq request;

	memset(&request, 0, sizeof(request));
	memcpy(&request.ipv6mr_multiaddr, group->bytes, sizeof(request.ipv6mr_multiaddr));
	request.ipv6mr_interface = if_nametoindex(iface);
	if (request.ipv6mr_interface == 0)
		return -1;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request)) == 0 || errno == EADDRINUSE)
		return 0;
	return -1;
}
