/* SPDX-License-Identifier: ISC */
/* The user at the other end of a Unix socket. There is no standard call for it. */
#include "config.h"

#include "os/os.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <unistd.h>

#if defined(HAVE_GETPEEREID)

int
os_peer_user(int fd, uid_t *uid)
{
	gid_t gid;

	return getpeereid(fd, uid, &gid);
}

#elif defined(SO_PEERCRED)

int
os_peer_user(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
		return -1;
	*uid = peer.uid;
	return 0;
}

#else
#error "this system has neither getpeereid() nor SO_PEERCRED: add its call for a peer's user to os/peer.c"
#endif
