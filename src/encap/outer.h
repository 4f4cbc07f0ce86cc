/* SPDX-License-Identifier: ISC */
/*
 * The headers that a tunnel puts before a packet. The single implementation, compiled into the daemon (encap/encap.c)
 * and into the kernel's programs (offload/dsrd.bpf.c), so that both send the same bytes. It calls no functions, and
 * reads and writes only what it is given.
 */
#ifndef ENCAP_OUTER_H
#define ENCAP_OUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/sum.h"

#define ENCAP_INLINE static inline __attribute__((always_inline))

enum encap_method {
	ENCAP_MAC = 0,
	ENCAP_DSCP,
	ENCAP_IPIP,
	ENCAP_GRE,
	ENCAP_GUE,
	ENCAP_GUE1,
	ENCAP_LOCAL, /* the director itself: no method that a service can have, and no way for the kernel's programs */
	ENCAP_METHODS
};

#define ENCAP_HEADER_MOST 52 /* IPv6, UDP and GUE */

#define ENCAP_IPV4_HEADER 20 /* RFC 791 section 3.1: its length, and offsets in it */
#define ENCAP_IPV4_TOS 1
#define ENCAP_IPV4_LENGTH 2
#define ENCAP_IPV4_IDENTIFICATION 4
#define ENCAP_IPV4_FLAGS 6
#define ENCAP_IPV4_TTL 8
#define ENCAP_IPV4_CHECKSUM 10
#define ENCAP_DONT_FRAGMENT 0x4000

#define ENCAP_IPV6_HEADER 40 /* RFC 8200 section 3: its length, and offsets in it */
#define ENCAP_IPV6_LENGTH 4
#define ENCAP_IPV6_ADDRESSES 8

#define ENCAP_UDP_HEADER 8 /* RFC 768: ports, length, checksum */
#define ENCAP_UDP_LENGTH 4
#define ENCAP_UDP_CHECKSUM 6
#define ENCAP_UDP 17 /* Protocol Numbers, IANA */

/* RFC 8086 section 3.2.1: source ports in 49152 to 65535, so 14 bits of the hash. */
#define ENCAP_PORT_FIRST 49152

#define ENCAP_OUTER_IPV6 6 /* ADDR_IPV6 */

/* What stands before the packets of one family on their way to one server. Aligned for the kernel's verifier. */
struct encap {
	union {
		uint8_t header[ENCAP_HEADER_MOST]; /* lengths, checksums and what the packet decides are zero */
		uint8_t server[16];                /* with dscp, its address: nothing stands before the packet */
	};
	uint8_t length; /* of the header; 0: nothing stands before the packets */
	uint8_t udp;    /* where in it the UDP header is; 0: there is none */
	uint8_t outer;  /* of the header, and of the server: enum addr_family */
	uint8_t method; /* enum encap_method */
} __attribute__((aligned(8)));

/* What the outer headers take from the packet. */
struct encap_inner {
	uint32_t length;        /* from its IP header to its end */
	uint32_t hash;          /* encap_flow_hash() */
	uint32_t traffic_class; /* as IPv4 calls it, type of service: DSCP and ECN */
	bool dont_fragment;     /* always, in IPv6 */
	uint16_t identification; /* of IPv4 */
	uint64_t sum;           /* of its words as they lie in memory, below 2^48; for UDP over IPv6 alone */
};

/* `value` as it lies in memory in network order. */
ENCAP_INLINE uint16_t
encap_net16(uint32_t value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16((uint16_t)value) : (uint16_t)value;
}

ENCAP_INLINE uint32_t
encap_net32(uint32_t value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(value) : value;
}

/* One access each: the compiler knows that the kernel's buffers are aligned. */
ENCAP_INLINE void
encap_store16(uint8_t *bytes, uint32_t value)
{
	const uint16_t word = encap_net16(value);

	__builtin_memcpy(bytes, &word, sizeof(word));
}

ENCAP_INLINE uint32_t
encap_word(const uint8_t *bytes)
{
	uint32_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

/*
 * The sum of what a transport checksum covers, without looking at it: with the pseudo-header it is 0 (RFC 9293 section
 * 3.1, RFC 768), whether the sender has computed the checksum or leaves that to a card. Where the packet was damaged, so
 * is the outer checksum then, and the server drops it one header earlier. The addresses stand both in the IP header
 * and the pseudo-header and cancel: `before` is the sum of the rest of the IP header.
 */
ENCAP_INLINE uint64_t
encap_sum_by_checksum(uint64_t before, uint32_t protocol, uint32_t length)
{
	return before + (uint16_t)~sum_fold((uint64_t)encap_net16(protocol) + encap_net16(length));
}

/*
 * The flow's, so that all its packets take one path: of addresses, protocol, and ports where they are known, else 0. It
 * is no secret and need not resist anyone. The words are numbers, one of an IPv4 address, four of an IPv6 address.
 */
ENCAP_INLINE uint64_t
encap_hash_addresses(uint64_t hash, uint32_t source, uint32_t destination)
{
	return (hash ^ source ^ (uint64_t)destination << 32) * UINT64_C(0x9e3779b97f4a7c15);
}

ENCAP_INLINE uint32_t
encap_hash_end(uint64_t hash, uint32_t source_port, uint32_t destination_port)
{
	hash = (hash ^ source_port ^ (uint64_t)destination_port << 16) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash >> 32);
}

