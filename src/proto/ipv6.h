/* SPDX-License-Identifier: ISC */
/*
 * The IPv6 header and the chain of extension headers behind it (RFC 8200 section 4): for packets, and for those quoted.
 */
#ifndef PROTO_IPV6_H
#define PROTO_IPV6_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/packet.h"

/* Offsets in the IPv6 header (RFC 8200 section 3). */
#define IPV6_PAYLOAD_LENGTH 4
#define IPV6_NEXT_HEADER 6
#define IPV6_HOP_LIMIT 7
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define IPV6_HEADER 40

/* Real packets have three or four at most; the bound limits the cost of one frame (RFC 8504 section 5.3). */
#define IPV6_EXTENSIONS_MOST 8

struct ipv6_chain {
	uint8_t protocol;     /* the next header behind the chain */
	uint32_t offset;      /* where it starts */
	bool authenticated;   /* an AH header was there */
	bool has_fragment;    /* a fragment header was there; then: */
	bool more_fragments;
	uint16_t fragment_offset; /* bytes */
	uint32_t fragment_id;
};

bool ipv6_is_extension(uint8_t next_header);
/*
 * Walks the headers in `bytes` from `offset`, the first of which is `next`, up to `end`. The walk ends behind a
 * fragment header with an offset: what follows is the middle of a payload. Returns PACKET_MALFORMED when a header
 * extends beyond `end`; otherwise a status as for packet_parse().
 */
enum packet_status ipv6_walk(const uint8_t *bytes, uint32_t offset, uint32_t end, uint8_t next,
    struct ipv6_chain *chain);

#endif
