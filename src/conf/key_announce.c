/* SPDX-License-Identifier: ISC */
/* How VIPs are announced to routers. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"

#define ANNOUNCE_LEAST_MOST 1024

/* The rest of a word behind "NAME="; NULL: it is another option. */
static const char *
announce_value(const char *word, const char *name)
{
	const size_t length = strlen(name);

	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static bool
announce_number(const char *text, uint64_t most, uint32_t *number)
{
	uint64_t value;

	if (text_number(text, 1, most, &value) != 0)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool
announce_read_when(const char *text, struct announce_settings *settings)
{
	if (strcmp(text, "any") == 0)
		settings->when = ANNOUNCE_ANY;
	else if (strcmp(text, "all") == 0)
		settings->when = ANNOUNCE_ALL;
	else
		settings->when = ANNOUNCE_LEAST;
	return settings->when != ANNOUNCE_LEAST || announce_number(text, ANNOUNCE_LEAST_MOST, &settings->least);
}

static bool
announce_read_option(const char *word, struct announce_settings *settings, const char **group)
{
	const char *value;

	if ((value = announce_value(word, "when")) != NULL)
		return announce_read_when(value, settings);
	if ((value = announce_value(word, "metric")) != NULL)
		return announce_number(value, ANNOUNCE_METRIC_MOST, &settings->metric);
	if ((value = announce_value(word, "table")) != NULL)
		return (settings->way == ANNOUNCE_DEVICE || settings->way == ANNOUNCE_ROUTE) &&
		    announce_number(value, ANNOUNCE_TABLE_MOST, &settings->table);
	if ((value = announce_value(word, "device")) != NULL)
		return settings->way == ANNOUNCE_DEVICE && key_read_iface(value, settings->device);
	if ((value = announce_value(word, "last")) != NULL) {
		settings->keep = strcmp(value, "keep") == 0;
		return settings->keep || strcmp(value, "withdraw") == 0;
	}
	if ((value = announce_value(word, "group")) != NULL) {
		*group = value;
		return true;
	}
	return false;
}

/* The way, and the program behind it. */
static bool
announce_read_way(char **value, struct announce_settings *settings)
{
	const char *word = text_next_word(value);

	for (unsigned way = ANNOUNCE_OFF; word != NULL && way <= ANNOUNCE_PROGRAM; way++) {
		if (strcmp(word, announce_way_name((enum announce_way)way)) != 0)
			continue;
		settings->way = (enum announce_way)way;
		if (settings->way != ANNOUNCE_PROGRAM)
			return true;
		word = text_next_word(value);
		if (word == NULL || *word != '/' || strlen(word) >= sizeof(settings->program))
			return false;
		(void)snprintf(settings->program, sizeof(settings->program), "%s", word);
		return true;
	}
	return false;
}

/* "device when=all metric=50 group=left", "program /usr/local/sbin/announce" */
enum set_result
key_set_announce(struct parse *parse, struct draft *draft, char *value)
{
	struct announce_settings settings = { .given = true }, *place;
	const char *name = ROLE_MAIN, *word;
	struct role_settings *group;

	(void)draft;
	if (!announce_read_way(&value, &settings))
		return SET_REFUSED;
	while ((word = text_next_word(&value)) != NULL)
		if (!announce_read_option(word, &settings, &name))
			return SET_REFUSED;
	if (!CAN_MAKE_ROUTES && (settings.way == ANNOUNCE_DEVICE || settings.way == ANNOUNCE_ROUTE))
		return parse_refuse(parse, "`announce = %s` works on Linux only: here use `announce = program PATH`, "
		    "or let ExaBGP run `dsrctl announce --exabgp`", announce_way_name(settings.way));
	group = key_role_group(parse, name);
	if (group == NULL)
		return SET_REPORTED;
	place = &parse->conf->settings.announces[group - parse->conf->settings.roles.groups];
	if (place->given)
		return parse_refuse(parse, "group `%s` has an `announce` already: it can have one", name);
	if (settings.way == ANNOUNCE_DEVICE && settings.device[0] == '\0')
		(void)snprintf(settings.device, sizeof(settings.device), "%s%.*s",
		    strcmp(name, ROLE_MAIN) == 0 ? ANNOUNCE_DEVICE_NAME : "dsrd-", IFACE_NAME - 6,
		    strcmp(name, ROLE_MAIN) == 0 ? "" : name);
	*place = settings;
	return SET_OK;
}

static void
announce_print(const struct announce_settings *settings, const char *group, char text[KEY_TEXT])
{
	char when[ANNOUNCE_WHEN_TEXT], metric[32] = "", table[32] = "", device[IFACE_NAME + 16] = "";

	if (settings->metric != 0)
		(void)snprintf(metric, sizeof(metric), " metric=%" PRIu32, settings->metric);
	if (settings->table != 0)
		(void)snprintf(table, sizeof(table), " table=%" PRIu32, settings->table);
	if (settings->way == ANNOUNCE_DEVICE)
		(void)snprintf(device, sizeof(device), " device=%s", settings->device);
	(void)snprintf(text, KEY_TEXT, "%s%s%s when=%s%s%s%s%s%s%s", announce_way_name(settings->way),
	    settings->way == ANNOUNCE_PROGRAM ? " " : "", settings->program, announce_when_text(settings, when),
	    settings->keep ? " last=keep" : "", metric, table, device, group[0] != '\0' ? " group=" : "", group);
}

bool
key_print_announce(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct role_config *config = &conf->settings.roles;
	size_t given = 0;

	(void)service;
	for (size_t i = 0; i < config->group_count; i++) {
		if (!conf->settings.announces[i].given || given++ != index)
			continue;
		announce_print(&conf->settings.announces[i], i == 0 ? "" : config->groups[i].name, text);
		return true;
	}
	return false;
}
