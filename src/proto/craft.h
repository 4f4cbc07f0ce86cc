/* SPDX-License-Identifier: ISC */
/*
 * Frames built by libnet's builders in a context without a socket, which needs no privilege. A frame is valid until the
 * next call with the same craft. All checksums are set. Frames are not padded to Ethernet's minimum, since network
 * cards do that.
 */
#ifndef PROTO_CRAFT_H
#define PROTO_CRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "proto/arp.h"
#include "proto/frame.h"

#define CRAFT_MOST 65549 /* bytes in a crafted frame: Ethernet and the largest IPv4 packet (RFC 791 section 3.1) */

struct craft;

/* Source and destination. Both addresses are of one family, which selects the IP version. */
struct craft_ends {
	struct mac ether_source;
	struct mac ether_destination;
	struct addr source;
	struct addr destination;
	uint32_t ident;          /* IPv4's identification (16 bits), or IPv6's flow label (20 bits) */
};

struct craft_neighbor {
	struct craft_ends ends;  /* IPv6 */
	struct addr target;
	struct mac mac;          /* link-layer address option: of the sender, or of an advertisement's target */
	bool router;             /* these three: advertisements only (RFC 4861 section 4.4) */
	bool solicited;
	bool override;
};

struct craft_echo {
	struct craft_ends ends;
	bool reply;              /* else a request */
	uint16_t identifier;
	uint16_t sequence;
	const uint8_t *data;
	size_t length;
};

struct craft_tcp {
	struct craft_ends ends;
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t sequence;
	uint32_t acknowledgement;
	uint8_t flags;           /* TCP_SYN ... of proto/packet.h */
	uint16_t window;
	uint16_t mss;            /* the maximum segment size option; 0: no option */
};

struct craft_udp {
	struct craft_ends ends;
	uint16_t source_port;
	uint16_t destination_port;
	const uint8_t *data;
	size_t length;
};

/* NULL with a reason in `error` (of `size` bytes). */
NODISCARD struct craft *craft_new(char *error, size_t size);
void craft_free(struct craft *craft);

/*
 * All of these: NULL when libnet cannot, when the families differ, or when the frame would be longer than CRAFT_MOST.
 */

/* An ARP frame from `arp` (all fields), Ethernet source = arp->sender_mac, to `destination`. */
NODISCARD const struct frame *craft_arp(struct craft *craft, const struct mac *destination, const struct arp *arp);
/* Hop limit 255. A solicitation from :: has no MAC option, as the RFC requires; an advertisement always has one. */
NODISCARD const struct frame *craft_neighbor_solicitation(struct craft *craft,
    const struct craft_neighbor *neighbor);
NODISCARD const struct frame *craft_neighbor_advertisement(struct craft *craft,
    const struct craft_neighbor *neighbor);
#define CRAFT_HOP_LIMIT 64 /* IP Parameters, IANA: the recommended time to live */
/* These: time to live CRAFT_HOP_LIMIT, not fragmented, in IPv4 with "don't fragment". */
NODISCARD const struct frame *craft_echo(struct craft *craft, const struct craft_echo *echo);
NODISCARD const struct frame *craft_tcp(struct craft *craft, const struct craft_tcp *tcp);
NODISCARD const struct frame *craft_udp(struct craft *craft, const struct craft_udp *udp);

#endif
