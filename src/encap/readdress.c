/* SPDX-License-Identifier: ISC */
/* Method dscp, as Yahoo's L3DSR has it: https://github.com/yahoo/l3dsr */
#include "config.h"

#include <string.h>

#include "base/bytes.h"
#include "encap/encap.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define IPV4_CHECKSUM 10 /* RFC 791 section 3.1 */
#define IPV4_DESTINATION 16
#define ECN_BITS 0x03 /* of the traffic class: RFC 3168 section 5 */

/* A sender's offload of UDP leaves 0 for "no checksum" alone; SCTP's CRC and ICMP's checksum do not cover addresses. */
static bool
covers_addresses(const struct packet *packet)
{
	return packet->protocol == PROTOCOL_TCP || packet->protocol == PROTOCOL_UDP ||
	    packet->protocol == PROTOCOL_ICMPV6;
}

static void
readdress_transport(struct frame *frame, const struct packet *packet, const uint8_t *before, const uint8_t *after,
    size_t length)
{
	uint8_t *field = checksum_field(frame, packet);

	if (checksum_is_unfinished(frame, packet)) {
		checksum_update_sum(field, before, after, length);
		return;
	}
	if (packet->protocol == PROTOCOL_UDP && load16(field) == 0)
		return;
	checksum_update(field, before, after, length);
	if (packet->protocol == PROTOCOL_UDP && load16(field) == 0)
		store16(field, 0xffff);
}

/* Version, header length and class of IPv4, or version and class of IPv6: one word that a header checksum covers. */
static void
readdress_class(uint8_t *ip, bool ipv4, uint8_t dscp)
{
	const uint8_t byte = (uint8_t)(dscp << 2);

	if (ipv4)
		ip[1] = (uint8_t)(byte | (ip[1] & ECN_BITS));
	else
		store16(ip, (uint16_t)((load16(ip) & ~(0xfcU << 4)) | (uint32_t)byte << 4));
}

bool
encap_readdress(struct frame *frame, struct packet *packet, const struct addr *server, uint8_t dscp)
{
	const bool ipv4 = packet->ethertype == ETHERTYPE_IPV4;
	const size_t length = ipv4 ? 4 : 16;
	uint8_t *ip = frame->bytes + packet->l3;
	uint8_t *destination = ip + (ipv4 ? IPV4_DESTINATION : IPV6_DESTINATION);
	uint8_t first_word[2], before[16];

	if (packet->authenticated)
		return false;
	if (packet->fragment_offset == 0 && covers_addresses(packet)) {
		if (packet->fragment && !packet->has_ports && packet->protocol != PROTOCOL_ICMPV6)
			return false;
		readdress_transport(frame, packet, destination, server->bytes, length);
	}
	memcpy(first_word, ip, sizeof(first_word));
	memcpy(before, destination, length);
	readdress_class(ip, ipv4, dscp);
	memcpy(destination, server->bytes, length);
	if (ipv4) {
		checksum_update(ip + IPV4_CHECKSUM, first_word, ip, sizeof(first_word));
		checksum_update(ip + IPV4_CHECKSUM, before, destination, length);
	}
	packet->destination = *server;
	return true;
}
