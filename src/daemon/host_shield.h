/* SPDX-License-Identifier: ISC */
/* Keeps frames for VIPs from the host's own network stack (`withhold`): the daemon's part. */
#ifndef DAEMON_HOST_SHIELD_H
#define DAEMON_HOST_SHIELD_H

#include <stdbool.h>
#include <stddef.h>

struct attacher;
struct director;
struct host_shield;
struct nic;

/*
 * Call it while dsrd has the privilege for it. Without it dsrd logs the reason and runs without. `nics`, by the
 * director's interface numbers, and the director stay where they are. NULL, which is fine for the others: there is
 * none.
 */
struct host_shield *host_shield_open(const struct director *director, struct nic *nics,
    const struct attacher *attacher);
void host_shield_close(struct host_shield *host_shield);

/* Interfaces were opened, closed, or have other VIPs. */
void host_shield_settle(struct host_shield *host_shield);
/* The interface will be closed at once. */
void host_shield_end(struct host_shield *host_shield, size_t index);
/* Once a second. */
void host_shield_beat(struct host_shield *host_shield);

/* Are all frames for VIPs that come in by this interface kept from the stack? */
bool host_shield_is_on(const struct host_shield *host_shield, size_t index);

#endif
