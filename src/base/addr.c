/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/addr.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

const struct mac mac_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
const struct mac mac_zero = { { 0, 0, 0, 0, 0, 0 } };

int
addr_parse(const char *text, struct addr *addr)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*addr = addr_from_ipv4(bytes);
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*addr = addr_from_ipv6(bytes);
		return 0;
	}
	return -1;
}

const char *
addr_format(const struct addr *addr, char text[ADDR_TEXT])
{
	int family = addr->family == ADDR_IPV6 ? AF_INET6 : AF_INET;

	if (!addr_is_set(addr) || inet_ntop(family, addr->bytes, text, ADDR_TEXT) == NULL)
		(void)snprintf(text, ADDR_TEXT, "none");
	return text;
}

const char *
addr_format_port(const struct addr *addr, uint16_t port, char text[ADDR_PORT_TEXT])
{
	char number[ADDR_TEXT];

	(void)snprintf(text, ADDR_PORT_TEXT, addr->family == ADDR_IPV6 ? "[%s]:%u" : "%s:%u", addr_format(addr, number),
	    port);
	return text;
}

struct addr
addr_from_ipv4(const uint8_t bytes[4])
{
	struct addr addr = { .family = ADDR_IPV4 };

	memcpy(addr.bytes, bytes, 4);
	return addr;
}

struct addr
addr_from_ipv6(const uint8_t bytes[16])
{
	struct addr addr = { .family = ADDR_IPV6 };

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	return addr;
}

bool
addr_is_mapped(const uint8_t bytes[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

struct addr
addr_from_sockaddr(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct addr none = { .family = ADDR_NONE };
	uint8_t bytes[16];

	/* Copied: a struct sockaddr may be less aligned than the larger types it stands for. */
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(bytes, &in.sin_addr, 4);
		return addr_from_ipv4(bytes);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		memcpy(bytes, &in6.sin6_addr, 16);
		return addr_from_ipv6(bytes);
	}
	return none;
}

bool
addr_is_loopback(const struct addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (addr->family == ADDR_IPV4)
		return addr->bytes[0] == 127;
	return addr->family == ADDR_IPV6 && memcmp(addr->bytes, one, sizeof(one)) == 0;
}

uint32_t
addr_to_sockaddr(struct sockaddr_storage *storage, const struct addr *addr, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(storage, 0, sizeof(*storage));
	if (addr->family == ADDR_IPV4) {
		memcpy(&v4.sin_addr, addr->bytes, sizeof(v4.sin_addr));
		memcpy(storage, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, addr->bytes, sizeof(v6.sin6_addr));
	memcpy(storage, &v6, sizeof(v6));
	return sizeof(v6);
}

bool
addr_is_no_host(const struct addr *addr)
{
	static const uint8_t zeros[16];
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (!addr_is_set(addr) || memcmp(addr->bytes, zeros, sizeof(zeros)) == 0)
		return true;
	if (addr->family == ADDR_IPV6)
		return addr->bytes[0] == 0xff; /* RFC 4291 section 2.7 */
	/* 224.0.0.0/4, RFC 5771 */
	return (addr->bytes[0] & 0xf0) == 0xe0 || memcmp(addr->bytes, broadcast, sizeof(broadcast)) == 0;
}

bool
addr_is_link_local(const struct addr *addr)
{
	return addr->family == ADDR_IPV6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool
prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	unsigned most = prefix->addr.family == ADDR_IPV6 ? 128 : 32;
	unsigned length = prefix->length < most ? prefix->length : most;
	unsigned bytes = length / 8;
	unsigned mask = 0xff00u >> (length % 8) & 0xff;

	if (!addr_is_set(addr) || prefix->addr.family != addr->family)
		return false;
	if (memcmp(prefix->addr.bytes, addr->bytes, bytes) != 0)
		return false;
	return mask == 0 || ((prefix->addr.bytes[bytes] ^ addr->bytes[bytes]) & mask) == 0;
}

int
mac_parse(const char *text, struct mac *mac)
{
	struct mac parsed;
	char separator = '\0';

	for (size_t i = 0; i < MAC_BYTES; i++) {
		int high = text_hex_digit(text[0]);
		int low = high < 0 ? -1 : text_hex_digit(text[1]);

		if (low < 0)
			return -1;
		parsed.bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
		if (i == MAC_BYTES - 1)
			break;
		if (i == 0)
			separator = *text;
		if ((separator != ':' && separator != '-') || *text++ != separator)
			return -1;
	}
	if (*text != '\0')
		return -1;
	*mac = parsed;
	return 0;
}

const char *
mac_format(const struct mac *mac, char text[MAC_TEXT])
{
	const uint8_t *b = mac->bytes;

	(void)snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	return text;
}

bool
mac_is_zero(const struct mac *mac)
{
	return mac_equal(mac, &mac_zero);
}
