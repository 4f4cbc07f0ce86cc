/* SPDX-License-Identifier: ISC */
/* Values of a service with a grammar of their own: scheduling, persistence, limits, quorum, outliers, notify. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/keyhash.h"
#include "base/text.h"
#include "conf/keys.h"
#include "sched/scheduler.h"

#define PERSIST_LEAST SECONDS(1)
#define PERSIST_MOST SECONDS(24 * 24 * 60 * 60) /* flow/conn.h: more counts as 24 days */

enum set_result
key_set_scheduler(struct parse *parse, struct draft *draft, char *value)
{
	const struct scheduler *scheduler = scheduler_find(value);
	const char *nearest;

	if (scheduler != NULL) {
		draft->service.scheduler = scheduler;
		return SET_OK;
	}
	nearest = text_nearest(value, scheduler_names());
	if (nearest == NULL)
		return SET_REFUSED;
	return parse_refuse(parse, "unknown scheduler `%s`, did you mean `%s`?", value, nearest);
}

bool
key_print_scheduler(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	(void)snprintf(text, KEY_TEXT, "%s", service->scheduler->name);
	return index == 0;
}

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
key_set_persist(struct parse *parse, struct draft *draft, char *value)
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
	} else if (text_duration(time, &duration) != 0 || duration < PERSIST_LEAST || duration > PERSIST_MOST) {
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
key_print_persist(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
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

/* "1000/s" */
static bool
limit_read_rate(const char *word, uint32_t *rate)
{
	char digits[16];
	const size_t length = strlen(word);
	uint64_t number;

	if (length < 3 || length >= sizeof(digits) || strcmp(word + length - 2, "/s") != 0)
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(length - 2), word);
	if (text_number(digits, 1, LIMIT_MOST, &number) != 0)
		return false;
	*rate = (uint32_t)number;
	return true;
}

/* "24,64" */
static bool
limit_read_prefixes(char *word, struct limit *limit)
{
	char *comma = strchr(word, ',');
	uint64_t prefix4, prefix6;

	if (comma == NULL)
		return false;
	*comma = '\0';
	if (text_number(word, 1, 32, &prefix4) != 0 || text_number(comma + 1, 1, 128, &prefix6) != 0)
		return false;
	limit->prefix4 = (uint8_t)prefix4;
	limit->prefix6 = (uint8_t)prefix6;
	return true;
}

/* "per-client=20/s" and "prefix=24,64", each once. */
static bool
limit_read_options(char *value, struct limit *limit, bool *has_prefix)
{
	static const char client[] = "per-client=", prefix[] = "prefix=";
	char *word;

	while ((word = text_next_word(&value)) != NULL) {
		if (limit->client == 0 && strncmp(word, client, strlen(client)) == 0) {
			if (!limit_read_rate(word + strlen(client), &limit->client))
				return false;
		} else if (!*has_prefix && strncmp(word, prefix, strlen(prefix)) == 0) {
			if (!limit_read_prefixes(word + strlen(prefix), limit))
				return false;
			*has_prefix = true;
		} else {
			return false;
		}
	}
	return true;
}

enum set_result
key_set_limit_new(struct parse *parse, struct draft *draft, char *value)
{
	struct limit limit = { .prefix4 = LIMIT_PREFIX4, .prefix6 = LIMIT_PREFIX6 };
	const char *word = text_next_word(&value);
	bool has_prefix = false;

	if (word != NULL && strcmp(word, "off") == 0) {
		if (text_next_word(&value) != NULL)
			return SET_REFUSED;
	} else if (word == NULL || !limit_read_rate(word, &limit.service) ||
	    !limit_read_options(value, &limit, &has_prefix)) {
		return SET_REFUSED;
	}
	if (has_prefix && limit.client == 0)
		return parse_refuse(parse, "`limit-new` has `prefix` without `per-client`: write how many connections each "
		    "client may begin, such as per-client=20/s");
	if (limit.client > limit.service)
		return parse_refuse(parse, "`limit-new` has per-client=%u/s, which is more than the %u/s of all clients "
		    "together: lower the one, or raise the other", limit.client, limit.service);
	draft->service.limit_new = limit;
	return SET_OK;
}

bool
key_print_limit_new(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct limit *limit = &service->limit_new;

	(void)conf;
	if (limit->service == 0)
		(void)snprintf(text, KEY_TEXT, "off");
	else if (limit->client == 0)
		(void)snprintf(text, KEY_TEXT, "%u/s", limit->service);
	else
		(void)snprintf(text, KEY_TEXT, "%u/s per-client=%u/s prefix=%u,%u", limit->service, limit->client,
		    limit->prefix4, limit->prefix6);
	return index == 0;
}

/* "2", "50%" */
static bool
set_quorum_word(const char *word, struct quorum *quorum)
{
	char digits[16];
	const size_t length = strlen(word);
	const bool percent = length > 0 && word[length - 1] == '%';
	uint64_t number;

	if (length >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(length - percent), word);
	if (text_number(digits, 1, percent ? 100 : SERVERS_MOST, &number) != 0)
		return false;
	*quorum = (struct quorum) { (uint16_t)number, percent };
	return true;
}

/* "2", "50% recover=75%" */
enum set_result
key_set_quorum(struct parse *parse, struct draft *draft, char *value)
{
	const char *word = text_next_word(&value);
	const char *option = text_next_word(&value);

	(void)parse;
	draft->service.recover = (struct quorum) { 0, false };
	if (word == NULL || !set_quorum_word(word, &draft->service.quorum) || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (option == NULL)
		return SET_OK;
	if (strncmp(option, "recover=", strlen("recover=")) != 0)
		return SET_REFUSED;
	return set_quorum_word(option + strlen("recover="), &draft->service.recover) ? SET_OK : SET_REFUSED;
}

bool
key_print_quorum(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct quorum *quorum = &service->quorum, *recover = &service->recover;
	char more[32] = "";

	(void)conf;
	if (recover->number != 0)
		(void)snprintf(more, sizeof(more), " recover=%u%s", recover->number, recover->percent ? "%" : "");
	(void)snprintf(text, KEY_TEXT, "%u%s%s", quorum->number, quorum->percent ? "%" : "", more);
	return index == 0 && quorum->number != 0;
}

/* "warn", "eject max=20%" */
enum set_result
key_set_outlier(struct parse *parse, struct draft *draft, char *value)
{
	static const char *const words[] = { [OUTLIER_WARN] = "warn", [OUTLIER_OFF] = "off",
	    [OUTLIER_EJECT] = "eject" };
	const char *word = text_next_word(&value);
	const char *option = text_next_word(&value);
	struct quorum most = { OUTLIER_MAX, true };
	size_t found = 0;

	(void)parse;
	while (word != NULL && found < ARRAY_LEN(words) && strcmp(word, words[found]) != 0)
		found++;
	if (word == NULL || found == ARRAY_LEN(words) || text_next_word(&value) != NULL)
		return SET_REFUSED;
	if (option != NULL && (found != OUTLIER_EJECT || strncmp(option, "max=", strlen("max=")) != 0 ||
	    !set_quorum_word(option + strlen("max="), &most) || !most.percent))
		return SET_REFUSED;
	draft->service.outlier = (enum outlier_policy)found;
	draft->service.outlier_max = (uint8_t)most.number;
	return SET_OK;
}

bool
key_print_outlier(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	(void)conf;
	if (service->outlier == OUTLIER_EJECT)
		(void)snprintf(text, KEY_TEXT, "eject max=%u%%", service->outlier_max == 0 ? OUTLIER_MAX :
		    service->outlier_max);
	else
		(void)snprintf(text, KEY_TEXT, "%s", service->outlier == OUTLIER_OFF ? "off" : "warn");
	return index == 0;
}

/* Cuts the last word off when it is "servers=web1,web9". Empty when there is none. */
static const char *
notify_cut_servers(char *value)
{
	static const char option[] = "servers=";
	char *blank = strrchr(value, ' ');

	if (blank == NULL || strncmp(blank + 1, option, strlen(option)) != 0)
		return "";
	*blank = '\0';
	for (char *end = blank; end > value && end[-1] == ' '; end--)
		end[-1] = '\0';
	return blank + 1 + strlen(option);
}

static enum set_result
notify_add(struct parse *parse, struct service_settings *service, const struct notify_settings *notify)
{
	struct notify_settings *all;

	for (size_t i = 0; i < service->notify_count; i++) {
		if (strcmp(service->notifies[i].servers, notify->servers) != 0)
			continue;
		return parse_refuse(parse, "`notify` is given twice for the same servers: one program runs for each "
		    "change");
	}
	all = parse_grow(service->notifies, service->notify_count, sizeof(*all));
	if (all == NULL) {
		parse_out_of_memory(parse);
		return SET_REPORTED;
	}
	service->notifies = all;
	all[service->notify_count++] = *notify;
	return SET_OK;
}

enum set_result
key_set_notify(struct parse *parse, struct draft *draft, char *value)
{
	struct notify_settings notify = { .program = "" };
	const char *servers = draft->kind == CONF_IN_DSRD ? "" : notify_cut_servers(value);
	const bool off = strcmp(value, "off") == 0;

	if ((!off && *value != '/') || strlen(value) >= sizeof(notify.program) ||
	    (servers[0] != '\0' && !key_is_name_list(servers)) || strlen(servers) >= sizeof(notify.servers))
		return SET_REFUSED;
	if (!off)
		(void)snprintf(notify.program, sizeof(notify.program), "%s", value);
	(void)snprintf(notify.servers, sizeof(notify.servers), "%s", servers);
	if (draft->kind != CONF_IN_DSRD)
		return notify_add(parse, &draft->service, &notify);
	if (parse->conf->notify[0] != '\0')
		return parse_refuse(parse, "`notify` is given twice: [dsrd] has one program; a [service] may have "
		    "others");
	memcpy(parse->conf->notify, notify.program, sizeof(notify.program));
	return SET_OK;
}

bool
key_print_notify(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct notify_settings *notify;

	if (service == NULL) {
		(void)snprintf(text, KEY_TEXT, "%s", conf->notify);
		return index == 0 && conf->notify[0] != '\0';
	}
	if (index >= service->notify_count)
		return false;
	notify = &service->notifies[index];
	/* Both came from one line of the file, so they fit into one. */
	(void)snprintf(text, KEY_TEXT, "%.*s%s%.*s", NOTIFY_PATH, notify->program[0] == '\0' ? "off" : notify->program,
	    notify->servers[0] == '\0' ? "" : " servers=", KEY_TEXT - NOTIFY_PATH - 16, notify->servers);
	return true;
}
