/* SPDX-License-Identifier: ISC */
/*
 * The memory that the daemon shares with the BPF programs that forward decided flows (src/offload): the daemon writes
 * flows, servers and VIPs here, the kernel finds a frame's flow and counts it. Both sides are compiled from this file,
 * so it contains only plain fixed-size types.
 *
 * Ownership, without locks: a flow's `name` is one 64-bit word, written last when the flow is added and cleared first
 * when it is removed; it alone gives ports, server and whether the entry is in use, so a reader that has read an old
 * name with a new address finds no match. The same holds for a server's first word: it is read before and after the
 * rest, and is another one whenever the rest has changed, because its stamp is. The counters are the kernel's, except
 * that the daemon collects `count` by an atomic exchange with 0.
 *
 * The table grows and shrinks with the flows, a bucket at a time (base/linear.h). The daemon publishes the number of
 * buckets in one word, and then moves the flows whose bucket changed: each is removed and added elsewhere. In between a
 * reader does not find it, and its frame goes to the daemon.
 */
#ifndef OFFLOAD_MAP_H
#define OFFLOAD_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/linear.h"
#include "encap/outer.h"

/* A function call would cost the kernel's programs more than these functions do. */
#define OFFLOAD_INLINE static inline __attribute__((always_inline))

/*
 * Four flows to a bucket, two buckets to choose from: of a full table 3 % find no room, of a half full one hardly any,
 * and a frame's flow is in the first cache line that is looked at as a rule.
 */
#define OFFLOAD_WAYS 4

#define OFFLOAD_VIPS 65536    /* their numbers have 16 bits */
#define OFFLOAD_SERVERS 65536 /* so have slots */
#define OFFLOAD_WANTED 65536  /* bits */
/* Slots of servers that other methods than mac may reach: of higher ones, all frames are the daemon's. */
#define OFFLOAD_ENCAPS 16384

/* A flow's name: the client's port (in the low bits), the VIP's, the server's slot, the slot's stamp, TCP or UDP. */
#define OFFLOAD_SLOT_SHIFT 32
#define OFFLOAD_STAMP_SHIFT 48
#define OFFLOAD_STAMP_MASK 0x3fff
#define OFFLOAD_NAME_UDP (UINT64_C(1) << 62)
#define OFFLOAD_NAME_FLOW (OFFLOAD_NAME_UDP | UINT32_MAX) /* the part that a frame has; never 0 */

/* The flags of a server's rule, besides its stamp. */
#define OFFLOAD_RULE_TCP 0x4000
#define OFFLOAD_RULE_UDP 0x8000

/* A flow's count: packets above, bytes below; taken once a second, long before 64 GiB, or 2^28 packets. */
#define OFFLOAD_BYTES_BITS 36

/* Times are the monotonic clock's nanoseconds without the low 20 bits: 1.05 ms each. */
#define OFFLOAD_TIME_SHIFT 20

/* 16 bytes, in the form that verifier and compiler handle best. */
union offload_addr {
	uint8_t bytes[16];
	uint32_t words[4];
	uint64_t longs[2];
};

struct offload_flow {
	uint64_t name;         /* 0: free */
	uint8_t client[16];    /* IPv4 as ::ffff:a.b.c.d */
	uint8_t from[6];       /* the MAC address of the client's frames; those from another one go to the daemon */
	uint16_t vip;
	uint64_t count;
	uint32_t seen;         /* by the kernel; in a free slot, when it was freed */
	uint32_t acknowledged; /* the next three as in flow/measure.h, for TCP */
	uint32_t sent;
	uint32_t resent;
	uint32_t conn;         /* the last two are the daemon's own: its flow's number, */
	uint32_t listed;       /* and the place in its list */
};

struct offload_bucket {
	struct offload_flow ways[OFFLOAD_WAYS];
};

struct offload_server {
	uint8_t mac[6];
	uint16_t rule;      /* read and written together with the MAC as one word; 0: nothing is sent there */
	uint8_t source[6];  /* the MAC address of the interface below */
	uint16_t zero;
	uint32_t ifindex;   /* where its frames leave */
	uint32_t mtu;       /* of that interface, less what the method adds */
	uint8_t method;     /* enum encap_method */
	uint8_t spare[7];
};

/* How a server is reached by another method than mac: changed only while its `rule` is 0. */
struct offload_encap {
	struct encap families[2]; /* of IPv4 and of IPv6 packets */
};

struct offload_vip {
	uint8_t addr[16];
	uint32_t ifindex;   /* the interface its frames leave by; 0: none */
	uint8_t mac[6];     /* that interface's own */
	uint8_t dscp;       /* of method dscp */
	uint8_t zero;
	uint32_t spare;
};

