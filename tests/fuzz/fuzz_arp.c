/* SPDX-License-Identifier: ISC */
/*
 * The input is one Ethernet frame. An ARP frame that arp_parse() accepts, written again by craft_arp() to the same
 * destination, must be the same 42 bytes.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/arp.h"
#include "proto/craft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
check_again(struct craft *craft, const uint8_t *data, const struct arp *arp)
{
	const struct frame *again;
	struct mac destination;

	require(!mac_is_group(&arp->sender_mac) && !mac_is_zero(&arp->sender_mac));
	memcpy(destination.bytes, data + ETHER_DESTINATION, MAC_BYTES);
	again = craft_arp(craft, &destination, arp);
	require(again != NULL && again->length == ETHER_HEADER + ARP_BYTES);
	require(memcmp(again->bytes, data, again->length) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame = { .length = (uint32_t)size, .wire_length = (uint32_t)size };
	struct craft *craft;
	struct arp arp;
	char error[256];

	frame.bytes = malloc(size > 0 ? size : 1);
	craft = craft_new(error, sizeof(error));
	if (frame.bytes == NULL || craft == NULL)
		goto out;
	memcpy(frame.bytes, data, size);
	/* craft_arp() writes no tag. */
	if (arp_parse(&frame, &arp) == 0 && data[ETHER_TYPE] == ETHERTYPE_ARP >> 8)
		check_again(craft, data, &arp);
	require(size == 0 || memcmp(frame.bytes, data, size) == 0);
out:
	craft_free(craft);
	free(frame.bytes);
	return 0;
}
