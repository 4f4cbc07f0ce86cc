/* SPDX-License-Identifier: ISC */
/* News of interfaces by the routing socket, route(4). */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <unistd.h>

#include "os/bsd_bytes.h"

static const uint8_t wanted[] = {
	RTM_IFINFO, /* up, down, carrier, MAC address, MTU */
	RTM_NEWADDR,
	RTM_DELADDR,
#ifdef RTM_CHGADDR /* NetBSD */
	RTM_CHGADDR,
#endif
#ifdef RTM_IFANNOUNCE /* not macOS */
	RTM_IFANNOUNCE,
#endif
#ifdef RTM_DESYNC /* OpenBSD: some were lost */
	RTM_DESYNC,
#endif
};

/* Routes come and go by the thousand on a router: where the system can, it keeps them to itself. */
static void
news_filter(int fd)
{
#if defined(ROUTE_MSGFILTER) /* OpenBSD */
	unsigned mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		mask |= ROUTE_FILTER(wanted[i]);
	(void)setsockopt(fd, AF_ROUTE, ROUTE_MSGFILTER, &mask, sizeof(mask));
#elif defined(RO_MSGFILTER) /* NetBSD */
	(void)setsockopt(fd, PF_ROUTE, RO_MSGFILTER, wanted, sizeof(wanted));
#else
	(void)fd;
#endif
}

int
os_news_open(void)
{
	int fd = socket(PF_ROUTE, SOCK_RAW, 0);

	if (fd == -1)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	news_filter(fd);
	return fd;
}

bool
os_news_read(int fd, bool routes UNUSED)
{
	uint8_t room[4096]; /* more than any of these messages, which have a few addresses at most */
	bool news = false;
	ssize_t length;

	for (;;) {
		length = recv(fd, room, sizeof(room), MSG_DONTWAIT);
		if (length > 0)
			news |= route_message_find(room, (size_t)length, RTM_VERSION, wanted, ARRAY_LEN(wanted));
		else if (length == -1 && errno == ENOBUFS)
			news = true; /* some were lost */
		else if (length == 0 || errno != EINTR)
			return news;
	}
}
