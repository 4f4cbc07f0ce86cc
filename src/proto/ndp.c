/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/ndp.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define HOP_LIMIT 255 /* RFC 4861 section 7.1: a router would have made it less */

/* The message (RFC 4861 sections 4.3 and 4.4), offsets from the ICMPv6 header on. */
#define FLAGS 4
#define TARGET 8
#define OPTIONS 24
#define FLAG_ROUTER 0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20

/* Options (RFC 4861 section 4.6); lengths count in 8 bytes. */
#define SOURCE_LINK_LAYER 1
#define TARGET_LINK_LAYER 2
#define LINK_LAYER_UNITS 1

static const uint8_t solicited_node[13] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff }; /* RFC 4291 section 2.7.1 */

struct addr
ndp_solicited_node(const struct addr *addr)
{
	struct addr group = { .family = ADDR_IPV6 };

	memcpy(group.bytes, solicited_node, sizeof(solicited_node));
	memcpy(group.bytes + 13, addr->bytes + 13, 3);
	return group;
}

bool
ndp_is_solicited_node(const struct addr *addr)
{
	return addr->family == ADDR_IPV6 && memcmp(addr->bytes, solicited_node, sizeof(solicited_node)) == 0;
}

struct mac
ndp_multicast_mac(const struct addr *group)
{
	struct mac mac = { { 0x33, 0x33 } };

	memcpy(mac.bytes + 2, group->bytes + 12, 4);
	return mac;
}

static bool
is_multicast(const struct addr *addr)
{
	return addr->bytes[0] == 0xff; /* RFC 4291 section 2.7 */
}

static bool
is_unspecified(const struct addr *addr)
{
	static const uint8_t zeros[16];

	return memcmp(addr->bytes, zeros, sizeof(zeros)) == 0;
}

bool
ndp_is_neighbor(const struct packet *packet)
{
	return packet->protocol == PROTOCOL_ICMPV6 && packet->fragment_offset == 0 &&
	    (packet->icmp_type == NDP_SOLICITATION || packet->icmp_type == NDP_ADVERTISEMENT);
}

/* Unknown options are skipped (RFC 4861 section 4.6); the first MAC counts. */
static int
read_options(const uint8_t *bytes, size_t length, uint8_t wanted, struct ndp *ndp)
{
	struct cursor cursor;
	uint8_t kind, units;

	cursor_init(&cursor, bytes, length);
	while (cursor.left > 0) {
		kind = cursor_u8(&cursor);
		units = cursor_u8(&cursor);
		if (!cursor_ok(&cursor) || units == 0)
			return -1;
		if (kind != wanted || units != LINK_LAYER_UNITS || ndp->has_mac) {
			cursor_skip(&cursor, (size_t)units * 8 - 2);
			continue;
		}
		cursor_copy(&cursor, ndp->mac.bytes, MAC_BYTES);
		ndp->has_mac = true;
	}
	if (!cursor_ok(&cursor))
		return -1;
	return ndp->has_mac && (mac_is_group(&ndp->mac) || mac_is_zero(&ndp->mac)) ? -1 : 0;
}

/* RFC 4861 section 7.1.1 */
static int
judge_solicitation(struct ndp *ndp)
{
	ndp->dad = is_unspecified(&ndp->source);
	if (ndp->dad && (ndp->has_mac || !ndp_is_solicited_node(&ndp->destination)))
		return -1;
	return 0;
}

/* RFC 4861 section 7.1.2 */
static int
judge_advertisement(struct ndp *ndp, uint8_t flags)
{
	ndp->router = (flags & FLAG_ROUTER) != 0;
	ndp->solicited = (flags & FLAG_SOLICITED) != 0;
	ndp->override = (flags & FLAG_OVERRIDE) != 0;
	return ndp->solicited && is_multicast(&ndp->destination) ? -1 : 0;
}

int
ndp_parse(const struct frame *frame, const struct packet *packet, struct ndp *ndp)
{
	const uint8_t *message = frame->bytes + packet->l4;
	struct ndp read = { .kind = NDP_SOLICITATION };
	int result;

	if (!(ndp_is_neighbor(packet) && packet->hop_limit == HOP_LIMIT && packet->icmp_code == 0 &&
	    packet->l4 == packet->l3 + IPV6_HEADER && packet->end - packet->l4 >= OPTIONS && checksum_ok(frame,
	    packet)))
		return -1;
	read.kind = (enum ndp_kind)packet->icmp_type;
	read.source = packet->source;
	read.destination = packet->destination;
	read.target = addr_from_ipv6(message + TARGET);
	if (is_multicast(&read.target) || is_multicast(&read.source))
		return -1;
	if (read_options(message + OPTIONS, packet->end - packet->l4 - OPTIONS,
	    read.kind == NDP_SOLICITATION ? SOURCE_LINK_LAYER : TARGET_LINK_LAYER, &read) == -1)
		return -1;
	if (read.kind == NDP_SOLICITATION)
		result = judge_solicitation(&read);
	else
		result = judge_advertisement(&read, message[FLAGS]);
	if (result == 0)
		*ndp = read;
	return result;
}
