/* SPDX-License-Identifier: ISC */
/*
 * Only one dsrd that sends may use an interface: two would answer ARP for the same VIPs and forward each frame twice.
 * The lock is a file of root's, or of the user that a service manager starts dsrd as, in the directory for run time
 * files. No other user can open it, so no other user can take it. Its name has the interface and, on Linux, the
 * network namespace.
 */
#ifndef DAEMON_IFACE_LOCK_H
#define DAEMON_IFACE_LOCK_H

#include <sys/types.h>

#include "base/attr.h"

#define IFACE_LOCK_ERROR 256

struct iface_lock;

/*
 * NULL with a reason; errno EEXIST: another dsrd has it, and the reason names its process. A dsrd that was never
 * root, where no service manager made that directory, has the lock beside its control socket, of the path `control`.
 */
NODISCARD struct iface_lock *iface_lock_take(const char *iface, pid_t holder, const char *control,
    char error[IFACE_LOCK_ERROR]);
/* The descriptor that holds it, which is the caller's now. */
int iface_lock_give(struct iface_lock *lock);
/* From another process, which has taken it. NULL, with the descriptor closed, when memory is out. */
NODISCARD struct iface_lock *iface_lock_given(int fd);
/* NULL is fine. Removes the file where this process still may. */
void iface_lock_release(struct iface_lock *lock);

#endif