/*
 * May the outer packet be fragmented? As the inner one, and IPv6's not (RFC 2003 section 3.1, RFC 4213 section 3.2.2).
 * An identification is needed only where it may (RFC 6864 section 4): it is the packet's own, mixed with the flow's
 * hash, since many senders' packets become those of one.
 */
ENCAP_INLINE void
encap_finish_ipv4(uint8_t *ip, const struct encap_inner *inner, uint32_t length)
{
	uint64_t sum;
	uint16_t checksum;

	ip[ENCAP_IPV4_TOS] = (uint8_t)inner->traffic_class;
	encap_store16(ip + ENCAP_IPV4_LENGTH, length);
	if (inner->dont_fragment)
		encap_store16(ip + ENCAP_IPV4_FLAGS, ENCAP_DONT_FRAGMENT);
	else
		encap_store16(ip + ENCAP_IPV4_IDENTIFICATION, inner->identification ^ (inner->hash & 0xffff));
	sum = (uint64_t)encap_word(ip) + encap_word(ip + 4) + encap_word(ip + 8) + encap_word(ip + 12) +
	    encap_word(ip + 16);
	checksum = (uint16_t)~sum_fold(sum);
	__builtin_memcpy(ip + ENCAP_IPV4_CHECKSUM, &checksum, sizeof(checksum));
}

/* Version 6, the class, and 20 bits of the hash as the flow label (RFC 6438 section 3). */
ENCAP_INLINE void
encap_finish_ipv6(uint8_t *ip, const struct encap_inner *inner, uint32_t length)
{
	const uint32_t first = encap_net32(6U << 28 | inner->traffic_class << 20 | (inner->hash & 0xfffff));

	__builtin_memcpy(ip, &first, sizeof(first));
	encap_store16(ip + ENCAP_IPV6_LENGTH, length - ENCAP_IPV6_HEADER);
}

/*
 * Over IPv4 no checksum, as the inner packet has its own (RFC 768); over IPv6 one is required of senders that cannot
 * know their receivers (RFC 6935 section 5, RFC 8200 section 8.1). `rest` is what follows the UDP header but for the
 * packet: 0 or 4 bytes.
 */
ENCAP_INLINE void
encap_finish_udp6(uint8_t *ip, uint8_t *udp, const struct encap_inner *inner, uint32_t length, uint32_t rest)
{
	uint64_t sum = inner->sum + encap_net16(length) + encap_net16(ENCAP_UDP);
	uint16_t checksum;

#pragma GCC unroll 8
	for (uint32_t i = 0; i < 32; i += 4)
		sum += encap_word(ip + ENCAP_IPV6_ADDRESSES + i);
	sum += (uint64_t)encap_word(udp) + encap_word(udp + 4);
	if (rest != 0)
		sum += encap_word(udp + ENCAP_UDP_HEADER);
	checksum = (uint16_t)~sum_fold(sum);
	if (checksum == 0)
		checksum = 0xffff;
	__builtin_memcpy(udp + ENCAP_UDP_CHECKSUM, &checksum, sizeof(checksum));
}

/* Source port and length. */
ENCAP_INLINE void
encap_finish_udp(uint8_t *udp, const struct encap_inner *inner, uint32_t length)
{
	encap_store16(udp, ENCAP_PORT_FIRST | inner->hash >> 18);
	encap_store16(udp + ENCAP_UDP_LENGTH, length);
}

/* Completes `ip`, a copy of encap->header. Constant offsets, since the kernel's verifier has to follow. */
ENCAP_INLINE void
encap_finish(uint8_t *ip, const struct encap *encap, const struct encap_inner *inner)
{
	const uint32_t length = encap->length + inner->length;

	if (encap->outer != ENCAP_OUTER_IPV6) {
		encap_finish_ipv4(ip, inner, length);
		if (encap->udp != 0)
			encap_finish_udp(ip + ENCAP_IPV4_HEADER, inner, length - ENCAP_IPV4_HEADER);
		return;
	}
	encap_finish_ipv6(ip, inner, length);
	if (encap->udp == 0)
		return;
	encap_finish_udp(ip + ENCAP_IPV6_HEADER, inner, length - ENCAP_IPV6_HEADER);
	encap_finish_udp6(ip, ip + ENCAP_IPV6_HEADER, inner, length - ENCAP_IPV6_HEADER,
	    encap->length - (ENCAP_IPV6_HEADER + ENCAP_UDP_HEADER));
}

#endif
