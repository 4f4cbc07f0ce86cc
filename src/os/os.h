/* SPDX-License-Identifier: ISC */
/*
 * What a platform provides. os/iface.c is portable; the rest has one file a platform, picked by configure:
 * host_linux.c, or host_none.c where there is nothing better, in which case what it cannot do is said, not pretended.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"

#define OS_ERROR 256

/* The facts of one interface: MAC, MTU, addresses. 0, or -1 with a reason (errno ENODEV or ENXIO: no such interface). */
NODISCARD int os_iface_read(const char *name, struct iface *iface, char error[OS_ERROR]);
/* Names of all interfaces that are up and are not loopbacks, in the system's order; at most `most`. Their number. */
size_t os_iface_list(char names[][IFACE_NAME], size_t most);
/* Does this host itself hold `addr`, on any interface? On which one is written to `iface`. */
bool os_holds_address(const struct addr *addr, char iface[IFACE_NAME]);

/* Would this host route packets that arrive on `iface`? If so `mend` gets the command that stops it. */
bool os_forwards(const char *iface, enum addr_family family, char *mend, size_t size);

/*
 * Receive offloads merge frames into larger ones than can be sent. os_offload_off() turns them off and remembers what was
 * on; os_offload_restore() puts that back. Where it cannot, it says why in `error` (-1) and the splitter does the work.
 */
struct offload {
	unsigned turned_off; /* a bit for each feature; the platform's file knows which */
};
NODISCARD int os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR]);
NODISCARD int os_offload_restore(const char *iface, const struct offload *offload, char error[OS_ERROR]);
/* "gro lro", for the log. Returns `text`. */
#define OFFLOAD_TEXT 64
const char *os_offload_text(const struct offload *offload, char text[OFFLOAD_TEXT]);

/*
 * Stop the kernel from queueing frames to a socket that is only written to: libnet's link socket is also a tap that
 * nobody reads. 0 or -1.
 */
NODISCARD int os_silence_socket(int fd);
/* Tell the kernel not to hand a capture descriptor the frames this host sends. An optimisation: -1 is no harm. */
int os_ignore_outgoing(int fd);

/*
 * Become `user` ("name" or "name:group"), keeping only the right to open and write raw frames and to change offloads,
 * where the platform can divide root; elsewhere a later open fails and says so. 0 or -1.
 */
NODISCARD int os_drop_root(const char *user, char error[OS_ERROR]);
/* What this process lacks to capture and inject, as a sentence; NULL when nothing is missing. */
const char *os_missing_privilege(void);

#endif
