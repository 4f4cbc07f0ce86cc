/* SPDX-License-Identifier: ISC */
/* Addresses and interfaces: the keys of [dsrd] that have them, and what other values have in common with them. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"

bool
key_is_name(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t length = strlen(text);

	return length > 0 && length < NAME_MOST && strspn(text, allowed) == length;
}

bool
key_is_name_list(const char *text)
{
	char name[NAME_MOST];

	for (;;) {
		const size_t length = strcspn(text, ",");

		if (length >= sizeof(name))
			return false;
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, text);
		if (!key_is_name(name))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

bool
key_read_iface(const char *text, char iface[IFACE_NAME])
{
	size_t length = strlen(text);

	if (length == 0 || length >= IFACE_NAME || strpbrk(text, " \t/\"'") != NULL)
		return false;
	memcpy(iface, text, length + 1);
	return true;
}

enum set_result
key_set_interface(struct parse *parse, struct draft *draft, char *value)
{
	char *iface = draft->kind == CONF_IN_DSRD ? parse->conf->iface : draft->service.iface;

	return key_read_iface(value, iface) ? SET_OK : SET_REFUSED;
}

bool
key_print_interface(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const char *iface = service == NULL ? conf->iface : service->iface;

	(void)snprintf(text, KEY_TEXT, "%s", iface);
	return index == 0 && *iface != '\0';
}

static bool
is_loopback(const struct addr *addr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr->family == ADDR_IPV4)
		return addr->bytes[0] == 127; /* RFC 1122 section 3.2.1.3 */
	return memcmp(addr->bytes, loopback6, sizeof(loopback6)) == 0; /* RFC 4291 section 2.5.3 */
}

/* Reports what is wrong with an invalid address: often it contains a valid one. */
static void
tell_no_address(struct parse *parse, const char *text)
{
	const size_t length = strcspn(text, "/#;");
	char begin[ADDR_TEXT];
	struct addr read;

	(void)snprintf(begin, sizeof(begin), "%.*s", (int)length, text);
	if (*text == '[')
		parse_error(parse, "`%s`: an IPv6 address is written without brackets, such as 2001:db8::10", text);
	else if (text[length] == '\0' || length >= sizeof(begin) || addr_parse(begin, &read) != 0)
		parse_error(parse, "`%s` is not an address such as 192.0.2.10 or 2001:db8::10 (names are not looked up)", text);
	else if (text[length] == '/')
		parse_error(parse, "`%s`: the address is written without a prefix length here, `%s`", text, begin);
	else
		parse_error(parse, "`%s`: a comment needs a blank before it, `%s %s`", text, begin, text + length);
}

enum set_result
key_read_address(struct parse *parse, const char *what, const char *text, struct addr *addr)
{
	struct addr read;

	if (addr_parse(text, &read) != 0) {
		tell_no_address(parse, text);
		return SET_REPORTED;
	}
	if (addr_is_no_host(&read) || is_loopback(&read))
		return parse_refuse(parse, "`%s` cannot be the %s: unset, loopback, multicast and broadcast addresses "
		    "do not identify a "
		    "machine on a network", text, what);
	if (read.family == ADDR_IPV6 && addr_is_mapped(read.bytes))
		return parse_refuse(parse,
		    "`%s` cannot be the %s: it is an IPv4-mapped address; write the IPv4 address",
		    text, what);
	if (addr_is_link_local(&read))
		return parse_refuse(parse, "`%s` cannot be the %s: a link-local address does not identify a network; "
		    "use a "
		    "global or unique local one", text, what);
	*addr = read;
	return SET_OK;
}

enum set_result
key_set_mac(struct parse *parse, struct draft *draft, char *value)
{
	struct mac mac;

	(void)draft;
	if (mac_parse(value, &mac) != 0)
		return SET_REFUSED;
	if (mac_is_zero(&mac) || mac_is_group(&mac))
		return parse_refuse(parse,
		    "`%s` is not a unicast MAC address",
		    value);
	parse->conf->mac = mac;
	return SET_OK;
}

bool
key_print_mac(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	char mac[MAC_TEXT];

	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", mac_format(&conf->mac, mac));
	return index == 0 && !mac_is_zero(&conf->mac);
}

