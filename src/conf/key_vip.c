/* SPDX-License-Identifier: ISC */
/* The values of the VIP probe and the watch; vip-payload is among the quoted ones of check_value.c. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "conf/keys.h"

static const char *const checks[] = {
	[VIP_CHECK_REQUIRE] = "require", [VIP_CHECK_WARN] = "warn", [VIP_CHECK_OFF] = "off"
};

static const char *const conflicts[] = {
	[VIP_CONFLICT_LOG] = "log", [VIP_CONFLICT_ANNOUNCE] = "announce", [VIP_CONFLICT_REMOVE] = "remove"
};

static size_t
key_vip_find_word(const char *const words[], size_t count, const char *value)
{
	size_t i = 0;

	while (i < count && strcmp(words[i], value) != 0)
		i++;
	return i;
}

enum set_result
value_set_vip_check(struct parse *parse, struct draft *draft, char *value)
{
	const size_t found = key_vip_find_word(checks, ARRAY_LEN(checks), value);

	(void)parse;
	if (found == ARRAY_LEN(checks))
		return SET_REFUSED;
	draft->service.vip_check = (enum vip_check)found;
	return SET_OK;
}

bool
value_print_vip_check(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", checks[service->vip_check]);
	return index == 0;
}

enum set_result
value_set_vip_conflict(struct parse *parse, struct draft *draft, char *value)
{
	const size_t found = key_vip_find_word(conflicts, ARRAY_LEN(conflicts), value);

	(void)parse;
	if (found == ARRAY_LEN(conflicts))
		return SET_REFUSED;
	draft->service.vip_conflict = (enum vip_conflict)found;
	return SET_OK;
}

bool
value_print_vip_conflict(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", conflicts[service->vip_conflict]);
	return index == 0;
}

/* At most one of each family, in any order. */
enum set_result
value_set_probe_address(struct parse *parse, struct draft *draft, char *value)
{
	struct addr read[PROBE_ADDRESSES] = { { .family = ADDR_NONE } };
	size_t count = 0;
	char *word;

	(void)draft;
	while ((word = text_next_word(&value)) != NULL) {
		if (count == PROBE_ADDRESSES)
			return SET_REFUSED;
		if (value_set_address(parse, "probe address", word, &read[count]) != SET_OK)
			return SET_REPORTED;
		if (count > 0 && read[0].family == read[count].family) {
			parse_error(parse, "`%s`: only one probe address per family (IPv4, IPv6) is allowed", word);
			return SET_REPORTED;
		}
		count++;
	}
	if (count == 0)
		return SET_REFUSED;
	memcpy(parse->conf->settings.probe_addresses, read, sizeof(read));
	return SET_OK;
}

bool
value_print_probe_address(const struct conf *conf, const struct service_settings *service, size_t index,
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
