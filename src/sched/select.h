/* SPDX-License-Identifier: ISC */
/*
 * Which slot of a service's hash table (sched/maglev.h) a flow has, by schedulers that choose by hash. Daemon and kernel
 * choose the same server because both are compiled from this file: no library, fixed-size types.
 */
#ifndef SCHED_SELECT_H
#define SCHED_SELECT_H

#include <stdint.h>

#include "base/sipround.h"

/* What of a flow chooses the server. 0: another scheduler, which goes by more than the flow. */
enum select_by {
	SELECT_NOT = 0,
	SELECT_FLOW,       /* maglev: client, ports and protocol; also the fallback of other schedulers */
	SELECT_SOURCE,     /* sh: the client's address */
	SELECT_DESTINATION /* dh: the VIP and its port */
};

/* The `hash-key`, in the words in which SipHash reads it. */
struct select_key {
	uint64_t k0;
	uint64_t k1;
};

/* Addresses as 16 bytes in memory: the client's with IPv4 as ::ffff:a.b.c.d, the VIP's as struct addr has it. */
struct select_name {
	uint64_t client[2];
	uint64_t vip[2];
	uint16_t client_port; /* host order */
	uint16_t vip_port;
	uint8_t protocol;
};

#define SELECT_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Eight bytes of memory as SipHash reads them, little-endian. */
static inline __attribute__((always_inline)) uint64_t
select_word(uint64_t memory)
{
	return SELECT_LITTLE_ENDIAN ? memory : __builtin_bswap64(memory);
}

static inline __attribute__((always_inline)) uint64_t
select_port(uint16_t port)
{
	return (uint64_t)(port >> 8) | (uint64_t)(port & 0xff) << 8;
}

/*
 * SipHash-2-4 of 24 bytes: an address, the two ports and the protocol in network order, as every director has them; what
 * does not count is 0.
 */
static inline __attribute__((always_inline)) uint64_t
select_hash(const struct select_key *key, uint32_t by, const struct select_name *name)
{
	const uint64_t *addr = by == SELECT_DESTINATION ? name->vip : name->client;
	struct sip_state s = sip_begin(key->k0, key->k1);
	uint64_t ports = 0;

	if (by == SELECT_FLOW)
		ports = select_port(name->client_port) | (uint64_t)name->protocol << 48;
	if (by != SELECT_SOURCE)
		ports |= select_port(name->vip_port) << 16;
	sip_compress(&s, select_word(addr[0]), 2);
	sip_compress(&s, select_word(addr[1]), 2);
	sip_compress(&s, ports, 2);
	sip_compress(&s, UINT64_C(24) << 56, 2);
	return sip_end(&s, 4);
}

/* Multiply and shift instead of a division (Lemire, ACM TOMACS 29(1), 2019): the high bits choose. */
static inline __attribute__((always_inline)) uint32_t
select_slot(uint64_t hash, uint32_t size)
{
	return (uint32_t)(((hash >> 32) * size) >> 32);
}

#endif
