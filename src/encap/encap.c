/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "encap/encap.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define IPV4_HEADER 20 /* RFC 791 section 3.1: its length, and offsets in it */
#define IPV4_TOS 1
#define IPV4_TOTAL_LENGTH 2
#define IPV4_IDENTIFICATION 4
#define IPV4_FLAGS 6
#define IPV4_TTL 8
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV4_DONT_FRAGMENT 0x4000

#define PROTOCOL_IPV4 4 /* as what an IP packet carries: Protocol Numbers, IANA */
#define PROTOCOL_IPV6 41
#define PROTOCOL_GRE 47

#define GRE_HEADER 4 /* RFC 2784 section 2.1: flags and version, then the type of what follows */
#define GUE_HEADER 4 /* variant 0: variant, C and length of options; protocol; flags */
#define UDP_HEADER 8 /* RFC 768: ports, length, checksum */
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6

/* RFC 2003 section 3.1: "an appropriate value for delivery to the tunnel exit point"; what IP sends by default. */
#define OUTER_TTL 64
/* RFC 8086 section 3.2.1: source ports in 49152 to 65535, so 14 bits of the hash. */
#define SOURCE_PORT_FIRST 49152

/* What each method puts between the outer and the inner IP header. */
static const struct {
	const char *name;
	uint8_t udp;    /* bytes of UDP header */
	uint8_t shim;   /* bytes between that and the packet */
	uint8_t protocol; /* of the outer header; 0: the packet's family decides */
} methods[ENCAP_METHODS] = {
	[ENCAP_MAC] = { "mac", 0, 0, 0 },
	[ENCAP_DSCP] = { "dscp", 0, 0, 0 },
	[ENCAP_IPIP] = { "ipip", 0, 0, 0 },
	[ENCAP_GRE] = { "gre", 0, GRE_HEADER, PROTOCOL_GRE },
	[ENCAP_GUE] = { "gue", UDP_HEADER, GUE_HEADER, PROTOCOL_UDP },
	[ENCAP_GUE1] = { "gue1", UDP_HEADER, 0, PROTOCOL_UDP },
};

const char *
encap_method_name(enum encap_method method)
{
	return methods[method].name;
}

int
encap_method_by_name(const char *name, enum encap_method *method)
{
	for (int i = 0; i < ENCAP_METHODS; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			*method = (enum encap_method)i;
			return 0;
		}
	}
	return -1;
}

static uint32_t
encap_ip_header(enum addr_family family)
{
	return family == ADDR_IPV4 ? IPV4_HEADER : IPV6_HEADER;
}

uint32_t
encap_overhead(enum encap_method method, enum addr_family outer)
{
	if (!encap_is_tunnel(method))
		return 0;
	return encap_ip_header(outer) + methods[method].udp + methods[method].shim;
}

static void
encap_prepare_ip(struct encap *encap, uint8_t protocol, const struct addr *source, const struct addr *destination)
{
	uint8_t *ip = encap->header;

	if (encap->outer == ADDR_IPV4) {
		ip[0] = 0x45;
		ip[IPV4_TTL] = OUTER_TTL;
		ip[IPV4_PROTOCOL] = protocol;
		memcpy(ip + IPV4_SOURCE, source->bytes, 4);
		memcpy(ip + IPV4_DESTINATION, destination->bytes, 4);
	} else {
		ip[0] = 0x60;
		ip[IPV6_NEXT_HEADER] = protocol;
		ip[IPV6_HOP_LIMIT] = OUTER_TTL;
		memcpy(ip + IPV6_SOURCE, source->bytes, 16);
		memcpy(ip + IPV6_DESTINATION, destination->bytes, 16);
	}
}

