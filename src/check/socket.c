/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/util.h>

enum health_reason
check_reason_of(int error)
{
	switch (error) {
	case 0:
		return HEALTH_REASON_NONE;
	case ECONNREFUSED:
		return HEALTH_REASON_REFUSED;
	case ETIMEDOUT:
		return HEALTH_REASON_TIMEOUT;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return HEALTH_REASON_RESET;
	case EMFILE: /* no descriptors, memory or ports left here */
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN:
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EPERM: /* a filter of our own (Linux, netfilter's OUTPUT) */
	case EACCES:
	case EAFNOSUPPORT: /* a kernel without IPv6 */
		return HEALTH_REASON_LOCAL;
	default: /* EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, and what else ICMP errors become (ENOPROTOOPT) */
		return HEALTH_REASON_UNREACHABLE;
	}
}

const char *
check_error_text(int error)
{
	if (check_reason_of(error) != HEALTH_REASON_LOCAL)
		return NULL;
	if (error == EMFILE)
		return "too many open files: raise the hard limit of dsrd's open files (systemd: LimitNOFILE=, login.conf: openfiles)";
	return strerror(error);
}

/* The length of what was filled in. */
static socklen_t
check_fill_sockaddr(struct sockaddr_storage *storage, const struct addr *addr, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(storage, 0, sizeof(*storage));
	if (addr->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, addr->bytes, sizeof(v4.sin_addr));
		memcpy(storage, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, addr->bytes, sizeof(v6.sin6_addr));
	memcpy(storage, &v6, sizeof(v6));
	return sizeof(v6);
}

int
socket_connect(const struct addr *addr, uint16_t port, int type, int protocol)
{
	struct sockaddr_storage storage;
	const socklen_t length = check_fill_sockaddr(&storage, addr, port);
	const int fd = socket(addr->family == ADDR_IPV4 ? AF_INET : AF_INET6, type, protocol);
	int reason;

	if (fd == -1)
		return -1;
	if (evutil_make_socket_nonblocking(fd) == -1 || evutil_make_socket_closeonexec(fd) == -1)
		goto fail;
	if (connect(fd, (const struct sockaddr *)&storage, length) == 0) {
		errno = 0;
		return fd;
	}
	if (errno == EINPROGRESS)
		return fd;
fail:
	reason = errno;
	(void)close(fd);
	errno = reason;
	return -1;
}

int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1 ? errno : error;
}
