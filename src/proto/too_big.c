/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/too_big.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define IPV4_HEADER 20 /* RFC 791 section 3.1 */
#define IPV4_TOTAL_LENGTH 2
#define IPV4_TTL 8
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_ANSWER_MOST 576
#define HOPS 64

#define ICMP_HEADER 8 /* type, code, checksum, and four bytes that hold the MTU: RFC 1191 section 4, RFC 4443 section 3.2 */
#define ICMP_CHECKSUM 2
#define ICMP_MTU 4
#define ICMP_UNREACHABLE 3
#define ICMP_FRAGMENTATION_NEEDED 4
#define ICMPV6_PACKET_TOO_BIG 2

static void
too_big_ipv4(uint8_t *ip, const struct packet *packet, uint32_t quoted, uint32_t mtu)
{
	const uint32_t length = IPV4_HEADER + ICMP_HEADER + quoted;
	uint8_t *icmp = ip + IPV4_HEADER;

	memset(ip, 0, IPV4_HEADER + ICMP_HEADER);
	ip[0] = 0x45;
	store16(ip + IPV4_TOTAL_LENGTH, (uint16_t)length);
	ip[IPV4_TTL] = HOPS;
	ip[IPV4_PROTOCOL] = PROTOCOL_ICMP;
	memcpy(ip + IPV4_SOURCE, packet->destination.bytes, 4);
	memcpy(ip + IPV4_DESTINATION, packet->source.bytes, 4);
	store16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, IPV4_HEADER)));
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_FRAGMENTATION_NEEDED;
	store32(icmp + ICMP_MTU, mtu > UINT16_MAX ? UINT16_MAX : mtu);
	store16(icmp + ICMP_CHECKSUM, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + quoted)));
}

static void
too_big_ipv6(uint8_t *ip, const struct packet *packet, uint32_t quoted, uint32_t mtu)
{
	const uint32_t length = ICMP_HEADER + quoted;
	const struct packet answer = { .source = packet->destination, .destination = packet->source,
		.protocol = PROTOCOL_ICMPV6 };
	uint8_t *icmp = ip + IPV6_HEADER;

	memset(ip, 0, IPV6_HEADER + ICMP_HEADER);
	ip[0] = 0x60;
	store16(ip + IPV6_PAYLOAD_LENGTH, (uint16_t)length);
	ip[IPV6_NEXT_HEADER] = PROTOCOL_ICMPV6;
	ip[IPV6_HOP_LIMIT] = HOPS;
	memcpy(ip + IPV6_SOURCE, packet->destination.bytes, 16);
	memcpy(ip + IPV6_DESTINATION, packet->source.bytes, 16);
	icmp[0] = ICMPV6_PACKET_TOO_BIG;
	store32(icmp + ICMP_MTU, mtu < IPV6_MTU_LEAST ? IPV6_MTU_LEAST : mtu);
	store16(icmp + ICMP_CHECKSUM, checksum_finish(checksum_add(checksum_pseudo(&answer, length), icmp, length)));
}

struct frame
too_big_answer(const struct frame *frame, const struct packet *packet, uint32_t mtu, uint8_t *out)
{
	const bool ipv4 = packet->source.family == ADDR_IPV4;
	const uint32_t header = (ipv4 ? IPV4_HEADER : IPV6_HEADER) + ICMP_HEADER;
	const uint32_t most = (ipv4 ? IPV4_ANSWER_MOST : IPV6_MTU_LEAST) - header;
	const uint32_t there = packet->end - packet->l3;
	const uint32_t quoted = there < most ? there : most;
	uint8_t *ip = out + packet->l3;

	memcpy(out, frame->bytes, packet->l3);
	memcpy(out + ETHER_DESTINATION, packet->ether_source.bytes, MAC_BYTES);
	memcpy(out + ETHER_SOURCE, packet->ether_destination.bytes, MAC_BYTES);
	memcpy(ip + header, frame->bytes + packet->l3, quoted);
	if (ipv4)
		too_big_ipv4(ip, packet, quoted, mtu);
	else
		too_big_ipv6(ip, packet, quoted, mtu);
	return frame_of(out, packet->l3 + header + quoted, frame->iface);
}
