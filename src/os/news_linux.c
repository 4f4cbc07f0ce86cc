/* SPDX-License-Identifier: ISC */
/* News of interfaces, addresses, routes and forwarding by rtnetlink(7). */
#include "config.h"

#include "os/os.h"

#include <sys/socket.h>

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

int
os_news_open(void)
{
	/* Groups above RTMGRP_* have a number instead of a mask (linux/rtnetlink.h). */
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
		    RTMGRP_IPV6_ROUTE | 1U << (RTNLGRP_IPV4_NETCONF - 1) |
		    1U << (RTNLGRP_IPV6_NETCONF - 1),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int saved;

	if (fd == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/*
 * Only the kernel can send to these groups, and a process needs CAP_NET_ADMIN to send to us: the sender needs no
 * check.
 */
static bool
has_news(struct nlmsghdr *header, size_t length, bool routes)
{
	for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
		switch (header->nlmsg_type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
		case RTM_NEWADDR:
		case RTM_DELADDR:
		case RTM_NEWNETCONF:
			return true;
		case RTM_NEWROUTE:
		case RTM_DELROUTE:
			if (routes)
				return true;
			break;
		default: /* a number, not an enum */
			break;
		}
	}
	return false;
}

bool
os_news_read(int fd, bool routes)
{
	union {
		struct nlmsghdr header; /* for its alignment */
		uint8_t bytes[8192];    /* NLMSG_GOODSIZE: the kernel makes none that is larger (linux/netlink.h) */
	} room;
	bool news = false;
	ssize_t length;

	for (;;) {
		length = recv(fd, &room, sizeof(room), MSG_DONTWAIT);
		if (length > 0)
			news |= has_news(&room.header, (size_t)length, routes);
		else if (length == -1 && errno == ENOBUFS)
			news = true; /* some were lost */
		else if (length == 0 || errno != EINTR)
			return news;
	}
}
