/* SPDX-License-Identifier: ISC */
/*
 * The daemon's half of offload/select.h: publishes the services that select by hash, collects what the kernel counted
 * of the frames whose server it selected, and gives the meaning of its records.
 */
#ifndef OFFLOAD_PUBLISH_H
#define OFFLOAD_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "offload/cache.h"
#include "offload/select_map.h"

/*
 * VIPs of these groups are this director's to forward (a bit for each, struct fwd_vip): others are not published. Takes
 * effect with the next offload_refresh(). At first all are.
 */
void offload_serve_groups(struct offload_cache *offload, uint32_t groups);

/* The server that a record's frame went to, and the interface where it came in; NULL: one of them is gone. */
struct fwd_server *offload_recorded(const struct offload_cache *offload, const struct select_record *record,
    uint16_t *iface);

/* From here on a flood of unknown flows is (not) the kernel's: services with other schedulers are selected by hash, too. */
void offload_set_flood(struct offload_cache *offload, bool on);

/* Is any service published, so that the kernel selects servers? */
bool offload_selects(const struct offload_cache *offload);

#endif
