/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/json_read.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MOST 16

struct reader {
	const char *at;
	const char *end;
	json_value *each;
	void *context;
	char table[JSON_TEXT];
	size_t row;
	char name[JSON_TEXT];
	char value[JSON_TEXT];
};

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL && *reader->at != '\0')
		reader->at++;
}

/* Takes this character, if it comes next. */
static bool
json_read_take(struct reader *reader, char wanted)
{
	skip_blanks(reader);
	if (reader->at == reader->end || *reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static bool
json_read_is_coming(struct reader *reader, char wanted)
{
	skip_blanks(reader);
	return reader->at < reader->end && *reader->at == wanted;
}

struct text {
	char *bytes;
	size_t used;
};

static void
json_read_put(struct text *text, unsigned byte)
{
	if (text->used + 1 < JSON_TEXT)
		text->bytes[text->used++] = (char)byte;
}

/* Behind "\u". What is beyond ASCII is shown as a question mark: no name of ours has it. */
static bool
take_unicode(struct reader *reader, struct text *text)
{
	unsigned code = 0;

	if (reader->end - reader->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		const int digit = text_hex_digit(*reader->at++);

		if (digit == -1)
			return false;
		code = code * 16 + (unsigned)digit;
	}
	json_read_put(text, code >= ' ' && code < 0x7f ? code : '?');
	return true;
}

static bool
take_escape(struct reader *reader, struct text *text)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/     ";
	const char *found;

	if (reader->at == reader->end)
		return false;
	if (*reader->at == 'u') {
		reader->at++;
		return take_unicode(reader, text);
	}
	found = *reader->at == '\0' ? NULL : strchr(escapes, *reader->at);
	if (found == NULL)
		return false;
	json_read_put(text, (unsigned char)meant[found - escapes]);
	reader->at++;
	return true;
}

static bool
take_string(struct reader *reader, char bytes[JSON_TEXT])
{
	struct text text = { bytes, 0 };

	if (!json_read_take(reader, '"'))
		return false;
	while (reader->at < reader->end && *reader->at != '"') {
		const unsigned char byte = (unsigned char)*reader->at++;

		if (byte < ' ' || (byte == '\\' && !take_escape(reader, &text)))
			return false;
		if (byte != '\\')
			json_read_put(&text, byte);
	}
	bytes[text.used] = '\0';
	return json_read_take(reader, '"');
}

/* A number, true, false or null: not distinguished here. */
static bool
json_read_take_word(struct reader *reader, char bytes[JSON_TEXT])
{
	struct text text = { bytes, 0 };

	skip_blanks(reader);
	while (reader->at < reader->end && *reader->at != '\0' &&
	    strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *reader->at) != NULL)
		json_read_put(&text, (unsigned char)*reader->at++);
	bytes[text.used] = '\0';
	return text.used > 0;
}

/* A plain value, reported with its name; one that is nested too deep is skipped. */
static bool
take_plain(struct reader *reader, bool reported)
{
	const bool text = json_read_is_coming(reader, '"');

	if (!(text ? take_string(reader, reader->value) : json_read_take_word(reader, reader->value)))
		return false;
	if (reported)
		reader->each(reader->context, reader->table, reader->row, reader->name,
		    !text && strcmp(reader->value, "null") == 0 ? NULL : reader->value);
	return true;
}

/* The structure that is being passed over, as a stack of closing brackets. */
static bool
pass_over(struct reader *reader)
{
	char closing[DEPTH_MOST];
	size_t depth = 0;

	do {
		if (json_read_is_coming(reader, '{') || json_read_is_coming(reader, '[')) {
			if (depth == DEPTH_MOST)
				return false;
			closing[depth++] = *reader->at++ == '{' ? '}' : ']';
		} else if (json_read_is_coming(reader, '}') || json_read_is_coming(reader, ']')) {
			if (depth == 0 || *reader->at++ != closing[--depth])
				return false;
		} else if (json_read_is_coming(reader, ',') || json_read_is_coming(reader, ':')) {
			reader->at++;
		} else if (!take_plain(reader, false)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

static bool json_read_take_member(struct reader *reader, bool (*nested)(struct reader *reader));

/* "{...}" whose members are plain, or passed to `nested`. */
static bool
take_object(struct reader *reader, bool (*nested)(struct reader *reader))
{
	if (!json_read_take(reader, '{'))
		return false;
	if (json_read_take(reader, '}'))
		return true;
	do
		if (!json_read_take_member(reader, nested))
			return false;
	while (json_read_take(reader, ','));
	return json_read_take(reader, '}');
}

static bool
json_read_take_member(struct reader *reader, bool (*nested)(struct reader *reader))
{
	if (!take_string(reader, reader->name) || !json_read_take(reader, ':'))
		return false;
	return json_read_is_coming(reader, '{') || json_read_is_coming(reader, '[') ? nested(reader) :
	    take_plain(reader, true);
}

/* The array behind the name of a table. */
static bool
take_table(struct reader *reader)
{
	bool well = true;

	if (!json_read_is_coming(reader, '['))
		return pass_over(reader);
	memcpy(reader->table, reader->name, sizeof(reader->table));
	reader->row = 0;
	reader->at++;
	while (well && !json_read_is_coming(reader, ']')) {
		well = (reader->row == 0 || json_read_take(reader, ',')) &&
		    (json_read_is_coming(reader, '{') ? take_object(reader, pass_over) : pass_over(reader));
		reader->row++;
	}
	reader->table[0] = '\0';
	reader->row = 0;
	return well && json_read_take(reader, ']');
}

int
json_read(const char *text, size_t length, json_value *each, void *context)
{
	struct reader reader = { .at = text, .end = text + length, .each = each, .context = context };

	if (!take_object(&reader, take_table))
		return -1;
	skip_blanks(&reader);
	return reader.at == reader.end ? 0 : -1;
}
