/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/ipv6.h"

#include <string.h>

#include "base/bytes.h"

/* Protocol Numbers, IANA: the extension headers that can be skipped without understanding them. */
#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION_OPTIONS 60

#define EXTENSION_LEAST 8 /* bytes (RFC 8200 section 4) */
#define SEGMENTS_LEFT 3   /* offset in the routing header (RFC 8200 section 4.4) */
#define AUTHENTICATION_LEAST 12 /* bytes (RFC 4302 section 2) */

/*
 * The fragment header (RFC 8200 section 4.5): the offset counts in 8 bytes, and stands 3 bits up, so it reads as bytes.
 */
#define FRAGMENT_FIELD 2
#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_MORE 1
#define FRAGMENT_ID 4

bool
ipv6_is_extension(uint8_t next_header)
{
	switch (next_header) {
	case HOP_BY_HOP:
	case ROUTING:
	case FRAGMENT:
	case AUTHENTICATION:
	case DESTINATION_OPTIONS:
		return true;
	default: /* a number, no enum */
		return false;
	}
}

/* RFC 4302 section 2.2 counts in units of 4 bytes, less 2; all others in units of 8 bytes, less 1. */
static uint32_t
extension_length(const uint8_t *header, uint8_t kind)
{
	if (kind == AUTHENTICATION)
		return ((uint32_t)header[1] + 2) * 4;
	if (kind == FRAGMENT)
		return EXTENSION_LEAST;
	return ((uint32_t)header[1] + 1) * 8;
}

/* One header, of which 8 bytes are there; `position` counts from 0. */
static enum packet_status
read_extension(const uint8_t *header, uint8_t kind, unsigned position, struct ipv6_chain *chain)
{
	switch (kind) {
	case HOP_BY_HOP:
		return position == 0 ? PACKET_OK : PACKET_MALFORMED; /* RFC 8200 section 4.1 */
	case ROUTING:
		/* With places left to visit the destination is not the last one (RFC 8200 section 4.4). */
		return header[SEGMENTS_LEFT] == 0 ? PACKET_OK : PACKET_UNSUPPORTED;
	case AUTHENTICATION:
		chain->authenticated = true;
		return extension_length(header, kind) >= AUTHENTICATION_LEAST ? PACKET_OK : PACKET_MALFORMED;
	case FRAGMENT:
		if (chain->has_fragment)
			return PACKET_MALFORMED;
		chain->has_fragment = true;
		chain->more_fragments = (load16(header + FRAGMENT_FIELD) & FRAGMENT_MORE) != 0;
		chain->fragment_offset = load16(header + FRAGMENT_FIELD) & FRAGMENT_OFFSET;
		chain->fragment_id = load32(header + FRAGMENT_ID);
		return PACKET_OK;
	default: /* destination options are for the server */
		return PACKET_OK;
	}
}

enum packet_status
ipv6_walk(const uint8_t *bytes, uint32_t offset, uint32_t end, uint8_t next, struct ipv6_chain *chain)
{
	enum packet_status status;
	uint32_t length;

	memset(chain, 0, sizeof(*chain));
	for (unsigned position = 0;; position++) {
		chain->protocol = next;
		chain->offset = offset;
		if (chain->fragment_offset > 0 || !ipv6_is_extension(next))
			return PACKET_OK;
		if (position == IPV6_EXTENSIONS_MOST)
			return PACKET_UNSUPPORTED;
		if (end - offset < EXTENSION_LEAST)
			return PACKET_MALFORMED;
		length = extension_length(bytes + offset, next);
		if (length > end - offset)
			return PACKET_MALFORMED;
		status = read_extension(bytes + offset, next, position, chain);
		if (status != PACKET_OK)
			return status;
		next = bytes[offset];
		offset += length;
	}
}
