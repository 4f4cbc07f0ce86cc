/* SPDX-License-Identifier: ISC */
/*
 * By rtnetlink (rtnetlink(7)) and /dev/net/tun (Documentation/networking/tuntap.rst). The kernel answers a request
 * within send(), so nothing here waits.
 */
#include "config.h"

#include "os/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DUMP_ROOM 16384 /* a part of a dump: the kernel fills what the reader offers, 8 KiB at least */
#define STALE_MOST 256  /* removed in one go; what is left is found by the next dump */

struct os_routes {
	int netlink;
	int tun; /* -1: blackhole routes */
	unsigned index;
	uint32_t table;
	uint8_t protocol;
};

union message {
	struct nlmsghdr header; /* for its alignment */
	uint8_t bytes[256];
};

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void *
message_begin(union message *message, uint16_t type, uint16_t flags, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	return NLMSG_DATA(&message->header);
}

static struct rtattr *
message_add(union message *message, uint16_t type, const void *value, size_t length)
{
	const size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
	struct rtattr attribute = { .rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type };

	memcpy(message->bytes + at, &attribute, sizeof(attribute));
	if (length > 0)
		memcpy(message->bytes + at + RTA_LENGTH(0), value, length);
	message->header.nlmsg_len = (uint32_t)(at + RTA_ALIGN(attribute.rta_len));
	return (struct rtattr *)(void *)(message->bytes + at);
}

/* An attribute with all that was added since. */
static void
message_close(union message *message, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(message->bytes + message->header.nlmsg_len - (uint8_t *)nest);
}

/* 0, or the kernel's errno. */
static int
message_send(const struct os_routes *routes, const union message *message)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[1024]; /* an answer quotes the request */
	} answer;
	const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
	ssize_t length;

	if (send(routes->netlink, message, message->header.nlmsg_len, 0) != (ssize_t)message->header.nlmsg_len)
		return errno;
	length = recv(routes->netlink, &answer, sizeof(answer), MSG_DONTWAIT);
	if (length < (ssize_t)NLMSG_LENGTH(sizeof(*error)) || answer.header.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -error->error;
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

static int
route_send(const struct os_routes *routes, uint16_t type, uint16_t flags, const struct addr *addr, uint32_t metric)
{
	const size_t length = addr->family == ADDR_IPV4 ? 4 : 16;
	union message message;
	struct rtmsg *route = message_begin(&message, type, flags, sizeof(*route));

	route->rtm_family = addr->family == ADDR_IPV4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = (uint8_t)(length * 8);
	route->rtm_protocol = routes->protocol;
	/* A route to a device leads to its network. */
	route->rtm_scope = routes->tun != -1 && addr->family == ADDR_IPV4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	route->rtm_type = routes->tun != -1 ? RTN_UNICAST : RTN_BLACKHOLE;
	(void)message_add(&message, RTA_DST, addr->bytes, length);
	(void)message_add(&message, RTA_TABLE, &routes->table, sizeof(routes->table));
	(void)message_add(&message, RTA_PRIORITY, &metric, sizeof(metric));
	if (routes->tun != -1)
		(void)message_add(&message, RTA_OIF, &routes->index, sizeof(routes->index));
	return message_send(routes, &message);
}

static int
route_fail(const char *what, int number, char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "%s: %s", what, number == ESRCH ? "there is no such table" : strerror(number));
	errno = number;
	return -1;
}

int
os_routes_add(struct os_routes *routes, const struct addr *addr, uint32_t metric, char error[OS_ERROR])
{
	const int number = route_send(routes, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, addr, metric);

	if (number == 0)
		return 1;
	return number == EEXIST ? 0 : route_fail("the route cannot be made", number, error);
}

int
os_routes_remove(struct os_routes *routes, const struct addr *addr, uint32_t metric, char error[OS_ERROR])
{
	const int number = route_send(routes, RTM_DELROUTE, 0, addr, metric);

	/* What another program has removed, or the device's end. */
	if (number == 0 || number == ESRCH || number == ENODEV || number == ENOENT)
		return 0;
	return route_fail("the route cannot be removed", number, error);
}

/* --- routes of an earlier process --------------------------------------------------------------------------------- */

struct stale {
	struct addr addrs[STALE_MOST];
	uint32_t metrics[STALE_MOST];
	size_t count;
};

static void
stale_add(struct stale *stale, const struct os_routes *routes, struct nlmsghdr *header)
{
	struct rtmsg *route = NLMSG_DATA(header);
	int left = (int)RTM_PAYLOAD(header);
	uint32_t table = route->rtm_table, metric = 0;
	struct addr addr = { .family = route->rtm_family == AF_INET ? ADDR_IPV4 : ADDR_IPV6 };
	const size_t length = route->rtm_family == AF_INET ? 4 : 16;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_protocol != routes->protocol ||
	    route->rtm_type != RTN_BLACKHOLE || route->rtm_dst_len != length * 8 || stale->count == STALE_MOST)
		return;
	for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_DST && RTA_PAYLOAD(at) == length)
			memcpy(addr.bytes, RTA_DATA(at), length);
		else if (at->rta_type == RTA_TABLE && RTA_PAYLOAD(at) == sizeof(table))
			memcpy(&table, RTA_DATA(at), sizeof(table));
		else if (at->rta_type == RTA_PRIORITY && RTA_PAYLOAD(at) == sizeof(metric))
			memcpy(&metric, RTA_DATA(at), sizeof(metric));
	}
	if (table != routes->table)
		return;
	stale->addrs[stale->count] = addr;
	stale->metrics[stale->count++] = metric;
}

