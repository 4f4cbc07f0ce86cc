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

#define LENGTH_AT 0 /* of a socket address: its length, its family */
#define FAMILY_AT 1
#define ADDRESSES_MOST 8 /* RTAX_MAX of FreeBSD 14; the others have more, which come behind those that matter */
#define INET_BYTES 8     /* up to the end of the address in it */
#define INET6_BYTES 24

static struct addr
route_read_gateway(const uint8_t *bytes, size_t length, const struct route_dialect *dialect)
{
	struct addr gateway = { .family = ADDR_NONE };

	if (length >= INET_BYTES && bytes[FAMILY_AT] == ROUTE_INET)
		return addr_from_ipv4(bytes + 4);
	if (length < INET6_BYTES || bytes[FAMILY_AT] != dialect->inet6)
		return gateway;
	gateway = addr_from_ipv6(bytes + 8);
	/* KAME's kernels keep the number of the interface in a link-local address (sys/netinet6/scope6.c). */
	if (addr_is_link_local(&gateway))
		gateway.bytes[2] = gateway.bytes[3] = 0;
	return gateway;
}

static bool
route_read_name(const uint8_t *bytes, size_t length, char iface[IFACE_NAME])
{
	const size_t name = length > NAME_LENGTH_AT ? bytes[NAME_LENGTH_AT] : 0;

	if (length < NAME_AT || bytes[FAMILY_AT] != ROUTE_LINK || name == 0 || name >= IFACE_NAME ||
	    NAME_AT + name > length)
		return false;
	memcpy(iface, bytes + NAME_AT, name);
	iface[name] = '\0';
	return true;
}

bool
route_message_way(const uint8_t *bytes, size_t length, unsigned present, const struct route_dialect *dialect,
    struct addr *gateway, char iface[IFACE_NAME])
{
	bool named = false;

	*gateway = (struct addr) { .family = ADDR_NONE };
	for (unsigned i = 0; i < ADDRESSES_MOST; i++) {
		const unsigned bit = 1U << i;
		size_t size;

		if ((present & bit) == 0)
			continue;
		if (length == 0 || bytes[LENGTH_AT] > length)
			return false;
		size = bytes[LENGTH_AT] == 0 ? dialect->align :
		    (bytes[LENGTH_AT] + dialect->align - 1) / dialect->align * dialect->align;
		if (bit == ROUTE_GATEWAY)
			*gateway = route_read_gateway(bytes, bytes[LENGTH_AT], dialect);
		else if (bit == ROUTE_INTERFACE)
			named = route_read_name(bytes, bytes[LENGTH_AT], iface);
		size = size < length ? size : length;
		bytes += size;
		length -= size;
	}
	return named;
}
