/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"

struct compare {
	void (*each)(void *context, const struct conf_change *change);
	void *context;
	const char *service;
	const struct key *key;
};

/* All values of one key in one section, sorted. */
struct values {
	char **texts;
	size_t count;
};

static void
values_clear(struct values *values)
{
	for (size_t i = 0; i < values->count; i++)
		free(values->texts[i]);
	free(values->texts);
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `service` NULL: of [dsrd]. */
static int
values_of(const struct key *key, const struct conf *conf, const struct service_settings *service, struct values *values)
{
	char text[KEY_TEXT];
	size_t room = 0;

	memset(values, 0, sizeof(*values));
	while (key_print(key, conf, service, values->count, text)) {
		if (values->count == room) {
			char **more = realloc(values->texts, (room = room * 2 + 4) * sizeof(*more));

			if (more == NULL)
				return -1;
			values->texts = more;
		}
		values->texts[values->count] = strdup(text);
		if (values->texts[values->count] == NULL)
			return -1;
		values->count++;
	}
	if (values->count > 0)
		qsort(values->texts, values->count, sizeof(*values->texts), text_order);
	return 0;
}

/* An order of the options "interface=NAME" of two servers. */
static int
place_order(const char *a, const char *b)
{
	const char *mine = strstr(a, " interface="), *other = strstr(b, " interface=");
	size_t length;

	if (mine == NULL || other == NULL)
		return (mine != NULL) - (other != NULL);
	length = strcspn(mine + 1, " ");
	if (length != strcspn(other + 1, " "))
		return length < strcspn(other + 1, " ") ? -1 : 1;
	return strncmp(mine + 1, other + 1, length);
}

/* Name and address, with the blank behind them. */
static size_t
identity_length(const char *server)
{
	const char *blank = strchr(server, ' ');

	blank = blank == NULL ? NULL : strchr(blank + 1, ' ');
	return blank == NULL ? strlen(server) : (size_t)(blank - server);
}

/* An order in which 0 is "the same thing, perhaps changed". */
static int
identity_order(const struct key *key, const char *a, const char *b)
{
	const size_t length = identity_length(a), other = identity_length(b);
	int order;

	if (!key->repeats)
		return 0;
	if (key != &keys[KEY_SERVER])
		return strcmp(a, b);
	order = strncmp(a, b, length < other ? length : other);
	if (order != 0 || length != other)
		return order != 0 ? order : length < other ? -1 : 1;
	return place_order(a, b);
}

static void
compare_report(const struct compare *compare, enum conf_change_kind kind, const char *before, const char *after)
{
	const struct conf_change change = { .kind = kind, .service = compare->service,
		.key = compare->key == NULL ? NULL : compare->key->info.name, .before = before, .after = after,
		.at_start = compare->key != NULL && (compare->key->info.sections & CONF_AT_START) != 0 };

	compare->each(compare->context, &change);
}

static void
compare_values(const struct compare *compare, const struct values *before, const struct values *after)
{
	size_t i = 0, j = 0;

	while (i < before->count || j < after->count) {
		int order = i == before->count ? 1 : j == after->count ? -1 :
		    identity_order(compare->key, before->texts[i], after->texts[j]);

		if (order < 0) {
			compare_report(compare, CONF_REMOVED, before->texts[i++], NULL);
		} else if (order > 0) {
			compare_report(compare, CONF_ADDED, NULL, after->texts[j++]);
		} else {
			if (strcmp(before->texts[i], after->texts[j]) != 0)
				compare_report(compare, CONF_CHANGED, before->texts[i], after->texts[j]);
			i++;
			j++;
		}
	}
}

static int
compare_key(const struct compare *compare, const struct conf *before, const struct service_settings *old,
    const struct conf *after, const struct service_settings *fresh)
{
	struct values was = { NULL, 0 }, is = { NULL, 0 };
	int result = -1;

	if (values_of(compare->key, before, old, &was) == 0 && values_of(compare->key, after, fresh, &is) == 0) {
		compare_values(compare, &was, &is);
		result = 0;
	}
	values_clear(&was);
	values_clear(&is);
	return result;
}

static int
compare_section(struct compare *compare, unsigned kind, const struct conf *before, const struct service_settings *old,
    const struct conf *after, const struct service_settings *fresh)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		compare->key = &keys[i];
		if ((keys[i].info.sections & kind) != 0 && key_is_printed(&keys[i]) &&
		    compare_key(compare, before, old, after, fresh) == -1)
			return -1;
	}
	compare->key = NULL;
	return 0;
}

/* Looks where it was in the other file first: most often nothing has moved. */
static const struct service_settings *
compare_find_service(const struct settings *settings, const char *name, size_t hint)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		const struct service_settings *service = &settings->services[(hint + i) % settings->service_count];

		if (strcmp(service->name, name) == 0)
			return service;
	}
	return NULL;
}

int
conf_compare(const struct conf *before, const struct conf *after,
    void (*each)(void *context, const struct conf_change *change), void *context)
{
	struct compare compare = { each, context, NULL, NULL };

	if (compare_section(&compare, CONF_IN_DSRD, before, NULL, after, NULL) == -1)
		return -1;
	for (size_t i = 0; i < before->settings.service_count; i++) {
		compare.service = before->settings.services[i].name;
		if (compare_find_service(&after->settings, compare.service, i) == NULL)
			compare_report(&compare, CONF_REMOVED, NULL, NULL);
	}
	for (size_t i = 0; i < after->settings.service_count; i++) {
		const struct service_settings *fresh = &after->settings.services[i], *old;

		compare.service = fresh->name;
		old = compare_find_service(&before->settings, fresh->name, i);
		if (old == NULL)
			compare_report(&compare, CONF_ADDED, NULL, NULL);
		else if (compare_section(&compare, CONF_IN_SERVICE, before, old, after, fresh) == -1)
			return -1;
	}
	return 0;
}

const char *
conf_change_name(enum conf_change_kind kind)
{
	switch (kind) {
	case CONF_ADDED:
		return "added";
	case CONF_REMOVED:
		return "removed";
	case CONF_CHANGED:
		break;
	}
	return "changed";
}
