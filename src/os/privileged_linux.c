/* SPDX-License-Identifier: ISC */
/* What the privileged process opens on Linux. */
#include "config.h"

#include "os/os.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Those of io_whole_linux.c and io_libnet_linux.c, which may not exceed the system's limits themselves. */
#define RECEIVE_BUFFER (32 * 1024 * 1024)
#define SEND_BUFFER (4 * 1024 * 1024)
#define TYPE_OF_NO_FRAME 0x0060 /* ETH_P_LOOP of linux/if_ether.h */

static int
close_failed(int fd)
{
	const int number = errno;

	(void)close(fd);
	errno = number;
	return -1;
}

int
os_packet_socket(const char *iface, bool capture)
{
	const struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(iface),
		.sll_protocol = htons(capture ? ETH_P_ALL : TYPE_OF_NO_FRAME) };
	const int size = capture ? RECEIVE_BUFFER : SEND_BUFFER;
	int fd;

	if (address.sll_ifindex == 0) {
		errno = ENXIO;
		return -1;
	}
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		return close_failed(fd);
	/* Without it the limits of the system hold. */
	(void)setsockopt(fd, SOL_SOCKET, capture ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &size, sizeof(size));
	return fd;
}

int
os_ping_socket(const struct addr *addr)
{
	const bool v4 = addr->family == ADDR_IPV4;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, v4 ? IPPROTO_ICMP :
	    IPPROTO_ICMPV6);

	if (fd == -1)
		return -1;
	memcpy(&to4.sin_addr, addr->bytes, sizeof(to4.sin_addr));
	memcpy(&to6.sin6_addr, addr->bytes, sizeof(to6.sin6_addr));
	if (connect(fd, v4 ? (const struct sockaddr *)&to4 : (const struct sockaddr *)&to6, v4 ? sizeof(to4) :
	    sizeof(to6)) == -1)
		return close_failed(fd);
	return fd;
}
