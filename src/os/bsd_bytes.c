/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "os/bsd_bytes.h"

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

/* Common header: u_short length in host byte order, u_char version, u_char type (route(4)). */
#define VERSION_AT 2
#define TYPE_AT 3
#define BEGINNING 4

bool
route_message_find(const uint8_t *bytes, size_t length, uint8_t version, const uint8_t *types, size_t count)
{
	uint16_t size;

	for (; length >= BEGINNING; bytes += size, length -= size) {
		memcpy(&size, bytes, sizeof(size));
		if (size < BEGINNING || size > length)
			return false;
		if (bytes[VERSION_AT] == version && memchr(types, bytes[TYPE_AT], count) != NULL)
			return true;
	}
	return false;
}
