/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "os/route_message.h"

#include <string.h>

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
