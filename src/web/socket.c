/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 16

static socklen_t
fill_address(const struct addr *addr, uint16_t port, struct sockaddr_storage *storage)
{
	struct sockaddr_in *four = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;

	memset(storage, 0, sizeof(*storage));
	if (addr->family == ADDR_IPV4) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, addr->bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, addr->bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

/* Alike everywhere: a restart finds the port free, and [::] does not take IPv4's, which OpenBSD never lets it. */
static int
socket_set_options(int fd, int family)
{
	const int on = 1;

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		return -1;
	return family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) : 0;
}

static const char *
socket_hint(int number)
{
	switch (number) {
	case EADDRINUSE:
		return ": another program uses that port; find it with `ss -ltnp` on Linux, `sockstat -l` or `fstat` elsewhere";
	case EADDRNOTAVAIL:
		return ": no interface of this host has that address";
	case EACCES:
		return ": ports below 1024 need root, or under systemd CAP_NET_BIND_SERVICE among its AmbientCapabilities";
	default:
		return "";
	}
}

int
web_socket(const struct addr *addr, uint16_t port, char error[WEB_ERROR])
{
	struct sockaddr_storage storage;
	const socklen_t length = fill_address(addr, port, &storage);
	int fd = socket(storage.ss_family, SOCK_STREAM, 0), number;
	char text[ADDR_TEXT];

	if (fd != -1 && socket_set_options(fd, storage.ss_family) == 0 &&
	    bind(fd, (const struct sockaddr *)&storage, length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	number = errno;
	snprintf(error, WEB_ERROR, "cannot listen on %s port %u: %s%s", addr_format(addr, text), port, strerror(number),
	    socket_hint(number));
	if (fd != -1)
		close(fd);
	errno = number;
	return -1;
}
