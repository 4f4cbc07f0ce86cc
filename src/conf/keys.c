/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/keys.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"

#define CONNECTIONS_LEAST 16           /* conn_table_new() */
#define DURATION_LEAST MILLISECONDS(10)
#define DURATION_MOST MINUTES(60)
#define FLOW_TIME_LEAST SECONDS(1)
#define FLOW_TIME_MOST SECONDS(24 * 24 * 60 * 60) /* flow/conn.h: more counts as 24 days */
#define MTU_LEAST 576                  /* what every host takes: RFC 791 */
#define MTU_MOST 65535                 /* the largest IPv4 datagram */
#define LINGER_MOST MINUTES(24 * 60)
#define STREAK_MOST 1000               /* `rise` and `fall` */

static enum set_result
key_set_user(struct parse *parse, struct draft *draft, char *value)
{
	const char *colon = strchr(value, ':');
	size_t length = strlen(value);

	(void)draft;
	if (length == 0 || length >= CONF_USER || strpbrk(value, " \t/\"'") != NULL)
		return SET_REFUSED;
	if (colon != NULL && (colon == value || colon[1] == '\0' || strchr(colon + 1, ':') != NULL))
		return SET_REFUSED;
	memcpy(parse->conf->user, value, length + 1);
	return SET_OK;
}

static bool
key_print_user(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->user);
	return index == 0 && conf->user[0] != '\0';
}

static bool
key_print_control(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->control[0] != '\0' ? conf->control : CONF_CONTROL);
	return index == 0;
}

static bool
key_print_state(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)service;
	conf_state_path(conf, text);
	return index == 0;
}

static enum set_result
key_set_include(struct parse *parse, struct draft *draft, char *value)
{
	(void)draft;
	if (*value == '\0')
		return SET_REFUSED;
	parse_include(parse, value);
	return SET_OK;
}

/* The number that `value` stands for. False when it stands for none that the row allows. */
static bool
key_read_number(const struct key *key, const char *value, uint64_t *number)
{
	bool flag;

	switch (key->kind) {
	case KEY_DURATION:
		return text_duration(value, number) == 0 && *number >= key->least && *number <= key->most;
	case KEY_NUMBER:
		return text_number(value, key->least, key->most, number) == 0;
	case KEY_SIZE:
		return text_size(value, number) == 0 && *number >= key->least && *number <= key->most;
	case KEY_CHOICE:
		for (*number = 0; key->words[*number] != NULL; ++*number) {
			if (strcmp(key->words[*number], value) == 0)
				return true;
		}
		return false;
	case KEY_FLAG:
		if (text_bool(value, &flag) != 0)
			return false;
		*number = flag;
		return true;
	case KEY_OWN:
	case KEY_STRING:
	case KEY_PATH:
		break;
	}
	return false;
}

static bool
key_allows_text(const struct key *key, const char *value)
{
	const size_t length = strlen(value);

	if (length == 0 || length >= key->size)
		return false;
	if (key->kind == KEY_PATH)
		return *value == '/' || strcmp(value, "off") == 0;
	return key->allowed == NULL || strspn(value, key->allowed) == length;
}

enum set_result
key_set(const struct key *key, struct parse *parse, struct draft *draft, char *value)
{
	char *member = (key->of_conf ? (char *)parse->conf : (char *)&draft->service) + key->member;
	uint64_t number;

	if (key->set != NULL)
		return key->set(parse, draft, value);
	if (key->kind == KEY_STRING || key->kind == KEY_PATH) {
		if (!key_allows_text(key, value))
			return SET_REFUSED;
		memcpy(member, value, strlen(value) + 1);
		return SET_OK;
	}
	if (!key_read_number(key, value, &number))
		return SET_REFUSED;
	if (key->size == sizeof(uint64_t))
		memcpy(member, &number, sizeof(number));
	else if (key->size == sizeof(uint32_t))
		memcpy(member, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
	else
		*(bool *)member = number != 0;
	return SET_OK;
}

bool
key_print(const struct key *key, const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	/* Keys of services are printed for [dsrd] too, if they have a function of their own. */
	const char *owner = key->of_conf ? (const char *)conf : (const char *)service;
	const char *member = owner == NULL ? NULL : owner + key->member;
	char duration[DURATION_TEXT];
	uint64_t number = 0;
	uint32_t number32;

	if (key->print != NULL)
		return key->print(conf, service, index, text);
	if (key->kind == KEY_STRING || key->kind == KEY_PATH) {
		(void)snprintf(text, KEY_TEXT, "%s", member);
		return index == 0 && *member != '\0';
	}
	if (key->size == sizeof(uint64_t)) {
		memcpy(&number, member, sizeof(number));
	} else if (key->size == sizeof(uint32_t)) {
		memcpy(&number32, member, sizeof(number32));
		number = number32;
	} else {
		number = *(const bool *)member;
	}
	if (key->kind == KEY_CHOICE)
		(void)snprintf(text, KEY_TEXT, "%s", key->words[number]);
	else if (key->kind == KEY_FLAG)
		(void)snprintf(text, KEY_TEXT, "%s", number != 0 ? "yes" : "no");
	else if (key->kind == KEY_DURATION)
		(void)snprintf(text, KEY_TEXT, "%s", text_format_duration(number, duration));
	else
		(void)snprintf(text, KEY_TEXT, "%llu", (unsigned long long)number);
	return index == 0 && (number != 0 || key->least == 0);
}

bool
key_is_printed(const struct key *key)
{
	return key->kind != KEY_OWN || key->print != NULL;
}

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
#define IN_ALL (CONF_IN_DSRD | CONF_IN_DEFAULTS | CONF_IN_SERVICE)
#define IN_SERVICES (CONF_IN_DEFAULTS | CONF_IN_SERVICE)
#define FLOW_TIME "a duration from 1s to 24d, such as 90s, 15m or 2h"

#define OWN(name) .set = key_set_##name, .print = key_print_##name
#define CONF(name) .of_conf = true, .member = offsetof(struct conf, name), .size = sizeof(((struct conf *)NULL)->name)
#define SERVICE(name) .member = offsetof(struct service_settings, name), \
    .size = sizeof(((struct service_settings *)NULL)->name)
#define NUMBER(where, kind_, least_, most_) where, .kind = kind_, .least = least_, .most = most_
#define CHECK_TIME(name) NUMBER(SERVICE(name), KEY_DURATION, DURATION_LEAST, DURATION_MOST)
#define LIFETIME(state_) NUMBER(SERVICE(timeouts.state[state_]), KEY_DURATION, FLOW_TIME_LEAST, FLOW_TIME_MOST)
#define CHOICE(where, ...) where, .kind = KEY_CHOICE, .words = (const char *const[]){ __VA_ARGS__, NULL }
#define FLAG(where) where, .kind = KEY_FLAG
#define STRING(where, characters) where, .kind = KEY_STRING, .allowed = characters
#define PATH(where) where, .kind = KEY_PATH

const struct key keys[KEY_COUNT] = {
#define ROW(id, name, sections, takes, fallback, ...) [KEY_##id] = { { name, sections, takes, fallback }, __VA_ARGS__ },
	KEYS(ROW)
#undef ROW
};

const struct conf_key_info *
conf_key(size_t index)
{
	return index < KEY_COUNT ? &keys[index].info : NULL;
}

const char *
conf_offload_name(enum conf_offload offload)
{
	return keys[KEY_OFFLOAD].words[offload];
}
