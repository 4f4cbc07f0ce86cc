/* SPDX-License-Identifier: ISC */
/* Multicast groups: the portable part of being reachable by neighbor discovery (RFC 3493 section 5.2). */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
