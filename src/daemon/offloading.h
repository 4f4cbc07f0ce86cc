/* SPDX-License-Identifier: ISC */
/* Offload in the daemon: on which interfaces the kernel forwards, and what happens when it cannot. */
#ifndef DAEMON_OFFLOADING_H
#define DAEMON_OFFLOADING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "conf/conf.h"

struct attacher;
struct director;
struct nic;
struct offloading;

/*
 * Loads the programs for `mode`; call it while dsrd has the privilege for it. Without it dsrd logs the reason and
 * runs without. `nics`, by the director's interface numbers, and the director stay where they are. `attacher`:
 * offload/attach.h. NULL when memory is out.
 */
NODISCARD struct offloading *offloading_open(struct director *director, struct nic *nics, enum conf_offload mode,
    const struct attacher *attacher);
/* NULL is fine. The interfaces are closed already. */
void offloading_close(struct offloading *offloading);

/* Interfaces were opened, closed, or have other VIPs; gives each its filter. */
void offloading_settle(struct offloading *offloading);
/* The same for the filters alone. `wide`: the captures are to receive everything that is sent to this host. */
void offloading_filter(struct offloading *offloading, bool wide);
/* The interface is about to be closed: from here on the capture gets each frame. */
void offloading_end(struct offloading *offloading, size_t index);
/* What may have changed at an interface: XDP gives way to tc where VLAN tags are taken out of frames from now on. */
void offloading_rescan(struct offloading *offloading);
/* Once a second: does the kernel forward as configured? */
void offloading_look(struct offloading *offloading);
/* Counters are about to be read: collects the kernel's. */
void offloading_sync(struct offloading *offloading);

/* Readable when the kernel has recorded frames whose server it selected; -1: it does not. */
int offloading_records(const struct offloading *offloading);
/* Learns the flows of these frames. */
void offloading_learn(struct offloading *offloading);

/* Once a second, after frames that were lost have been counted: a flood begins or ends (flow/flood.h). */
void offloading_watch_flood(struct offloading *offloading, uint64_t now);

/* Why the kernel does not forward on this open interface, though configured to; NULL when it is as configured. */
const char *offloading_lost(const struct offloading *offloading, size_t index);

/* "tc", "xdp", "xdp-generic" or "off"; and why it is off, empty when it was not wanted. */
const char *offloading_state(const struct offloading *offloading, size_t index);
const char *offloading_reason(const struct offloading *offloading, size_t index);

#endif