/* One part of the answer. False: it was the last. */
static bool
stale_read(struct stale *stale, const struct os_routes *routes)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[DUMP_ROOM];
	} part;
	ssize_t got = recv(routes->netlink, &part, sizeof(part), 0);
	int left = (int)got;

	if (got <= 0)
		return false;
	for (struct nlmsghdr *at = &part.header; NLMSG_OK(at, (unsigned)left); at = NLMSG_NEXT(at, left)) {
		if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR)
			return false;
		stale_add(stale, routes, at);
	}
	return true;
}

static bool
stale_remove(struct os_routes *routes, uint8_t family)
{
	struct stale stale = { .count = 0 };
	char unused[OS_ERROR];
	union message message;
	struct rtmsg *route = message_begin(&message, RTM_GETROUTE, NLM_F_DUMP, sizeof(*route));
	size_t removed = 0;

	route->rtm_family = family;
	if (send(routes->netlink, &message, message.header.nlmsg_len, 0) != (ssize_t)message.header.nlmsg_len)
		return false;
	while (stale_read(&stale, routes))
		continue;
	for (size_t i = 0; i < stale.count; i++)
		removed += os_routes_remove(routes, &stale.addrs[i], stale.metrics[i], unused) == 0;
	return stale.count == STALE_MOST && removed > 0;
}

/* --- the device --------------------------------------------------------------------------------------------------- */

/* Up, and without an IPv6 address of its own: nothing is sent there but what the routes lead to it. */
static int
device_up(const struct os_routes *routes)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	union message message;
	struct ifinfomsg *link = message_begin(&message, RTM_NEWLINK, 0, sizeof(*link));
	struct rtattr *families, *family;

	link->ifi_index = (int)routes->index;
	families = message_add(&message, IFLA_AF_SPEC, NULL, 0);
	family = message_add(&message, AF_INET6, NULL, 0);
	(void)message_add(&message, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	message_close(&message, family);
	message_close(&message, families);
	/* A host without IPv6 has no such mode. */
	(void)message_send(routes, &message);
	link = message_begin(&message, RTM_NEWLINK, 0, sizeof(*link));
	link->ifi_index = (int)routes->index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	return message_send(routes, &message);
}

static int
device_open(struct os_routes *routes, const char *name, char error[OS_ERROR])
{
	struct ifreq request;
	int number;

	memset(&request, 0, sizeof(request));
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	routes->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (routes->tun == -1) {
		(void)snprintf(error, OS_ERROR, "/dev/net/tun: %s: load the module tun, or give the service or "
		    "container that device (doc/operating.md)", strerror(errno));
		return -1;
	}
	if (ioctl(routes->tun, TUNSETIFF, &request) == -1) {
		number = errno;
		(void)snprintf(error, OS_ERROR, "the device %.*s cannot be made: %s", IFNAMSIZ, name,
		    number == EBUSY ? "another process has it" : strerror(number));
		return -1;
	}
	if (ioctl(routes->netlink, SIOCGIFINDEX, &request) == -1) {
		(void)snprintf(error, OS_ERROR, "the device %.*s: %s", IFNAMSIZ, name, strerror(errno));
		return -1;
	}
	routes->index = (unsigned)request.ifr_ifindex;
	number = device_up(routes);
	if (number == 0)
		return 0;
	(void)snprintf(error, OS_ERROR, "the device %.*s cannot be set up: %s", IFNAMSIZ, name, strerror(number));
	return -1;
}

struct os_routes *
os_routes_open(const struct os_routes_order *order, char error[OS_ERROR])
{
	struct os_routes *routes = calloc(1, sizeof(*routes));

	if (routes == NULL) {
		(void)snprintf(error, OS_ERROR, "out of memory");
		return NULL;
	}
	routes->tun = -1;
	routes->table = order->table != 0 ? order->table : RT_TABLE_MAIN;
	routes->protocol = order->protocol;
	routes->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (routes->netlink == -1) {
		(void)snprintf(error, OS_ERROR, "rtnetlink: %s", strerror(errno));
	} else {
		while (!order->shared && (stale_remove(routes, AF_INET) || stale_remove(routes, AF_INET6)))
			continue;
		if (order->device[0] == '\0' || device_open(routes, order->device, error) == 0)
			return routes;
	}
	os_routes_close(routes);
	return NULL;
}

void
os_routes_close(struct os_routes *routes)
{
	if (routes == NULL)
		return;
	/* The kernel removes the device and its routes. */
	if (routes->tun != -1)
		(void)close(routes->tun);
	else if (routes->netlink != -1)
		while (stale_remove(routes, AF_INET) || stale_remove(routes, AF_INET6))
			continue;
	if (routes->netlink != -1)
		(void)close(routes->netlink);
	free(routes);
}

int
os_routes_fd(const struct os_routes *routes)
{
	return routes->tun;
}

int
os_routes_discard(struct os_routes *routes)
{
	uint8_t packet[2048]; /* the rest of a larger one is lost, as all of it is */
	ssize_t length;

	do
		length = read(routes->tun, packet, sizeof(packet));
	while (length > 0 || (length == -1 && errno == EINTR));
	return length == -1 && errno == EAGAIN ? 0 : -1;
}
