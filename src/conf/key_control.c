/* SPDX-License-Identifier: ISC */
/*
 * The keys of what answers questions, the control socket, and the page and metrics over HTTP; and of what outlives dsrd
 */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "conf/keys.h"

#define GROUP_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define HOST_CHARACTERS GROUP_CHARACTERS ":, \t"

enum set_result
value_set_control(struct parse *parse, struct draft *draft, char *value)
{
	const size_t length = strlen(value);

	(void)draft;
	if (length >= CONF_SOCKET || (*value != '/' && strcmp(value, "off") != 0))
		return SET_REFUSED;
	memcpy(parse->conf->control, value, length + 1);
	return SET_OK;
}

bool
value_print_control(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->control[0] != '\0' ? conf->control : CONF_CONTROL);
	return index == 0;
}

enum set_result
value_set_control_group(struct parse *parse, struct draft *draft, char *value)
{
	const size_t length = strlen(value);

	(void)draft;
	if (length == 0 || length >= CONF_USER || strspn(value, GROUP_CHARACTERS) != length)
		return SET_REFUSED;
	memcpy(parse->conf->control_group, value, length + 1);
	return SET_OK;
}

bool
value_print_control_group(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->control_group);
	return index == 0 && conf->control_group[0] != '\0';
}

enum set_result
value_set_control_group_may(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (strcmp(value, "look") != 0 && strcmp(value, "change") != 0)
		return SET_REFUSED;
	parse->conf->control_change = strcmp(value, "change") == 0;
	return SET_OK;
}

bool
value_print_control_group_may(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->control_change ? "change" : "look");
	return index == 0;
}

enum set_result
value_set_state(struct parse *parse, struct draft *draft, char *value)
{
	const size_t length = strlen(value);

	(void)draft;
	if (length >= CONF_PATH || (*value != '/' && strcmp(value, "off") != 0))
		return SET_REFUSED;
	memcpy(parse->conf->state, value, length + 1);
	return SET_OK;
}

bool
value_print_state(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	conf_state_path(conf, text);
	return index == 0;
}

/* "127.0.0.1:9190" or "[::1]:9190"; 0.0.0.0 and :: are all addresses of the host. */
enum set_result
value_set_http(struct parse *parse, struct draft *draft, char *value)
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
value_print_http(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const bool brackets = conf->http_address.family == ADDR_IPV6;
	char addr[ADDR_TEXT];

	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s%s%s:%u", brackets ? "[" : "", addr_format(&conf->http_address, addr),
	    brackets ? "]" : "", conf->http_port);
	return index == 0 && addr_is_set(&conf->http_address);
}

enum set_result
value_set_http_host(struct parse *parse, struct draft *draft, char *value)
{
	const size_t length = strlen(value);

	(void)draft;
	if (length == 0 || length >= CONF_PATH || strspn(value, HOST_CHARACTERS) != length)
		return SET_REFUSED;
	memcpy(parse->conf->http_host, value, length + 1);
	return SET_OK;
}

bool
value_print_http_host(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->http_host);
	return index == 0 && conf->http_host[0] != '\0';
}
