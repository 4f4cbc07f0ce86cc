/* SPDX-License-Identifier: ISC */
/*
 * The input is one Ethernet frame, whose ICMPv6 checksum is made right first: random bytes would never get past it.
 * What ndp_parse() accepts, written again by craft, must be accepted again and mean the same.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/checksum.h"
#include "proto/craft.h"
#include "proto/ndp.h"
#include "proto/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_multicast(const struct addr *addr)
{
	return addr->bytes[0] == 0xff;
}

/* RFC 4861 sections 7.1.1 and 7.1.2, and RFC 6980 */
static void
check_rules(const struct packet *packet, const struct ndp *ndp)
{
	require(packet->protocol == PROTOCOL_ICMPV6 && packet->hop_limit == 255 && packet->icmp_code == 0);
	require(!packet->fragment && packet->l4 == packet->l3 + 40);
	require(!is_multicast(&ndp->target) && !is_multicast(&ndp->source));
	require(addr_equal(&ndp->source, &packet->source) && addr_equal(&ndp->destination, &packet->destination));
	if (ndp->kind == NDP_SOLICITATION) {
		require(!ndp->router && !ndp->solicited && !ndp->override);
		require(ndp->dad == addr_is_no_host(&ndp->source));
		require(!ndp->dad || (!ndp->has_mac && ndp_is_solicited_node(&ndp->destination)));
	} else {
		require(ndp->kind == NDP_ADVERTISEMENT && !ndp->dad);
		require(!ndp->solicited || !is_multicast(&ndp->destination));
	}
	if (ndp->has_mac)
		require(!mac_is_group(&ndp->mac) && !mac_is_zero(&ndp->mac));
}

/* Craft has no words for a message without the option, unless it comes from ::. */
static void
check_again(struct craft *craft, const struct ndp *ndp)
{
	const struct craft_neighbor neighbor = {
		.ends = { .source = ndp->source, .destination = ndp->destination },
		.target = ndp->target,
		.mac = ndp->mac,
		.router = ndp->router,
		.solicited = ndp->solicited,
		.override = ndp->override,
	};
	const struct frame *frame;
	struct packet packet;
	struct ndp again;

	if (!ndp->has_mac && !ndp->dad)
		return;
	if (ndp->kind == NDP_SOLICITATION)
		frame = craft_neighbor_solicitation(craft, &neighbor);
	else
		frame = craft_neighbor_advertisement(craft, &neighbor);
	require(frame != NULL && packet_parse(frame, &packet) == PACKET_OK);
	require(ndp_parse(frame, &packet, &again) == 0);
	require(again.kind == ndp->kind && addr_equal(&again.target, &ndp->target));
	require(again.has_mac == ndp->has_mac && mac_equal(&again.mac, &ndp->mac));
	require(again.router == ndp->router && again.solicited == ndp->solicited && again.override == ndp->override);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame = { .length = (uint32_t)size, .wire_length = (uint32_t)size };
	struct packet packet;
	struct craft *craft = NULL;
	struct ndp ndp;
	char error[256];

	frame.bytes = malloc(size > 0 ? size : 1);
	if (frame.bytes == NULL)
		return 0;
	memcpy(frame.bytes, data, size);
	if (packet_parse(&frame, &packet) != PACKET_OK || !ndp_is_neighbor(&packet))
		goto out;
	if (!packet.fragment)
		checksum_transport(&frame, &packet);
	if (ndp_parse(&frame, &packet, &ndp) == -1)
		goto out;
	check_rules(&packet, &ndp);
	craft = craft_new(error, sizeof(error));
	if (craft != NULL)
		check_again(craft, &ndp);
out:
	craft_free(craft);
	free(frame.bytes);
	return 0;
}
