/* SPDX-License-Identifier: ISC */
/* Which interfaces the director works on: found, opened, watched for change, reopened, closed. */
#ifndef DAEMON_INTERFACES_H
#define DAEMON_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "daemon/director.h"
#include "daemon/options.h"
#include "daemon/port.h"
#include "model/settings.h"

struct host_shield;
struct iface_lock;
struct loop;
struct privsep;
struct offloading;

/* What it works with belongs to others. */
struct interfaces {
	struct privsep *privsep; /* NULL: this process opens and locks them itself */
	const char *control;     /* as iface_lock_take() has it */
	struct director *director;
	struct loop *loop;
	struct offloading *offloading;
	struct host_shield *host_shield; /* NULL: the host's stack sees what it sees */
	struct nic nics[IFACES_MOST]; /* by the director's interface numbers */
	struct sender *local;         /* to this host's own stack, which is one of the servers; NULL: it is none */
	struct iface_lock *locks[IFACES_MOST]; /* NULL: not taken */
	unsigned listeners;           /* that need to receive everything sent to this host: see interfaces_listen() */
	bool observe;                 /* interfaces are left as they are, and nothing is sent */
	bool bypass;                  /* for those that are opened from now on: see io.h */
	bool locked;                  /* descriptors accept no new settings, see os_can_lock() */
};

/*
 * Finds the interfaces that `settings` need, by name or by a server's address, and opens those that are not open. The
 * reason of a failure is in the log; what was opened before it stays open.
 */
NODISCARD enum exit_status interfaces_prepare(struct interfaces *interfaces, const struct settings *settings);
/*
 * EXIT_BAD_CONFIG, logged, when this host's kernel holds a probe address, a VIP that it does not serve itself, or the
 * address of a server that is not `local`.
 */
NODISCARD enum exit_status interfaces_check_addresses(const struct settings *settings);
/*
 * From the first listener to the last one the captures receive everything that is sent to this host, for an
 * examination. Offloaded flows stay offloaded. Each interfaces_listen() needs its interfaces_unlisten().
 */
void interfaces_listen(struct interfaces *interfaces);
void interfaces_unlisten(struct interfaces *interfaces);
/* After the model has changed: closes unused interfaces, gives the kernel new filters. */
void interfaces_settle(struct interfaces *interfaces);
/* The director answers for other VIPs now: joins their groups, and leaves those of the rest. */
void interfaces_rejoin(struct interfaces *interfaces);
/* Checks MACs, MTUs and addresses for changes, and reopens what was lost. */
void interfaces_rescan(struct interfaces *interfaces, uint64_t now);
/* An interface stopped delivering frames: closes it; the next rescan tries again. */
void interfaces_lose(struct interfaces *interfaces, size_t index, const char *reason);
/* Root has been given up: locks the settings of all open and future descriptors, where the system supports it. */
void interfaces_lock(struct interfaces *interfaces);
void interfaces_close(struct interfaces *interfaces);

#endif
