/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/craft.h"

#include <libnet.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/ipv6.h"
#include "proto/ndp.h"
#include "proto/packet.h"

/* libnet's value for a new block, as opposed to a changed one. */
#define NEW LIBNET_PTAG_INITIALIZER
/* libnet computes a checksum that is given as 0; ours are put in at the end, the same way for all of its versions. */
#define LATER 1

#define HOP_LIMIT_NDP 255 /* RFC 4861 section 7.1 */
#define DONT_FRAGMENT 0x4000 /* RFC 791 section 3.1 */
#define IPV4_IDENTIFICATION 4 /* RFC 791 section 3.1: an offset */
#define FLOW_LABEL 0xfffff /* RFC 8200 section 3 */
#define IPV4_BYTES 20 /* header lengths */
#define TCP_BYTES 20
#define UDP_BYTES 8
#define ICMP_BYTES 8

/* RFC 4861 sections 4.3, 4.4 and 4.6.1: the message with one link-layer address option. */
#define NDP_FLAGS 4
#define NDP_TARGET 8
#define NDP_OPTION 24
#define NDP_BYTES 32
#define NDP_FLAG_ROUTER 0x80
#define NDP_FLAG_SOLICITED 0x40
#define NDP_FLAG_OVERRIDE 0x20
#define NDP_SOURCE_MAC 1
#define NDP_TARGET_MAC 2

/* RFC 792 and RFC 4443 section 4: types */
#define ECHO_REPLY4 0
#define ECHO_REQUEST4 8
#define ECHO_REQUEST6 128
#define ECHO_REPLY6 129

struct craft {
	libnet_t *libnet;
	struct frame frame;
	uint8_t bytes[CRAFT_MOST];
	uint8_t message[CRAFT_MOST]; /* an ICMP message on its way into libnet */
};

/* What an IP header is put before: bytes, or a block that libnet has already when `bytes` is NULL. */
struct body {
	uint8_t protocol;
	uint8_t hop_limit;
	size_t length;
	const uint8_t *bytes;
};

struct craft *
craft_new(char *error, size_t size)
{
	char reason[LIBNET_ERRBUF_SIZE] = "";
	struct craft *craft = calloc(1, sizeof(*craft));

	if (craft == NULL) {
		(void)snprintf(error, size, "out of memory");
		return NULL;
	}
	craft->libnet = libnet_init(LIBNET_NONE, NULL, reason);
	if (craft->libnet == NULL) {
		(void)snprintf(error, size, "libnet cannot build frames: %s", reason);
		free(craft);
		return NULL;
	}
	return craft;
}

void
craft_free(struct craft *craft)
{
	if (craft == NULL)
		return;
	libnet_destroy(craft->libnet);
	free(craft);
}

/*
 * Copies the frame from libnet, which allocates it for each call, into our own buffer. The documented way,
 * libnet_adv_cull_packet(), rejects contexts that cannot send.
 */
static const struct frame *
craft_collect(struct craft *craft)
{
	const struct frame *frame = NULL;
	uint8_t *packet = NULL;
	uint32_t length = 0;

	if (libnet_pblock_coalesce(craft->libnet, &packet, &length) == -1)
		return NULL;
	if (length <= sizeof(craft->bytes)) {
		memcpy(craft->bytes, packet, length);
		craft->frame = (struct frame){ .bytes = craft->bytes, .length = length, .wire_length = length };
		frame = &craft->frame;
	}
	libnet_adv_free_packet(craft->libnet, packet);
	return frame;
}

/* The Ethernet header goes before what libnet has, and that is the frame. */
static const struct frame *
put_ethernet(struct craft *craft, const struct mac *source, const struct mac *destination, uint16_t ethertype)
{
	if (libnet_build_ethernet(destination->bytes, source->bytes, ethertype, NULL, 0, craft->libnet, NEW) == -1)
		return NULL;
	return craft_collect(craft);
}