void
encap_prepare(struct encap *encap, enum encap_method method, const struct addr *source,
    const struct addr *destination, enum addr_family inner)
{
	const bool ipv4 = inner == ADDR_IPV4;
	const uint8_t carried = ipv4 ? PROTOCOL_IPV4 : PROTOCOL_IPV6;
	uint8_t *shim;

	memset(encap, 0, sizeof(*encap));
	encap->outer = destination->family;
	encap->inner = (uint8_t)inner;
	if (!encap_is_tunnel(method))
		return;
	encap->length = (uint8_t)encap_overhead(method, (enum addr_family)encap->outer);
	encap_prepare_ip(encap, methods[method].protocol != 0 ? methods[method].protocol : carried, source,
	    destination);
	shim = encap->header + encap->length - methods[method].shim;
	if (methods[method].udp != 0) {
		encap->udp = (uint8_t)(shim - encap->header - UDP_HEADER);
		store16(encap->header + encap->udp + 2, GUE_PORT);
	}
	if (method == ENCAP_GRE)
		store16(shim + 2, ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	else if (method == ENCAP_GUE)
		shim[1] = carried;
}

/* The traffic class, as IPv4 calls it the type of service: DSCP and ECN. Both are copied: RFC 6040 section 4.1. */
static uint8_t
encap_class(const struct frame *frame, const struct packet *packet)
{
	const uint8_t *ip = frame->bytes + packet->l3;

	return packet->ethertype == ETHERTYPE_IPV4 ? ip[IPV4_TOS] : (uint8_t)(load16(ip) >> 4);
}

/*
 * May the outer packet be fragmented? As the inner one, and IPv6's not (RFC 2003 section 3.1, RFC 4213 section 3.2.2).
 * An identification is needed only where it may (RFC 6864 section 4): it is the packet's own, mixed with the flow's
 * hash, since many senders' packets become those of one.
 */
static void
encap_finish_ipv4(uint8_t *ip, const struct frame *frame, const struct packet *packet, uint32_t length, uint32_t hash)
{
	ip[IPV4_TOS] = encap_class(frame, packet);
	store16(ip + IPV4_TOTAL_LENGTH, (uint16_t)length);
	if (packet->dont_fragment)
		store16(ip + IPV4_FLAGS, IPV4_DONT_FRAGMENT);
	else
		store16(ip + IPV4_IDENTIFICATION,
		    (uint16_t)(load16(frame->bytes + packet->l3 + IPV4_IDENTIFICATION) ^ hash));
	store16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, IPV4_HEADER)));
}

/* Version 6, the class, and 20 bits of the hash as the flow label (RFC 6438 section 3). */
static void
encap_finish_ipv6(uint8_t *ip, const struct frame *frame, const struct packet *packet, uint32_t length, uint32_t hash)
{
	store32(ip, 6U << 28 | (uint32_t)encap_class(frame, packet) << 20 | (hash & 0xfffff));
	store16(ip + IPV6_PAYLOAD_LENGTH, (uint16_t)(length - IPV6_HEADER));
}

/*
 * Over IPv4 no checksum, as the inner packet has its own (RFC 768); over IPv6 one is required of senders that cannot
 * know their receivers (RFC 6935 section 5, RFC 8200 section 8.1).
 */
static void
encap_finish_udp(const struct encap *encap, uint8_t *ip, uint32_t length, uint32_t hash)
{
	uint8_t *udp = ip + encap->udp;
	const uint32_t rest = length - encap->udp;
	uint8_t pseudo[8] = { 0 };
	uint64_t sum;
	uint16_t value;

	store16(udp, (uint16_t)(SOURCE_PORT_FIRST | (hash >> 18)));
	store16(udp + UDP_LENGTH, (uint16_t)rest);
	if (encap->outer == ADDR_IPV4)
		return;
	store32(pseudo, rest);
	pseudo[7] = PROTOCOL_UDP;
	sum = checksum_add(0, pseudo, sizeof(pseudo));
	sum = checksum_add(sum, ip + IPV6_SOURCE, 32);
	value = checksum_finish(checksum_add(sum, udp, rest));
	store16(udp + UDP_CHECKSUM, value == 0 ? 0xffff : value);
}

/* One less; the header checksum covers it together with the protocol (RFC 1141). */
static void
encap_age(uint8_t *ip, const struct packet *packet)
{
	uint8_t before[2];

	if (packet->ethertype == ETHERTYPE_IPV6) {
		ip[IPV6_HOP_LIMIT]--;
		return;
	}
	memcpy(before, ip + IPV4_TTL, sizeof(before));
	ip[IPV4_TTL]--;
	checksum_update(ip + IPV4_CHECKSUM, before, ip + IPV4_TTL, sizeof(before));
}

bool
encap_wrap(const struct encap *encap, const struct frame *frame, const struct packet *packet, uint32_t hash,
    uint8_t *out, struct frame *wrapped)
{
	const uint32_t inner = packet->end - packet->l3, length = encap->length + inner;
	uint8_t *ip = out + packet->l3;

	if (packet->hop_limit <= 1)
		return false;
	memcpy(out, frame->bytes, packet->l3);
	store16(ip - 2, encap->outer == ADDR_IPV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	memcpy(ip, encap->header, encap->length);
	memcpy(ip + encap->length, frame->bytes + packet->l3, inner);
	encap_age(ip + encap->length, packet);
	if (encap->outer == ADDR_IPV4)
		encap_finish_ipv4(ip, frame, packet, length, hash);
	else
		encap_finish_ipv6(ip, frame, packet, length, hash);
	if (encap->udp != 0)
		encap_finish_udp(encap, ip, length, hash);
	*wrapped = frame_of(out, packet->l3 + length, frame->iface);
	return true;
}
