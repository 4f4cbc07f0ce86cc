/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/craft.h"

#include <libnet.h>
#include <stdlib.h>
#include <string.h>

struct craft {
	libnet_t *libnet;
	libnet_ptag_t arp;      /* libnet's blocks, made by the first call and filled anew by later ones */
	libnet_ptag_t ethernet;
	struct frame frame;
	uint8_t bytes[CRAFT_MOST];
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
	craft->arp = LIBNET_PTAG_INITIALIZER;
	craft->ethernet = LIBNET_PTAG_INITIALIZER;
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
 * Takes the frame out of libnet, which allocates it anew each time, into our own room. libnet_adv_cull_packet() would be
 * the documented way, but refuses contexts that cannot send.
 */
static const struct frame *
collect(struct craft *craft)
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

const struct frame *
craft_arp(struct craft *craft, const struct mac *destination, const struct arp *arp)
{
	libnet_ptag_t tag;

	/* libnet wants the innermost header first. */
	tag = libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IPV4, MAC_BYTES, 4, (uint16_t)arp->operation,
	    arp->sender_mac.bytes, arp->sender.bytes, arp->target_mac.bytes, arp->target.bytes, NULL, 0,
	    craft->libnet, craft->arp);
	if (tag == -1)
		return NULL;
	craft->arp = tag;
	tag = libnet_build_ethernet(destination->bytes, arp->sender_mac.bytes, ETHERTYPE_ARP, NULL, 0, craft->libnet,
	    craft->ethernet);
	if (tag == -1)
		return NULL;
	craft->ethernet = tag;
	return collect(craft);
}
