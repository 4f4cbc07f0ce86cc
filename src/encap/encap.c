/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "encap/encap.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"

#define IPV4_PROTOCOL 9 /* RFC 791 section 3.1: offsets in the header */
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16

#define PROTOCOL_IPV4 4 /* as what an IP packet carries: Protocol Numbers, IANA */
#define PROTOCOL_IPV6 41
#define PROTOCOL_GRE 47

#define GRE_HEADER 4 /* RFC 2784 section 2.1: flags and version, then the type of what follows */
#define GUE_HEADER 4 /* variant 0: variant, C and length of options; protocol; flags */

/* RFC 2003 section 3.1: "an appropriate value for delivery to the tunnel exit point"; what IP sends by default. */
#define OUTER_TTL 64

static_assert(ENCAP_OUTER_IPV6 == ADDR_IPV6 && ENCAP_IPV6_HEADER == IPV6_HEADER && ENCAP_IPV6_ADDRESSES == IPV6_SOURCE,
    "outer.h includes nothing");

/* What each method puts between the outer and the inner IP header. */
static const struct {
	const char *name;
	uint8_t udp;    /* bytes of UDP header */
	uint8_t shim;   /* bytes between that and the packet */
	uint8_t protocol; /* of the outer header; 0: the packet's family decides */
} methods[ENCAP_METHODS] = {
	[ENCAP_MAC] = { "mac", 0, 0, 0 },
	[ENCAP_LOCAL] = { "local", 0, 0, 0 },
	[ENCAP_DSCP] = { "dscp", 0, 0, 0 },
	[ENCAP_IPIP] = { "ipip", 0, 0, 0 },
	[ENCAP_GRE] = { "gre", 0, GRE_HEADER, PROTOCOL_GRE },
	[ENCAP_GUE] = { "gue", ENCAP_UDP_HEADER, GUE_HEADER, PROTOCOL_UDP },
	[ENCAP_GUE1] = { "gue1", ENCAP_UDP_HEADER, 0, PROTOCOL_UDP },
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
	return family == ADDR_IPV4 ? ENCAP_IPV4_HEADER : IPV6_HEADER;
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
		ip[ENCAP_IPV4_TTL] = OUTER_TTL;
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
	encap->method = (uint8_t)method;
	if (!encap_is_tunnel(method)) {
		memcpy(encap->server, destination->bytes, sizeof(encap->server));
		return;
	}
	encap->length = (uint8_t)encap_overhead(method, (enum addr_family)encap->outer);
	encap_prepare_ip(encap, methods[method].protocol != 0 ? methods[method].protocol : carried, source,
	    destination);
	shim = encap->header + encap->length - methods[method].shim;
	if (methods[method].udp != 0) {
		encap->udp = (uint8_t)(shim - encap->header - ENCAP_UDP_HEADER);
		store16(encap->header + encap->udp + 2, GUE_PORT);
	}
	if (method == ENCAP_GRE)
		store16(shim + 2, ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	else if (method == ENCAP_GUE)
		shim[1] = carried;
}

uint32_t
encap_flow_hash(const struct packet *packet)
{
	const size_t length = packet->source.family == ADDR_IPV4 ? 4 : 16;
	const bool ports = packet->has_ports && !packet->fragment;
	uint64_t hash = packet->protocol;

	for (size_t i = 0; i < length; i += 4)
		hash = encap_hash_addresses(hash, load32(packet->source.bytes + i),
		    load32(packet->destination.bytes + i));
	return encap_hash_end(hash, ports ? packet->source_port : 0, ports ? packet->destination_port : 0);
}

/* Without looking at the payload where a checksum stands for it; UDP may have none, or not cover all. */
static uint64_t
encap_sum(const uint8_t *ip, const struct frame *frame, const struct packet *packet)
{
	const bool ipv4 = packet->ethertype == ETHERTYPE_IPV4;
	const uint32_t length = packet->end - packet->l4, header = (uint32_t)packet->l4 - packet->l3;
	const uint32_t behind = ipv4 ? ENCAP_IPV4_HEADER : IPV6_HEADER;
	const uint8_t *udp = frame->bytes + packet->l4;
	const bool covered = packet->has_ports && !packet->fragment && (packet->protocol == PROTOCOL_TCP ||
	    (packet->protocol == PROTOCOL_UDP && load16(udp + ENCAP_UDP_CHECKSUM) != 0 &&
	    load16(udp + ENCAP_UDP_LENGTH) == length));
	uint64_t before;

	if (!covered)
		return sum_fold(checksum_add(0, ip, packet->end - packet->l3));
	before = (uint64_t)encap_word(ip) + encap_word(ip + 4) + (ipv4 ? encap_word(ip + 8) : 0) +
	    sum_fold(checksum_add(0, ip + behind, header - behind));
	return encap_sum_by_checksum(before, packet->protocol, length);
}

static struct encap_inner
encap_inner(const struct encap *encap, const uint8_t *ip, const struct frame *frame, const struct packet *packet,
    uint32_t hash)
{
	const bool ipv4 = packet->ethertype == ETHERTYPE_IPV4;

	return (struct encap_inner) {
		.length = packet->end - packet->l3,
		.hash = hash,
		.traffic_class = ipv4 ? ip[ENCAP_IPV4_TOS] : load16(ip) >> 4 & 0xff,
		.dont_fragment = packet->dont_fragment,
		.identification = ipv4 ? load16(ip + ENCAP_IPV4_IDENTIFICATION) : 0,
		.sum = encap->udp != 0 && encap->outer == ADDR_IPV6 ? encap_sum(ip, frame, packet) : 0
	};
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
	memcpy(before, ip + ENCAP_IPV4_TTL, sizeof(before));
	ip[ENCAP_IPV4_TTL]--;
	checksum_update(ip + ENCAP_IPV4_CHECKSUM, before, ip + ENCAP_IPV4_TTL, sizeof(before));
}

bool
encap_wrap(const struct encap *encap, const struct frame *frame, const struct packet *packet, uint32_t hash,
    uint8_t *out, struct frame *wrapped)
{
	const uint32_t length = packet->end - packet->l3;
	struct encap_inner inner;
	uint8_t *ip = out + packet->l3;

	if (packet->hop_limit <= 1)
		return false;
	memcpy(out, frame->bytes, packet->l3);
	store16(ip - 2, encap->outer == ADDR_IPV4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	memcpy(ip, encap->header, encap->length);
	memcpy(ip + encap->length, frame->bytes + packet->l3, length);
	encap_age(ip + encap->length, packet);
	inner = encap_inner(encap, ip + encap->length, frame, packet, hash);
	encap_finish(ip, encap, &inner);
	*wrapped = frame_of(out, packet->l3 + encap->length + length, frame->iface);
	return true;
}
