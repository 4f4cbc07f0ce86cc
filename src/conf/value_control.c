/* SPDX-License-Identifier: ISC */
/* The control socket's keys. */
#include "config.h"

#include <string.h>

#include "conf/keys.h"

#define GROUP_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

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
	(void)snprintf(text, KEY_TEXT, "%s", conf->control);
	return index == 0 && conf->control[0] != '\0';
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