const struct frame *
craft_arp(struct craft *craft, const struct mac *destination, const struct arp *arp)
{
	libnet_clear_packet(craft->libnet);
	/* libnet expects the innermost header first. */
	if (libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IPV4, MAC_BYTES, 4, (uint16_t)arp->operation,
	    arp->sender_mac.bytes, arp->sender.bytes, arp->target_mac.bytes, arp->target.bytes, NULL, 0, craft->libnet,
	    NEW) == -1)
		return NULL;
	return put_ethernet(craft, &arp->sender_mac, destination, ETHERTYPE_ARP);
}

static libnet_ptag_t
put_ipv4(struct craft *craft, const struct craft_ends *ends, const struct body *body)
{
	uint32_t source, destination, length = body->bytes == NULL ? 0 : (uint32_t)body->length;

	memcpy(&source, ends->source.bytes, sizeof(source));
	memcpy(&destination, ends->destination.bytes, sizeof(destination));
	return libnet_build_ipv4((uint16_t)(IPV4_BYTES + body->length), 0, 0, DONT_FRAGMENT, body->hop_limit,
	    body->protocol, LATER, source, destination, body->bytes, length, craft->libnet, NEW);
}

static libnet_ptag_t
put_ipv6(struct craft *craft, const struct craft_ends *ends, const struct body *body)
{
	uint32_t length = body->bytes == NULL ? 0 : (uint32_t)body->length;
	struct libnet_in6_addr source, destination;

	memcpy(&source, ends->source.bytes, sizeof(source));
	memcpy(&destination, ends->destination.bytes, sizeof(destination));
	return libnet_build_ipv6(0, 0, (uint16_t)body->length, body->protocol, body->hop_limit, source, destination,
	    body->bytes, length, craft->libnet, NEW);
}

/* Checks the address families and the room before a body is built. Clears the other blocks. */
static bool
craft_start(struct craft *craft, const struct craft_ends *ends, size_t length)
{
	if (ends->source.family != ends->destination.family || !addr_is_set(&ends->source))
		return false;
	if (length > CRAFT_MOST - ETHER_HEADER - IPV6_HEADER)
		return false;
	libnet_clear_packet(craft->libnet);
	return true;
}

/* Puts IP and Ethernet headers before the body, then the checksums in. */
static const struct frame *
craft_finish(struct craft *craft, const struct craft_ends *ends, const struct body *body)
{
	const bool ipv6 = ends->source.family == ADDR_IPV6;
	struct packet packet;

	if ((ipv6 ? put_ipv6(craft, ends, body) : put_ipv4(craft, ends, body)) == -1)
		return NULL;
	if (put_ethernet(craft, &ends->ether_source, &ends->ether_destination,
	    ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4) == NULL)
		return NULL;
	/* libnet builds no flow label in some of its versions. */
	if (ipv6)
		store32(craft->bytes + ETHER_HEADER, 6U << 28 | (ends->ident & FLOW_LABEL));
	else
		store16(craft->bytes + ETHER_HEADER + IPV4_IDENTIFICATION, (uint16_t)ends->ident);
	if (packet_parse(&craft->frame, &packet) != PACKET_OK)
		return NULL;
	checksum_ipv4_header(&craft->frame, &packet);
	checksum_transport(&craft->frame, &packet);
	return &craft->frame;
}

/* ICMPv6 is written here: libnet before 1.1.5 has no builders for it, and its payload takes any bytes. */
static const struct frame *
finish_neighbor(struct craft *craft, const struct craft_neighbor *neighbor, uint8_t *message, size_t length)
{
	const struct body body = { .protocol = PROTOCOL_ICMPV6, .hop_limit = HOP_LIMIT_NDP, .length = length,
		.bytes = message };

	if (neighbor->ends.source.family != ADDR_IPV6 || neighbor->target.family != ADDR_IPV6 ||
	    !craft_start(craft, &neighbor->ends, length))
		return NULL;
	memcpy(message + NDP_TARGET, neighbor->target.bytes, sizeof(neighbor->target.bytes));
	memcpy(message + NDP_OPTION + 2, neighbor->mac.bytes, MAC_BYTES);
	return craft_finish(craft, &neighbor->ends, &body);
}

