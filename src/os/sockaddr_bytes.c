/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "os/sockaddr_bytes.h"

#include <string.h>

#define NAME_LENGTH_AT 5
#define ADDRESS_LENGTH_AT 6
#define NAME_AT 8

uint8_t
sockaddr_mask_length(const uint8_t *bytes, size_t length, enum addr_family family)
{
	const size_t at = family == ADDR_IPV4 ? 4 : 8;
	const uint8_t most = family == ADDR_IPV4 ? 32 : 128;
	uint8_t bits = 0;

	while (bits < most && at + bits / 8 < length && (bytes[at + bits / 8] & (0x80 >> bits % 8)) != 0)
		bits++;
	return bits;
}

bool
sockaddr_link_mac(const uint8_t *bytes, size_t length, struct mac *mac)
{
	if (length < NAME_AT || bytes[ADDRESS_LENGTH_AT] != MAC_BYTES ||
	    length < (size_t)NAME_AT + bytes[NAME_LENGTH_AT] + MAC_BYTES)
		return false;
	memcpy(mac->bytes, bytes + NAME_AT + bytes[NAME_LENGTH_AT], MAC_BYTES);
	return true;
}
