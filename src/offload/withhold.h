/* SPDX-License-Identifier: ISC */
/*
 * Keeps frames for VIPs from the host's own network stack, after the tap that the daemon reads. configure picks
 * withhold_bpf.c, or withhold_none.c where it is not possible.
 *
 * It ends with the process, however that ends; where the kernel does not support this, a few seconds later.
 */
#ifndef OFFLOAD_WITHHOLD_H
#define OFFLOAD_WITHHOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

#define WITHHOLD_ERROR 512
#define WITHHOLDS_MOST 64 /* interfaces */

struct attacher;
struct withhold;

/* A VIP, with the number of the interface on which its frames arrive. */
struct withheld_vip {
	struct addr addr;
	size_t number;
};

/* Needs the privilege that bpf_offload_open() needs. NULL with a reason. */
NODISCARD struct withhold *withhold_open(const struct attacher *attacher, char error[WITHHOLD_ERROR]);
/* Ends it everywhere. NULL is fine. */
void withhold_close(struct withhold *withhold);

/* 0, also when it is active already, or -1 with a reason. */
NODISCARD int withhold_begin(struct withhold *withhold, size_t number, const char *iface,
    char error[WITHHOLD_ERROR]);
void withhold_end(struct withhold *withhold, size_t number);

/* Replaces the set of addresses. Returns how many of them did not fit. */
size_t withhold_set(struct withhold *withhold, const struct withheld_vip *vips, size_t count);
/* Call about once a second, as a sign of life from the daemon. */
void withhold_beat(struct withhold *withhold);

#endif