#define OFFLOAD_KEY_WORDS 10

struct offload_key {
	uint64_t start;
	uint64_t words[OFFLOAD_KEY_WORDS];
};

struct offload_control {
	struct offload_key key;
	uint64_t size;       /* offload_size(), read and written at once */
	uint32_t unconsumed; /* decisions that were not executed: see dsrd.bpf.c */
	uint32_t wide;       /* not 0: the daemon receives all that is sent to this host, and not offloaded */
	uint16_t port_first; /* ports at which answers to the VIP probe arrive */
	uint16_t port_last;
	uint32_t spare;      /* the size is a multiple of 8 where 64 bits need no alignment, too */
	uint8_t wanted[OFFLOAD_WANTED / 8]; /* by offload_address_hash(): addresses whose frames the daemon needs */
};

/*
 * What the kernel's first program decides for the second one, on one processor: see leave.h. The first 14 bytes of the
 * frame are `macs` and `type`; the rest is for other methods than mac.
 */
struct offload_hand {
	uint32_t ifindex; /* 0: no decision */
	uint32_t padding; /* bytes behind the packet that a tunnel does not carry */
	uint8_t aged[4];  /* a word of the packet's header, with one from its time to live: OFFLOAD_AGED */
	uint32_t zero;
	uint16_t udp;     /* the packet is: not 0 */
	uint8_t macs[12];
	uint8_t type[2];
	struct encap encap; /* its header is complete */
	uint8_t ipv6;       /* the packet is: not 0 */
	uint8_t dscp;
	uint8_t spare[6];
};

/* The number of buckets in use, and its mask. */
OFFLOAD_INLINE uint64_t
offload_size(uint32_t count)
{
	return (uint64_t)count << 32 | linear_mask(count);
}

OFFLOAD_INLINE uint32_t
offload_bucket_of(uint64_t size, uint32_t hash)
{
	return linear_bucket(hash, (uint32_t)(size >> 32), (uint32_t)size);
}

OFFLOAD_INLINE uint64_t
offload_product(const struct offload_key *key, unsigned i, uint32_t a, uint32_t b)
{
	return (key->words[i] + a) * (key->words[i + 1] + b);
}

/*
 * Multilinear hashing with halved multiplications, as in base/keyhash.h: each 32 bits of a flow's name have a secret
 * word of their own, so that colliding flows cannot be chosen without knowing the words. An IPv4 address is the last of
 * its four words.
 */
OFFLOAD_INLINE uint64_t
offload_sum_ipv4(const struct offload_key *key, const uint32_t client[4], const uint32_t vip[4], uint32_t ports,
    bool udp)
{
	return key->start + offload_product(key, 0, client[3], vip[3]) + offload_product(key, 2, ports, udp);
}

/*
 * Names that follow each other have sums that do, and would crowd in some buckets: the sum is spread until nothing of
 * that is left. (Multiplier: Knuth, TAOCP 6.4.) Each half chooses a bucket.
 */
OFFLOAD_INLINE uint64_t
offload_spread(uint64_t sum)
{
	sum = (sum ^ sum >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

OFFLOAD_INLINE uint64_t
offload_hash_ipv4(const struct offload_key *key, const uint32_t client[4], const uint32_t vip[4], uint32_t ports,
    bool udp)
{
	return offload_spread(offload_sum_ipv4(key, client, vip, ports, udp));
}

OFFLOAD_INLINE uint64_t
offload_hash_ipv6(const struct offload_key *key, const uint32_t client[4], const uint32_t vip[4], uint32_t ports,
    bool udp)
{
	return offload_spread(offload_sum_ipv4(key, client, vip, ports, udp) +
	    offload_product(key, 4, client[0], client[1]) +
	    offload_product(key, 6, client[2], vip[0]) + offload_product(key, 8, vip[1], vip[2]));
}

OFFLOAD_INLINE uint32_t
offload_first(uint64_t size, uint64_t hash)
{
	return offload_bucket_of(size, (uint32_t)hash);
}

OFFLOAD_INLINE uint32_t
offload_second(uint64_t size, uint64_t hash)
{
	return offload_bucket_of(size, (uint32_t)(hash >> 32));
}

OFFLOAD_INLINE uint32_t
offload_address_hash(const struct offload_key *key, const uint32_t addr[4])
{
	return (uint32_t)((key->start + offload_product(key, 0, addr[0], addr[1]) +
	    offload_product(key, 2, addr[2], addr[3])) >> 48) %
	    OFFLOAD_WANTED;
}

#endif
