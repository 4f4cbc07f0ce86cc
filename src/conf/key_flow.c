/* SPDX-License-Identifier: ISC */
/* Values about flows: timeouts, persistence, hashing. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/siphash.h"
#include "base/text.h"
#include "conf/keys.h"

#define FLOW_TIME_LEAST SECONDS(1)
#define FLOW_TIME_MOST SECONDS(24 * 24 * 60 * 60) /* flow/conn.h: more counts as 24 days */
#define WARMUP_MOST MINUTES(60)

/*
 * A text of any length becomes a key: SipHash-2-4 of it under the zero key is the first half, and under the key that
 * has the first half twice, the second. Both halves are little-endian.
 */
struct siphash_key
hash_key_derive(const char *text)
{
	struct siphash_key key = { { 0 } };

	for (size_t half = 0; half < 2; half++) {
		const uint64_t hash = siphash24(&key, text, strlen(text));

		for (size_t i = 0; i < SIPHASH_KEY / 2; i++)
			key.bytes[SIPHASH_KEY / 2 * half + i] = (uint8_t)(hash >> 8 * i);
		if (half == 0)
			memcpy(key.bytes + SIPHASH_KEY / 2, key.bytes, SIPHASH_KEY / 2);
	}
	return key;
}

enum set_result
value_set_hash_key(struct parse *parse, struct draft *draft, char *value)
{
	struct conf *conf = parse->conf;

	(void)draft;
	if (*value == '\0' || strlen(value) >= sizeof(conf->hash_key))
		return SET_REFUSED;
	(void)snprintf(conf->hash_key, sizeof(conf->hash_key), "%s", value);
	conf->settings.hash_key = hash_key_derive(value);
	return SET_OK;
}

bool
value_print_hash_key(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)service;
	(void)snprintf(text, KEY_TEXT, "%s", conf->hash_key);
	return index == 0 && conf->hash_key[0] != '\0';
}

/* "/24" */
static bool
read_prefix(const char *word, unsigned most, uint8_t *length)
{
	uint64_t number;

	if (*word != '/' || text_number(word + 1, 1, most, &number) != 0)
		return false;
	*length = (uint8_t)number;
	return true;
}

enum set_result
value_set_persist(struct parse *parse, struct draft *draft, char *value)
{
	struct service_settings *service = &draft->service;
	const char *time = text_next_word(&value);
	const char *prefix4 = text_next_word(&value);
	const char *prefix6 = text_next_word(&value);
	uint64_t duration = 0;
	uint8_t length4 = 32, length6 = 128;

	(void)parse;
	if (time == NULL || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (strcmp(time, "off") == 0) {
		if (prefix4 != NULL)
			return SET_REFUSED;
	} else if (text_duration(time, &duration) != 0 || duration < FLOW_TIME_LEAST || duration > FLOW_TIME_MOST) {
		return SET_REFUSED;
	}
	if (prefix4 != NULL && !read_prefix(prefix4, 32, &length4))
		return SET_REFUSED;
	if (prefix6 != NULL && !read_prefix(prefix6, 128, &length6))
		return SET_REFUSED;
	service->persist = duration;
	service->persist_prefix4 = length4;
	service->persist_prefix6 = length6;
	return SET_OK;
}

bool
value_print_persist(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	char duration[DURATION_TEXT];

	(void)conf;
	if (service->persist == 0)
		(void)snprintf(text, KEY_TEXT, "off");
	else
		(void)snprintf(text, KEY_TEXT, "%s /%u /%u", text_format_duration(service->persist, duration),
		    service->persist_prefix4, service->persist_prefix6);
	return index == 0;
}

static bool
print_duration(uint64_t duration, size_t index, char text[KEY_TEXT])
{
	char number[DURATION_TEXT];

	(void)snprintf(text, KEY_TEXT, "%s", text_format_duration(duration, number));
	return index == 0;
}

enum set_result
value_set_warmup(struct parse *parse, struct draft *draft, char *value)
{
	uint64_t duration;

	(void)parse;
	if (text_duration(value, &duration) != 0 || duration > WARMUP_MOST)
		return SET_REFUSED;
	draft->service.warmup = duration;
	return SET_OK;
}

bool
value_print_warmup(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	return print_duration(service->warmup, index, text);
}

enum set_result
value_set_on_down(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	if (strcmp(value, "keep") == 0)
		draft->service.on_down = ON_DOWN_KEEP;
	else if (strcmp(value, "move") == 0)
		draft->service.on_down = ON_DOWN_MOVE;
	else
		return SET_REFUSED;
	return SET_OK;
}

bool
value_print_on_down(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", service->on_down == ON_DOWN_KEEP ? "keep" : "move");
	return index == 0;
}

static enum set_result
set_lifetime(struct draft *draft, enum conn_state state, const char *value)
{
	uint64_t duration;

	if (text_duration(value, &duration) != 0 || duration < FLOW_TIME_LEAST || duration > FLOW_TIME_MOST)
		return SET_REFUSED;
	draft->service.timeouts.state[state] = duration;
	return SET_OK;
}

/* A key for a state of flows. */
#define LIFETIME(name, STATE) \
	enum set_result \
	value_set_##name(struct parse *parse, struct draft *draft, char *value) \
	{ \
		(void)parse; \
		return set_lifetime(draft, STATE, value); \
	} \
\
	bool \
	value_print_##name(const struct conf *conf, const struct service_settings *service, size_t index, \
	    char text[KEY_TEXT]) \
	{ \
		(void)conf; \
		return print_duration(service->timeouts.state[STATE], index, text); \
	}

LIFETIME(timeout_established, CONN_ESTABLISHED)
LIFETIME(timeout_syn, CONN_SYN)
LIFETIME(timeout_closed, CONN_CLOSED)
LIFETIME(timeout_udp, CONN_UDP)

/* Both states in which the client has said its last word. */
enum set_result
value_set_timeout_fin(struct parse *parse, struct draft *draft, char *value)
{
	(void)parse;
	if (set_lifetime(draft, CONN_FIN_WAIT, value) != SET_OK)
		return SET_REFUSED;
	return set_lifetime(draft, CONN_TIME_WAIT, value);
}

bool
value_print_timeout_fin(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)conf;
	return print_duration(service->timeouts.state[CONN_FIN_WAIT], index, text);
}