/* "192.0.2.250/24" */
static enum set_result
set_own_prefix(struct parse *parse, char *word)
{
	char *slash = strchr(word, '/');
	struct prefix prefix = { 0 }, *own;
	uint64_t length;
	enum set_result result;

	if (slash == NULL)
		return SET_REFUSED;
	*slash = '\0';
	result = key_read_address(parse, "director's address", word, &prefix.addr);
	if (result != SET_OK)
		return result;
	if (text_number(slash + 1, 1, prefix.addr.family == ADDR_IPV4 ? 32 : 128, &length) != 0)
		return SET_REFUSED;
	prefix.length = (uint8_t)length;
	own = prefix.addr.family == ADDR_IPV4 ? &parse->conf->address4 : &parse->conf->address6;
	if (addr_is_set(&own->addr))
		return parse_refuse(parse, "`address` can have one IPv4 and one IPv6 address, and `%s` is a second",
		    word);
	*own = prefix;
	return SET_OK;
}

enum set_result
key_set_address(struct parse *parse, struct draft *draft, char *value)
{
	enum set_result result = SET_REFUSED;
	char *word;

	(void)draft;
	while ((word = text_next_word(&value)) != NULL) {
		result = set_own_prefix(parse, word);
		if (result != SET_OK)
			return result;
	}
	return result;
}

bool
key_print_address(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct prefix *given[2];
	size_t count = 0;
	char addr[ADDR_TEXT];

	(void)service;
	if (addr_is_set(&conf->address4.addr))
		given[count++] = &conf->address4;
	if (addr_is_set(&conf->address6.addr))
		given[count++] = &conf->address6;
	if (index >= count)
		return false;
	(void)snprintf(text, KEY_TEXT, "%s/%u", addr_format(&given[index]->addr, addr), given[index]->length);
	return true;
}

/* At most one of each family, in any order. */
enum set_result
key_set_probe_address(struct parse *parse, struct draft *draft, char *value)
{
	struct addr read[PROBE_ADDRESSES] = { { .family = ADDR_NONE } };
	size_t count = 0;
	char *word;

	(void)draft;
	while ((word = text_next_word(&value)) != NULL) {
		if (count == PROBE_ADDRESSES)
			return SET_REFUSED;
		if (key_read_address(parse, "probe address", word, &read[count]) != SET_OK)
			return SET_REPORTED;
		if (count > 0 && read[0].family == read[count].family)
			return parse_refuse(parse, "`%s`: only one probe address per family (IPv4, IPv6) is allowed",
			    word);
		count++;
	}
	if (count == 0)
		return SET_REFUSED;
	memcpy(parse->conf->settings.probe_addresses, read, sizeof(read));
	return SET_OK;
}

bool
key_print_probe_address(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	const struct addr *addrs = conf->settings.probe_addresses;
	char first[ADDR_TEXT], second[ADDR_TEXT] = "";

	(void)service;
	if (index > 0 || !addr_is_set(&addrs[0]))
		return false;
	if (addr_is_set(&addrs[1]))
		addr_format(&addrs[1], second);
	(void)snprintf(text, KEY_TEXT, "%s%s%s", addr_format(&addrs[0], first), *second != '\0' ? " " : "", second);
	return true;
}

/* "127.0.0.1:9190" or "[::1]:9190"; 0.0.0.0 and :: are all addresses of the host. */
enum set_result
key_set_http(struct parse *parse, struct draft *draft, char *value)
{
	char *colon = strrchr(value, ':'), *text = value;
	struct addr addr;
	uint64_t port;

	(void)draft;
	if (strcmp(value, "off") == 0)
		return SET_OK;
	if (colon == NULL || text_number(colon + 1, 1, PORT_MOST, &port) != 0)
		return SET_REFUSED;
	*colon = '\0';
	if (*text == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		text++;
	}
	/* Without brackets the end of an IPv6 address is ambiguous. */
	if (addr_parse(text, &addr) != 0 || (text != value) != (addr.family == ADDR_IPV6)) {
		*colon = ':';
		if (text != value)
			colon[-1] = ']';
		return SET_REFUSED;
	}
	parse->conf->http_address = addr;
	parse->conf->http_port = (uint16_t)port;
	return SET_OK;
}

bool
key_print_http(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const bool brackets = conf->http_address.family == ADDR_IPV6;
	char addr[ADDR_TEXT];

	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s%s%s:%u", brackets ? "[" : "", addr_format(&conf->http_address, addr),
	    brackets ? "]" : "", conf->http_port);
	return index == 0 && addr_is_set(&conf->http_address);
}
