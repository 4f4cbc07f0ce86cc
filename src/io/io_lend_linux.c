/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "io/io_lend.h"

#include <linux/if_packet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The one socket on its way into a library: there is no way to hand it an argument. */
static int lent = -1;

bool
io_can_lend(void)
{
	return true;
}

void
io_lend(int fd)
{
	io_lend_end();
	lent = fd;
}

void
io_lend_end(void)
{
	if (lent != -1)
		(void)close(lent);
	lent = -1;
}

/* The linker finds these before the C library's, for this program and its shared libraries. */
int
socket(int domain, int type, int protocol)
{
	const int taken = lent;

	if (domain != AF_PACKET || taken == -1)
		return (int)syscall(SYS_socket, domain, type, protocol);
	lent = -1;
	return taken;
}

/*
 * A lent socket is bound: to bind it to the same again is done already. libpcap first binds without a protocol, so that
 * nothing arrives before its ring is there; what arrives earlier here, the kernel discards when it makes the ring
 * (net/packet/af_packet.c, packet_set_ring()).
 */
int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct sockaddr_ll *wanted = (const struct sockaddr_ll *)(const void *)address;
	struct sockaddr_ll bound;
	socklen_t size = sizeof(bound);

	if (length >= offsetof(struct sockaddr_ll, sll_hatype) && address->sa_family == AF_PACKET &&
	    getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && bound.sll_ifindex == wanted->sll_ifindex &&
	    (bound.sll_protocol == wanted->sll_protocol || wanted->sll_protocol == 0))
		return 0;
	return (int)syscall(SYS_bind, fd, address, length);
}
