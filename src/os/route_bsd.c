/* SPDX-License-Identifier: ISC */
/* Asks the kernel for a route by the routing socket, route(4). */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fcntl.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "os/bsd_bytes.h"

#define TRIES 32 /* other messages that may be in front of the answer */

/* How the systems align the addresses of a message: see struct route_dialect. */
#if defined(__NetBSD__)
#define ROUTE_ALIGN sizeof(uint64_t)
#elif defined(__APPLE__)
#define ROUTE_ALIGN sizeof(uint32_t)
#else
#define ROUTE_ALIGN sizeof(long)
#endif

struct route_message {
	struct rt_msghdr header;
	uint8_t addresses[512];
};

static size_t
route_put(uint8_t *at, const void *address, size_t length)
{
	const size_t size = (length + ROUTE_ALIGN - 1) / ROUTE_ALIGN * ROUTE_ALIGN;

	memset(at, 0, size);
	memcpy(at, address, length);
	return size;
}

/* Asks for the interface's name too. The length of the message. */
static size_t
route_write_request(struct route_message *message, const struct addr *addr, int sequence)
{
	struct sockaddr_storage destination;
	struct sockaddr_dl link;
	const uint32_t length = addr_to_sockaddr(&destination, addr, 0);
	size_t used;

	memset(message, 0, sizeof(*message));
	memset(&link, 0, sizeof(link));
	link.sdl_len = sizeof(link);
	link.sdl_family = AF_LINK;
	((struct sockaddr *)&destination)->sa_len = (uint8_t)length;
	used = route_put(message->addresses, &destination, length);
	used += route_put(message->addresses + used, &link, sizeof(link));
	message->header.rtm_version = RTM_VERSION;
	message->header.rtm_type = RTM_GET;
	message->header.rtm_flags = RTF_UP | RTF_HOST;
	message->header.rtm_addrs = RTA_DST | RTA_IFP;
	message->header.rtm_seq = sequence;
#ifdef __OpenBSD__
	message->header.rtm_hdrlen = sizeof(message->header);
#endif
	used += offsetof(struct route_message, addresses);
	message->header.rtm_msglen = (unsigned short)used;
	return used;
}

/* The length of what is behind the header, or -1. */
static ssize_t
route_read_answer(int fd, struct route_message *message, int sequence)
{
	for (unsigned i = 0; i < TRIES; i++) {
		const ssize_t length = read(fd, message, sizeof(*message));

		if (length < (ssize_t)offsetof(struct route_message, addresses))
			return -1;
		if (message->header.rtm_version == RTM_VERSION && message->header.rtm_type == RTM_GET &&
		    message->header.rtm_seq == sequence && message->header.rtm_pid == getpid())
			return message->header.rtm_errno != 0 ? -1 :
			    length - (ssize_t)offsetof(struct route_message, addresses);
	}
	return -1;
}

int
os_route_find(const struct addr *addr, struct ip_route *route)
{
	static const struct route_dialect dialect = { .align = ROUTE_ALIGN, .inet6 = AF_INET6 };
	const struct timeval patience = { 0, 100000 }; /* the kernel answers at once, or not at all */
	const int sequence = 1;
	struct route_message message;
	ssize_t length = -1;
	size_t size;
	int fd = socket(PF_ROUTE, SOCK_RAW, 0);

	memset(route, 0, sizeof(*route));
	if (fd == -1)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	size = route_write_request(&message, addr, sequence);
	if (write(fd, &message, size) == (ssize_t)size)
		length = route_read_answer(fd, &message, sequence);
	(void)close(fd);
	if (length == -1 || (message.header.rtm_flags & (RTF_REJECT | RTF_BLACKHOLE)) != 0 ||
	    !route_message_way(message.addresses, (size_t)length, (unsigned)message.header.rtm_addrs, &dialect,
	    &route->gateway, route->iface))
		return -1;
	if ((message.header.rtm_flags & RTF_GATEWAY) == 0)
		route->gateway = (struct addr) { .family = ADDR_NONE };
	route->destination.addr = *addr;
	route->destination.length = addr->family == ADDR_IPV4 ? 32 : 128;
	return strncmp(route->iface, "lo", 2) == 0 ? -1 : 0; /* to the host itself */
}