const struct frame *
craft_neighbor_solicitation(struct craft *craft, const struct craft_neighbor *neighbor)
{
	uint8_t message[NDP_BYTES] = { NDP_SOLICITATION, [NDP_OPTION] = NDP_SOURCE_MAC, 1 };
	const bool probe = addr_is_no_host(&neighbor->ends.source);

	return finish_neighbor(craft, neighbor, message, probe ? NDP_OPTION : NDP_BYTES);
}

const struct frame *
craft_neighbor_advertisement(struct craft *craft, const struct craft_neighbor *neighbor)
{
	uint8_t message[NDP_BYTES] = { NDP_ADVERTISEMENT, [NDP_OPTION] = NDP_TARGET_MAC, 1 };

	if (neighbor->router)
		message[NDP_FLAGS] |= NDP_FLAG_ROUTER;
	if (neighbor->solicited)
		message[NDP_FLAGS] |= NDP_FLAG_SOLICITED;
	if (neighbor->override)
		message[NDP_FLAGS] |= NDP_FLAG_OVERRIDE;
	return finish_neighbor(craft, neighbor, message, NDP_BYTES);
}

const struct frame *
craft_echo(struct craft *craft, const struct craft_echo *echo)
{
	const bool ipv6 = echo->ends.source.family == ADDR_IPV6;
	uint8_t *message = craft->message;
	const struct body body = { .protocol = ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP, .hop_limit = CRAFT_HOP_LIMIT,
		.length = ICMP_BYTES + echo->length, .bytes = message };

	if (!craft_start(craft, &echo->ends, body.length))
		return NULL;
	memset(message, 0, ICMP_BYTES);
	if (ipv6)
		message[0] = echo->reply ? ECHO_REPLY6 : ECHO_REQUEST6;
	else
		message[0] = echo->reply ? ECHO_REPLY4 : ECHO_REQUEST4;
	store16(message + 4, echo->identifier);
	store16(message + 6, echo->sequence);
	if (echo->length > 0)
		memcpy(message + ICMP_BYTES, echo->data, echo->length);
	return craft_finish(craft, &echo->ends, &body);
}

const struct frame *
craft_tcp(struct craft *craft, const struct craft_tcp *tcp)
{
	uint8_t option[4] = { 2, sizeof(option) }; /* maximum segment size: RFC 9293 section 3.7.1 */
	const size_t length = TCP_BYTES + (tcp->mss > 0 ? sizeof(option) : 0);
	const struct body body = { .protocol = PROTOCOL_TCP, .hop_limit = CRAFT_HOP_LIMIT, .length = length };

	if (!craft_start(craft, &tcp->ends, length))
		return NULL;
	store16(option + 2, tcp->mss);
	if (tcp->mss > 0 && libnet_build_tcp_options(option, sizeof(option), craft->libnet, NEW) == -1)
		return NULL;
	if (libnet_build_tcp(tcp->source_port, tcp->destination_port, tcp->sequence, tcp->acknowledgement, tcp->flags,
	    tcp->window, LATER, 0, (uint16_t)length, NULL, 0, craft->libnet, NEW) == -1)
		return NULL;
	return craft_finish(craft, &tcp->ends, &body);
}

const struct frame *
craft_udp(struct craft *craft, const struct craft_udp *udp)
{
	const uint8_t *data = udp->length > 0 ? udp->data : NULL;
	const struct body body = { .protocol = PROTOCOL_UDP, .hop_limit = CRAFT_HOP_LIMIT,
		.length = UDP_BYTES + udp->length };

	if (!craft_start(craft, &udp->ends, body.length))
		return NULL;
	if (libnet_build_udp(udp->source_port, udp->destination_port, (uint16_t)body.length, LATER, data,
	    (uint32_t)udp->length, craft->libnet, NEW) == -1)
		return NULL;
	return craft_finish(craft, &udp->ends, &body);
}
