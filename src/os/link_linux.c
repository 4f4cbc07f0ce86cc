/* SPDX-License-Identifier: ISC */
/* What an interface is made of, and what it is part of, by rtnetlink(7). */
#include "config.h"

#include "os/os.h"

#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

struct link_question {
	struct nlmsghdr header;
	struct ifinfomsg link;
};

union link_answer {
	struct nlmsghdr header; /* for its alignment */
	uint8_t bytes[16384];   /* with the statistics of each family; the kernel's own tools read as much */
};

static bool
link_ask(int index, union link_answer *answer)
{
	struct link_question question = {
		.header = { .nlmsg_len = sizeof(question), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
		.link = { .ifi_index = index },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t length = -1;

	if (fd == -1)
		return false;
	/* rtnetlink answers within send(): nothing here waits. */
	if (send(fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
		length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
	(void)close(fd);
	return length >= (ssize_t)NLMSG_LENGTH(sizeof(struct ifinfomsg)) && NLMSG_OK(&answer->header, (size_t)length) &&
	    answer->header.nlmsg_type == RTM_NEWLINK;
}

static bool
link_text_is(struct rtattr *attribute, const char *text)
{
	const size_t length = strlen(text);

	/* Some kernels count the end of the text, others do not. */
	return RTA_PAYLOAD(attribute) >= length && memcmp(RTA_DATA(attribute), text, length) == 0 &&
	    (RTA_PAYLOAD(attribute) == length || ((const char *)RTA_DATA(attribute))[length] == '\0');
}

/* Of all masters, those that take their ports' frames; a VRF does not, and Open vSwitch does not say which bridge. */
static void
link_read_info(struct rtattr *info, bool *ipvlan, bool *port)
{
	int left = (int)RTA_PAYLOAD(info);

	for (struct rtattr *at = RTA_DATA(info); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == IFLA_INFO_KIND)
			*ipvlan = link_text_is(at, "ipvlan");
		else if (at->rta_type == IFLA_INFO_SLAVE_KIND)
			*port = link_text_is(at, "bond") || link_text_is(at, "team") || link_text_is(at, "bridge");
	}
}

void
os_iface_read_shape(struct iface *iface)
{
	union link_answer answer;
	unsigned master = 0;
	bool port = false;
	int left;

	iface->ipvlan = false;
	iface->master[0] = '\0';
	if (!link_ask((int)if_nametoindex(iface->name), &answer))
		return;
	left = (int)(answer.header.nlmsg_len - NLMSG_LENGTH(sizeof(struct ifinfomsg)));
	for (struct rtattr *at = IFLA_RTA(NLMSG_DATA(&answer.header)); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == IFLA_MASTER && RTA_PAYLOAD(at) == sizeof(master))
			memcpy(&master, RTA_DATA(at), sizeof(master));
		else if (at->rta_type == IFLA_LINKINFO)
			link_read_info(at, &iface->ipvlan, &port);
	}
	if (port && if_indextoname(master, iface->master) == NULL)
		iface->master[0] = '\0';
}
