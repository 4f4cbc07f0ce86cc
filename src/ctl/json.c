/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

void
json_begin(struct json *json, FILE *out)
{
	memset(json, 0, sizeof(*json));
	json->out = out;
}

/*
 * The length in bytes of the character at `text`, by RFC 3629's table of well-formed sequences; 0 when it is invalid.
 * The text ends with a NUL, which is not a continuation byte, so nothing beyond it is read.
 */
static size_t
json_character(const unsigned char *text)
{
	const unsigned char lead = text[0];
	unsigned char least = 0x80, most = 0xbf;
	size_t length;

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (lead == 0xe0)
		least = 0xa0;
	else if (lead == 0xed)
		most = 0x9f; /* surrogates */
	else if (lead == 0xf0)
		least = 0x90;
	else if (lead == 0xf4)
		most = 0x8f;
	if (text[1] < least || text[1] > most)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

/* How many bytes from `text` on stand for themselves. */
static size_t
json_plain(const unsigned char *text)
{
	size_t length = 0;

	while (text[length] >= 0x20 && text[length] < 0x7f && text[length] != '"' && text[length] != '\\')
		length++;
	return length;
}

static void
put_string(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	fputc('"', out);
	while (*at != '\0') {
		const size_t run = json_plain(at), length = run > 0 ? run : json_character(at);

		if (length == 0)
			fputs("\\ufffd", out);
		else if (run > 0)
			fwrite(at, 1, run, out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", out);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, length, out);
		at += length == 0 ? 1 : length;
	}
	fputc('"', out);
}

/* What stands before any value; false when none may stand here. */
static bool
json_prepare(struct json *json, const char *name)
{
	const bool top = json->depth == 0;
	const bool in_array = !top && json->is_array[json->depth - 1];

	if (json->failed || (top ? json->ended || name != NULL : in_array != (name == NULL))) {
		json->failed = true;
		return false;
	}
	if (!top) {
		if (json->filled[json->depth - 1])
			fputc(',', json->out);
		json->filled[json->depth - 1] = true;
	}
	if (name != NULL) {
		put_string(json->out, name);
		fputc(':', json->out);
	}
	json->ended |= top;
	return true;
}

static void
json_open_one(struct json *json, const char *name, bool is_array)
{
	if (json->depth == JSON_DEPTH)
		json->failed = true;
	if (!json_prepare(json, name))
		return;
	fputc(is_array ? '[' : '{', json->out);
	json->is_array[json->depth] = is_array;
	json->filled[json->depth] = false;
	json->depth++;
}

void
json_object(struct json *json, const char *name)
{
	json_open_one(json, name, false);
}

void
json_array(struct json *json, const char *name)
{
	json_open_one(json, name, true);
}

void
json_close(struct json *json)
{
	if (json->failed || json->depth == 0) {
		json->failed = true;
		return;
	}
	json->depth--;
	fputc(json->is_array[json->depth] ? ']' : '}', json->out);
	if (json->depth == 0)
		fputc('\n', json->out);
}

void
json_text(struct json *json, const char *name, const char *text)
{
	if (json_prepare(json, name))
		put_string(json->out, text);
}

void
json_number(struct json *json, const char *name, uint64_t number)
{
	if (json_prepare(json, name))
		fprintf(json->out, "%" PRIu64, number);
}

void
json_bool(struct json *json, const char *name, bool value)
{
	if (json_prepare(json, name))
		fputs(value ? "true" : "false", json->out);
}

void
json_null(struct json *json, const char *name)
{
	if (json_prepare(json, name))
		fputs("null", json->out);
}

int
json_finish(struct json *json)
{
	if (json->failed || json->depth != 0 || !json->ended || ferror(json->out))
		return -1;
	return 0;
}
