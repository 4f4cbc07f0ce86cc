/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/arp.h"

#include <string.h>

#include "base/bytes.h"

#define HARDWARE_ETHERNET 1 /* ARP Parameters, IANA */

int
arp_parse(const struct frame *frame, struct arp *arp)
{
	struct cursor cursor;
	struct mac source;
	uint16_t ethertype, hardware, protocol, operation;
	uint8_t hardware_length, protocol_length;
	uint8_t sender[4], target[4];
	struct arp parsed;

	cursor_init(&cursor, frame->bytes, frame->length);
	cursor_skip(&cursor, ETHER_SOURCE);
	cursor_copy(&cursor, source.bytes, MAC_BYTES);
	ethertype = cursor_u16(&cursor);
	if (ethertype == ETHERTYPE_VLAN) {
		cursor_skip(&cursor, VLAN_TAG - 2);
		ethertype = cursor_u16(&cursor);
	}
	hardware = cursor_u16(&cursor);
	protocol = cursor_u16(&cursor);
	hardware_length = cursor_u8(&cursor);
	protocol_length = cursor_u8(&cursor);
	operation = cursor_u16(&cursor);
	cursor_copy(&cursor, parsed.sender_mac.bytes, MAC_BYTES);
	cursor_copy(&cursor, sender, sizeof(sender));
	cursor_copy(&cursor, parsed.target_mac.bytes, MAC_BYTES);
	cursor_copy(&cursor, target, sizeof(target));

	if (!cursor_ok(&cursor) || ethertype != ETHERTYPE_ARP)
		return -1;
	if (hardware != HARDWARE_ETHERNET || hardware_length != MAC_BYTES)
		return -1;
	if (protocol != ETHERTYPE_IPV4 || protocol_length != sizeof(sender))
		return -1;
	if (operation != ARP_REQUEST && operation != ARP_REPLY)
		return -1;
	if (mac_is_group(&parsed.sender_mac) || mac_is_zero(&parsed.sender_mac) ||
	    !mac_equal(&parsed.sender_mac, &source))
		return -1;
	parsed.operation = (enum arp_operation)operation;
	parsed.sender = addr_from_ipv4(sender);
	parsed.target = addr_from_ipv4(target);
	*arp = parsed;
	return 0;
}
