/* SPDX-License-Identifier: ISC */
/*
 * What the daemon tells the kernel's program so that it chooses the server of a flow that is not in its table
 * (offload/select.h): which VIPs and ports have a service that selects by hash, and the slots of its hash table. As in
 * offload/map.h there are only plain fixed-size types.
 *
 * Versions: there are two banks. The daemon writes the one that is not in use, and then its number into
 * `select_control`, in one word. A bank that has gone out of use rests before it is written again, longer than any
 * reader reads it. In the bank in use only the flag SELECT_SETTLED of a slot changes.
 */
#ifndef OFFLOAD_SELECT_MAP_H
#define OFFLOAD_SELECT_MAP_H

#include <stdint.h>

#include "offload/map.h"
#include "sched/select.h"

/* Each a power of two. What does not fit is not published, and the daemon decides it. */
#define SELECT_FRONTS 8192     /* places for VIPs; at most half of them are used */
#define SELECT_PROBES 8        /* so many places are searched */
#define SELECT_RANGES 8192     /* ranges of ports */
#define SELECT_RANGES_EACH 16  /* of one VIP at most */
#define SELECT_SERVICES 2048
#define SELECT_SLOTS 524288    /* of all hash tables: 120 services of up to 40 servers */
#define SELECT_SERVERS 4096    /* a server in a higher slot of the forwarding table is not selected */

/* By the hash of its address. */
struct select_front {
	uint64_t addr[2];  /* as in struct offload_vip */
	uint32_t vip;      /* its number, plus 1; 0: the place is free */
	uint16_t ranges;   /* the first one of its ranges, */
	uint16_t count;    /* and their number */
	uint64_t spare;
};

/* Ports, as fwd_port_key() of sched/fwdtab.h has them. */
struct select_range {
	uint32_t first;
	uint32_t last;
	uint32_t service;
	uint32_t spare;
};

struct select_service {
	uint32_t slots; /* the first one of its hash table's slots, */
	uint32_t size;  /* and their number */
	uint32_t by;    /* enum select_by */
	uint32_t fallback; /* not 0: it has another scheduler, and selects by hash in a flood alone */
};

/*
 * A slot: a server, and the stamp of its rule. It is settled when it has had the server for as long as the daemon may
 * know flows that this program does not; before, what is not in the table is left to the daemon.
 */
#define SELECT_SERVER 0xffffU
#define SELECT_STAMP_SHIFT 16
#define SELECT_SETTLED (UINT32_C(1) << 31)

struct select_bank {
	struct select_front fronts[SELECT_FRONTS];
	struct select_range ranges[SELECT_RANGES];
	struct select_service services[SELECT_SERVICES];
	uint32_t slots[SELECT_SLOTS];
};

#define SELECT_BANKS 2
#define SELECT_SOURCES 4096 /* bits */

struct select_control {
	struct select_key key;
	uint32_t bank; /* the number of the bank in use, plus 1; 0: nothing is selected */
	uint32_t flood; /* not 0: there is a flood */
	/* By select_source_bit() and select_mac_bit(): frames of such sources are the daemon's. */
	uint8_t addresses[SELECT_SOURCES / 8];
	uint8_t macs[SELECT_SOURCES / 8];
};

struct select_count {
	uint64_t packets;
	uint64_t bytes;
};

/* Of one processor, which alone writes them. They only grow. */
struct select_counts {
	struct select_count servers[SELECT_SERVERS]; /* of selected frames */
	uint64_t unrecorded; /* of them, those that found no room in the ring */
	uint64_t spare[7];
};

#define SELECT_RING 262144 /* bytes of each processor's ring, a power of two: room for 2000 records */

/* A frame that was selected, as the daemon learns of it. */
struct select_record {
	uint64_t now;      /* nanoseconds, monotonic */
	uint32_t length;   /* of the frame */
	uint32_t ifindex;  /* where it came in */
	uint32_t slot;     /* as in the bank: its server */
	uint32_t spare;
	uint8_t head[80];  /* Ethernet, IP without options, and 20 bytes of TCP or 8 of UDP */
};

OFFLOAD_INLINE uint32_t
select_source_bit(const struct offload_key *key, const union offload_addr *addr)
{
	return offload_address_hash(key, addr->words) % SELECT_SOURCES;
}

/* The last bits of a MAC address: those that differ between hosts. */
OFFLOAD_INLINE uint32_t
select_mac_bit(const uint8_t *mac)
{
	return ((uint32_t)mac[4] << 8 | mac[5]) % SELECT_SOURCES;
}

#endif
