/* SPDX-License-Identifier: ISC */
/*
 * One dsrd that may send works on an interface: two would answer ARP for the same VIPs and forward each frame twice. The
 * lock is a file of root's, or of the user that a service manager starts dsrd as, in the directory for run time files. No
 * other user can open it, so no other user can take it. Its name has the interface and, on Linux, the network namespace.
 */
#ifndef DAEMON_IFACE_LOCK_H
#define DAEMON_IFACE_LOCK_H

#include "base/attr.h"

#define IFACE_LOCK_ERROR 256

struct iface_lock;

/* NULL with a reason; errno EEXIST: another dsrd has it, and the reason names its process. */
NODISCARD struct iface_lock *iface_lock_take(const char *iface, char error[IFACE_LOCK_ERROR]);
/* NULL is fine. Removes the file where this process still may. */
void iface_lock_release(struct iface_lock *lock);

#endif
