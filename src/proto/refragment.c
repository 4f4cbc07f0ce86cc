/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/refragment.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"

#define IPV4_HEADER 20 /* RFC 791 section 3.1 */
#define IPV4_TOTAL_LENGTH 2
#define IPV4_FLAGS 6
#define IPV4_CHECKSUM 10
#define IPV4_MORE_FRAGMENTS 0x2000

#define OPTION_END 0 /* the kinds without a length, and the bit of those that are in all fragments */
#define OPTION_NOTHING 1
#define OPTION_COPIED 0x80

/* Writes the header of later fragments: the options of `ip`, `length` bytes with them, that are copied. Its length. */
static uint32_t
refragment_later_header(const uint8_t *ip, uint32_t length, uint8_t *out)
{
	uint32_t end = IPV4_HEADER;

	memcpy(out, ip, IPV4_HEADER);
	for (uint32_t at = IPV4_HEADER; at < length && ip[at] != OPTION_END;) {
		const uint32_t option = ip[at] == OPTION_NOTHING || at + 1 == length ? 1 : ip[at + 1];

		if (option == 0 || at + option > length)
			break;
		if ((ip[at] & OPTION_COPIED) != 0) {
			memcpy(out + end, ip + at, option);
			end += option;
		}
		at += option;
	}
	while (end % 4 != 0)
		out[end++] = OPTION_END;
	out[0] = (uint8_t)(0x40 | end / 4);
	return end;
}

int
refragment(const struct frame *frame, const struct packet *packet, uint32_t mtu, uint8_t *scratch,
    const struct frame_tx *tx)
{
	const uint8_t *ip = frame->bytes + packet->l3;
	const uint32_t header = packet->source.family == ADDR_IPV4 ? (uint32_t)(ip[0] & 0x0f) * 4 : 0;
	const uint32_t data = packet->end - packet->l3 - header;
	struct frame piece = { .bytes = scratch, .iface = frame->iface };
	uint32_t sent = 0, length = header;
	int count = 0;

	if (header == 0 || packet->dont_fragment || mtu < header + 8)
		return -1;
	memcpy(scratch, frame->bytes, packet->l3 + header);
	while (sent < data) {
		const uint32_t room = (mtu - length) / 8 * 8;
		const bool last = data - sent <= mtu - length;
		const uint32_t part = last ? data - sent : room;
		uint8_t *out = scratch + packet->l3;

		memcpy(out + length, ip + header + sent, part);
		store16(out + IPV4_TOTAL_LENGTH, (uint16_t)(length + part));
		store16(out + IPV4_FLAGS, (uint16_t)((packet->fragment_offset + sent) / 8 |
		    (!last || packet->more_fragments ? IPV4_MORE_FRAGMENTS : 0)));
		store16(out + IPV4_CHECKSUM, 0);
		store16(out + IPV4_CHECKSUM, checksum_finish(checksum_add(0, out, length)));
		piece.length = piece.wire_length = packet->l3 + length + part;
		tx->emit(tx->context, &piece);
		sent += part;
		count++;
		length = refragment_later_header(ip, header, out);
	}
	return count;
}
