/* SPDX-License-Identifier: ISC */
/*
 * The memory that the daemon shares with the program that withholds frames for VIPs from the host's own network stack
 * (withhold.bpf.c). The daemon alone writes it. Both sides are compiled from this file.
 */
#ifndef OFFLOAD_WITHHOLD_MAP_H
#define OFFLOAD_WITHHOLD_MAP_H

#include <stdint.h>

/* Open addressing: a VIP is in one of the slots from its hash on. In a half full table nearly every VIP finds one. */
#define WITHHOLD_PLACES 8192
#define WITHHOLD_PROBES 16
#define WITHHOLD_VIPS_MOST (WITHHOLD_PLACES / 2)

/* If the daemon gives no sign of life for so long, frames reach the stack again. */
#define WITHHOLD_PATIENCE_NS INT64_C(5000000000)

struct withhold_place {
	uint64_t addr[2];  /* IPv4 as ::ffff:a.b.c.d */
	uint32_t ifindex;  /* where its frames come in; 0: free */
	uint32_t spare;
};

struct withhold_state {
	uint64_t alive; /* the daemon's last sign of life: the monotonic clock's nanoseconds */
	struct withhold_place places[WITHHOLD_PLACES];
};

static inline uint32_t
withhold_hash(const uint64_t addr[2], uint32_t ifindex)
{
	uint64_t word = addr[0] ^ addr[1] ^ (uint64_t)ifindex << 16;

	/* Uses the high half too: addresses differ there, and a product carries upwards only (Knuth, TAOCP 6.4). */
	word ^= word >> 32;
	return (uint32_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 40) % WITHHOLD_PLACES;
}

#endif
