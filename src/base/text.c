/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"

/* A unit's name and what it is worth. */
struct unit {
	const char *name;
	uint64_t worth;
};

/* From the largest down: text_format_duration() takes the first that fits. */
static const struct unit durations[] = {
	{ "d", SECONDS(86400) }, { "h", MINUTES(60) }, { "m", MINUTES(1) },
	{ "s", SECONDS(1) }, { "ms", MILLISECONDS(1) }, { "us", 1 }
};

static const struct unit sizes[] = {
	{ "", 1 }, { "k", 1024 }, { "m", 1024 * 1024 }, { "g", 1024 * 1024 * 1024 }
};

/* Reads the digits at the start of `*text`, at least one, and advances `*text` past them. Returns 0 or -1. */
static int
read_digits(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (*at < '0' || *at > '9')
		return -1;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return -1;
		sum = sum * 10 + digit;
	}
	*text = at;
	*value = sum;
	return 0;
}

static int
read_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
	uint64_t number;

	if (read_digits(&text, &number) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (number > UINT64_MAX / units[i].worth)
			return -1;
		*value = number * units[i].worth;
		return 0;
	}
	return -1;
}

int
text_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	uint64_t number;

	if (read_digits(&text, &number) != 0 || *text != '\0')
		return -1;
	if (number < least || number > most)
		return -1;
	*value = number;
	return 0;
}

int
text_duration(const char *text, uint64_t *microseconds)
{
	return read_with_unit(text, durations, ARRAY_LEN(durations), microseconds);
}

int
text_size(const char *text, uint64_t *bytes)
{
	return read_with_unit(text, sizes, ARRAY_LEN(sizes), bytes);
}

int
text_bool(const char *text, bool *value)
{
	static const char *const yes[] = { "yes", "on", "true", "1" };
	static const char *const no[] = { "no", "off", "false", "0" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*value = strcmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return -1;
}

const char *
text_format_duration(uint64_t microseconds, char text[DURATION_TEXT])
{
	size_t i = 0;

	if (microseconds == 0) {
		(void)snprintf(text, DURATION_TEXT, "0s");
		return text;
	}
	/* Ends at "us" at the latest, which divides everything. */
	while (microseconds % durations[i].worth != 0)
		i++;
	(void)snprintf(text, DURATION_TEXT, "%llu%s", (unsigned long long)(microseconds / durations[i].worth),
	    durations[i].name);
	return text;
}

const char *
text_format_speed(uint64_t bytes, char text[AMOUNT_TEXT])
{
	static const char *const units[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1000;
	(void)snprintf(text, AMOUNT_TEXT, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return text;
}

const char *
text_format_latency(uint64_t microseconds, char text[AMOUNT_TEXT])
{
	(void)snprintf(text, AMOUNT_TEXT, "%.*f ms", microseconds < 10000 ? 2 : 0, (double)microseconds / 1000);
	return text;
}

#define NEAREST_MOST 64 /* longer words are not compared: no key is that long */

static char
fold_case(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t
text_smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be put in, left out, replaced or swapped with their neighbor to make `a` into `b` (optimal
 * string alignment). Both are at most NEAREST_MOST long.
 */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MOST + 1]; /* the last three rows of the table, round and round */
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = fold_case(a[i - 1]) == fold_case(b[j - 1]);

			row[j] = text_smaller(above[j - 1] + (same ? 0 : 1), text_smaller(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold_case(a[i - 1]) == fold_case(b[j - 2]) &&
			    fold_case(a[i - 2]) == fold_case(b[j - 1]))
				row[j] = text_smaller(row[j], second[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *
text_nearest(const char *text, const char *const names[])
{
	size_t length = strlen(text);
	/* One slip in short words, one in three letters in long ones. */
	size_t best = length < 6 ? 1 : length / 3;
	const char *nearest = NULL;

	if (length > NEAREST_MOST)
		return NULL;
	for (size_t i = 0; names[i] != NULL; i++) {
		size_t distance;

		if (strlen(names[i]) > NEAREST_MOST)
			continue;
		distance = edit_distance(text, names[i]);
		/* Words with no letter in common are never meant; of two as near, the first wins. */
		if (distance >= strlen(names[i]) || distance > best || (nearest != NULL && distance == best))
			continue;
		best = distance;
		nearest = names[i];
	}
	return nearest;
}

#define BLANKS " \t\r\n"

char *
text_next_word(char **rest)
{
	char *word = *rest + strspn(*rest, BLANKS), *end = word + strcspn(word, BLANKS);

	*rest = end + (*end != '\0');
	*end = '\0';
	return *word == '\0' ? NULL : word;
}

char *
text_trim(char *text)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
		length--;
	text[length] = '\0';
	return text;
}

int
text_hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

const char *
text_format_seconds(uint64_t microseconds, char text[DURATION_TEXT])
{
	return text_format_duration(microseconds / SECONDS(1) * SECONDS(1), text);
}

const char *
text_format_date(uint64_t seconds, char text[DATE_TEXT])
{
	const time_t when = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(text, DATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

/*
 * The bytes of the UTF-8 sequence at `p`, 0 where there is none: the ranges of the second byte are those of RFC 3629
 * section 4, which leave out overlong forms, surrogates and what is beyond U+10FFFF.
 */
static size_t
text_sequence(const unsigned char *p)
{
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	unsigned least = 0x80, most = 0xbf;

	if (length < 2)
		return length;
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xed)
		most = 0x9f;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	if (p[1] < least || p[1] > most)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

void
text_clean(char *text)
{
	unsigned char *p = (unsigned char *)text;

	while (*p != '\0') {
		const size_t length = text_sequence(p);
		const bool control = *p < 0x20 || *p == 0x7f || (*p == 0xc2 && length == 2 && p[1] < 0xa0);
		const size_t bytes = length == 0 ? 1 : length;

		if (control || length == 0)
			memset(p, '?', bytes);
		p += bytes;
	}
}
