/* SPDX-License-Identifier: ISC */
/*
 * The memory that the daemon shares with the program in the kernel which carries decided flows (src/offload): the daemon
 * writes flows, servers and VIPs here, the kernel finds a frame's flow and counts it. Both sides are compiled from this
 * file, so it has nothing but plain fixed-size types.
 *
 * Who writes what, without locks: a flow's `name` is one 64-bit word, written last when the flow is put in and cleared
 * first when it is taken out; it alone says ports, server and whether the flow is there, so a reader that holds an old
 * name with a new address behind it finds no match. Likewise a server's `word`. The counters are the kernel's, except
 * that the daemon takes `count` by an atomic exchange with 0.
 */
#ifndef LB_CARRY_MAP_H
#define LB_CARRY_MAP_H

#include <stdint.h>

/*
 * Four flows to a bucket, two buckets to choose from: of a full table 3 % find no room, of a half full one none, and a
 * frame's flow is in the first cache line that is looked at as a rule.
 */
#define CARRY_WAYS 4

#define CARRY_VIPS 65536    /* their numbers have 16 bits */
#define CARRY_SERVERS 65536 /* so have slots */
#define CARRY_WANTED 65536  /* bits */

/* A flow's name: the client's port (in the low bits), the VIP's, the server's slot, the slot's stamp, TCP or UDP. */
#define CARRY_SLOT_SHIFT 32
#define CARRY_STAMP_SHIFT 48
#define CARRY_STAMP_MASK 0x3fff
#define CARRY_NAME_UDP (UINT64_C(1) << 62)

/* What a server's rule says beside its stamp. */
#define CARRY_RULE_TCP 0x4000
#define CARRY_RULE_UDP 0x8000

/* A flow's count: packets above, bytes below; taken once a second, long before 64 GiB, or 2^28 packets. */
#define CARRY_BYTES_BITS 36

/* Times are the monotonic clock's nanoseconds without the low 20 bits: 1.05 ms each. */
#define CARRY_TIME_SHIFT 20

struct carry_flow {
	uint64_t name;         /* 0: free */
	uint8_t client[16];    /* IPv4 as ::ffff:a.b.c.d */
	uint8_t from[6];       /* the MAC address the client's frames come from: from another one, they are looked at */
	uint16_t vip;
	uint64_t count;
	uint32_t seen;         /* by the kernel; in a free place, when it was given back */
	uint32_t acknowledged; /* the next three as in lb/measure.h, for TCP */
	uint32_t sent;
	uint32_t resent;
	uint32_t conn;         /* the last two are the daemon's own: its flow's number, */
	uint32_t listed;       /* and the place in its list */
};

struct carry_bucket {
	struct carry_flow ways[CARRY_WAYS];
};

struct carry_server {
	uint8_t mac[6];
	uint16_t rule;      /* with the MAC one word, read and written at once; 0: nothing goes there */
	uint8_t source[6];  /* the MAC address of the interface below */
	uint16_t zero;
	uint32_t ifindex;   /* where its frames leave */
	uint32_t mtu;
	uint64_t spare;
};

struct carry_vip {
	uint8_t addr[16];
	uint32_t ifindex;   /* where its frames are carried from; 0: nowhere */
	uint8_t mac[6];     /* that interface's own */
	uint16_t zero;
	uint32_t spare;
};

struct carry_control {
	uint64_t seed;
	uint32_t mask;       /* of bucket numbers */
	uint32_t unconsumed; /* frames of which nobody fetched what was decided: see dsrd.bpf.c */
	uint16_t port_first; /* ports at which answers to the VIP probe arrive */
	uint16_t port_last;
	uint32_t spare;
	uint8_t wanted[CARRY_WANTED / 8]; /* by carry_address_hash(): addresses that the daemon wants to hear of */
};

/* What the kernel's first program decides for the second one, on one processor. */
struct carry_hand {
	uint8_t macs[12];
	uint32_t ifindex; /* 0: nothing was decided */
};

#define CARRY_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15) /* Knuth, TAOCP 6.4 */

static inline uint64_t
carry_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * CARRY_MULTIPLIER;
	return hash ^ hash >> 32;
}

/* The low half chooses the first bucket, the high half the second. The seed is secret: clients choose what is hashed. */
static inline uint64_t
carry_hash(uint64_t seed, const uint64_t client[2], const uint64_t vip[2], uint64_t ports)
{
	uint64_t hash = carry_mix(seed, client[0] ^ vip[0] * 3);

	hash = carry_mix(hash, client[1]);
	hash = carry_mix(hash, vip[1]);
	return carry_mix(hash, ports) * CARRY_MULTIPLIER;
}

static inline uint32_t
carry_address_hash(uint64_t seed, const uint64_t addr[2])
{
	return (uint32_t)(carry_mix(carry_mix(seed, addr[0]), addr[1]) % CARRY_WANTED);
}

#endif
