/* SPDX-License-Identifier: ISC */
/* From a line of the file, through the table of keys, into the section that is being read. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"
#include "conf/reader.h"

static const char *
section_name(unsigned kind)
{
	switch (kind) {
	case CONF_IN_DSRD:
		return "[dsrd]";
	case CONF_IN_DEFAULTS:
		return "[defaults]";
	default: /* CONF_IN_... are bits, not an enum */
		return "[service NAME]";
	}
}

/* "[defaults] or [service NAME]" */
static void
list_sections(unsigned sections, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned kind = CONF_IN_DSRD; kind <= CONF_IN_SERVICE; kind <<= 1) {
		if ((sections & kind) != 0 && length < size)
			length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : " or ",
			    section_name(kind));
	}
}

/* The names of all keys that may stand in `sections`, NULL at the end. Their number. */
static size_t
list_names(unsigned sections, const char *names[KEY_COUNT + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		if ((keys[i].info.sections & sections) != 0)
			names[count++] = keys[i].info.name;
	}
	names[count] = NULL;
	return count;
}

static enum key_id
find_key(const char *name)
{
	enum key_id id = 0;

	while (id < KEY_COUNT && strcmp(keys[id].info.name, name) != 0)
		id++;
	return id;
}

/* `server web1 192.0.2.11 weight=3`: is the `=` after the key missing, so that inih found another one? */
static bool
lacks_equals(const char *name)
{
	char word[READER_LINE + 1];
	size_t length = strcspn(name, " \t");

	if (name[length] == '\0' || length > READER_LINE)
		return false;
	memcpy(word, name, length);
	word[length] = '\0';
	return find_key(word) != KEY_COUNT;
}

static void
assign_report_unknown(struct parse *parse, const char *name)
{
	const char *names[KEY_COUNT + 1];
	const char *nearest;
	char list[3 * KEY_TEXT];
	size_t count, length = 0;

	if (lacks_equals(name)) {
		parse_error(parse, "`=` is missing: write `%.*s = ...`", (int)strcspn(name, " \t"), name);
		return;
	}
	count = list_names(parse->draft->kind, names);
	nearest = text_nearest(name, names);
	if (nearest != NULL) {
		parse_error(parse, "unknown key `%s`, did you mean `%s`?", name, nearest);
		return;
	}
	list[0] = '\0';
	for (size_t i = 0; i < count && length < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", i == 0 ? "" : " ", names[i]);
	parse_error(parse,
	    "unknown key `%s`; in %s valid keys are: %s", name, section_name(parse->draft->kind), list);
}

static void
tell_wrong_section(struct parse *parse, const struct key *key)
{
	char sections[KEY_TEXT];

	list_sections(key->info.sections, sections, sizeof(sections));
	parse_error(parse, "`%s` is not allowed in %s: it belongs in %s", key->info.name,
	    section_name(parse->draft->kind), sections);
}

/* True when the key stands for the first time, or may stand again. */
static bool
check_first(struct parse *parse, struct draft *draft, enum key_id id)
{
	struct place *given = &draft->given[id];
	char where[PLACE_TEXT];

	if (given->file == NULL) {
		*given = parse->place;
		return true;
	}
	if (keys[id].repeats)
		return true;
	parse_error(parse, "`%s` was given %s already, and can be given once in a section", keys[id].info.name,
	    place_text(given, &parse->place, where));
	return false;
}

static void
set_value(struct parse *parse, struct draft *draft, enum key_id id, const char *value)
{
	const struct key *key = &keys[id];
	char copy[READER_LINE + 1]; /* setters may write into it */

	(void)snprintf(copy, sizeof(copy), "%s", value);
	switch (key_set(key, parse, draft, copy)) {
	case SET_OK:
		return;
	case SET_REFUSED:
		if (*value == '\0')
			parse_error(parse, "`%s` has no value: it takes %s", key->info.name, key->info.takes);
		else
			parse_error(parse, "`%s` cannot be `%s`: it takes %s", key->info.name, value, key->info.takes);
		break;
	case SET_REPORTED:
		break;
	}
	draft->broken[id] = true;
}

/* Behind those that were given before, a line each. */
static bool
keep_text(struct draft *draft, enum key_id id, const char *value)
{
	const size_t before = draft->texts[id] == NULL ? 0 : strlen(draft->texts[id]) + 1;
	char *text = realloc(draft->texts[id], before + strlen(value) + 1);

	if (text == NULL)
		return false;
	draft->texts[id] = text;
	if (before > 0)
		text[before - 1] = '\n';
	memcpy(text + before, value, strlen(value) + 1);
	return true;
}

/* The opposite: each line is a value. */
static void
set_lines(struct parse *parse, struct draft *draft, enum key_id id, const char *text)
{
	char line[READER_LINE + 1];

	for (;;) {
		const size_t length = strcspn(text, "\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)length, text);
		set_value(parse, draft, id, line);
		if (text[length] == '\0')
			return;
		text += length + 1;
	}
}

void
key_take(struct parse *parse, const char *name, const char *value)
{
	struct draft *draft = parse->draft;
	enum key_id id = find_key(name);

	if (id == KEY_COUNT) {
		assign_report_unknown(parse, name);
		return;
	}
	if ((keys[id].info.sections & draft->kind) == 0) {
		tell_wrong_section(parse, &keys[id]);
		return;
	}
	if (!check_first(parse, draft, id))
		return;
	set_value(parse, draft, id, value);
	if (draft->kind != CONF_IN_DEFAULTS || draft->broken[id])
		return;
	/* The scratch service has validated the value; the services get it when all of them are known. */
	if (!keep_text(draft, id, value))
		parse_out_of_memory(parse);
}

void
key_fill(struct parse *parse, struct draft *draft)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		const char *text = keys[id].info.fallback;

		if ((keys[id].info.sections & draft->kind) == 0 || draft->given[id].file != NULL)
			continue;
		parse->place = draft->place;
		if (draft->kind == CONF_IN_SERVICE && parse->defaults.texts[id] != NULL) {
			parse->place = parse->defaults.given[id];
			text = parse->defaults.texts[id];
		}
		if (text != NULL)
			set_lines(parse, draft, id, text);
	}
}
