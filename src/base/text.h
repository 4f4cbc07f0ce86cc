/* SPDX-License-Identifier: ISC */
/* Strict readers of what people write: the whole text must be the value, or it is refused. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Decimal digits only, within [least, most]. 0, or -1 with `*value` untouched. */
NODISCARD int text_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);
/* A number and one unit of us ms s m h d, without a blank: "500ms", "15m". Microseconds. 0 or -1. */
NODISCARD int text_duration(const char *text, uint64_t *microseconds);
/* A number and at most one of k m g (powers of 1024): "64k". Bytes. 0 or -1. */
NODISCARD int text_size(const char *text, uint64_t *bytes);
/* yes no on off true false 1 0. 0 or -1. */
NODISCARD int text_bool(const char *text, bool *value);
/* 0 to 15, or -1 when it is no hexadecimal digit. */
int text_hex_digit(char digit);

#define DURATION_TEXT 24
/* The shortest text that text_duration() reads back as the same value. */
const char *text_format_duration(uint64_t microseconds, char text[DURATION_TEXT]);
/* The same, of whole seconds: what is below one is left out. */
const char *text_format_seconds(uint64_t microseconds, char text[DURATION_TEXT]);

#define DATE_TEXT 32
/* "2026-11-30T09:06:12Z", from seconds since 1970; empty if there is no such date. Returns `text`. */
const char *text_format_date(uint64_t seconds, char text[DATE_TEXT]);

#define AMOUNT_TEXT 24
/* "12.3 MB/s": three figures are what one reads. Units of 1000, as links have. */
const char *text_format_speed(uint64_t bytes, char text[AMOUNT_TEXT]);
/* "1.20 ms". */
const char *text_format_latency(uint64_t microseconds, char text[AMOUNT_TEXT]);

/*
 * The one of `names` (a NULL-terminated list) that is nearest to `text` by edit distance, or NULL when none is near
 * enough to be meant.
 */
const char *text_nearest(const char *text, const char *const names[]);

/* Cut the next blank-separated word off `*rest`, in place; NULL at the end. */
char *text_next_word(char **rest);
/* Strip blanks at both ends, in place. */
char *text_trim(char *text);
/*
 * What came from the network, a file or a program must neither begin a line of its own nor move a terminal's cursor:
 * control characters (C0, DEL, and C1 as UTF-8, U+0080 to U+009F) and bytes that are not UTF-8 (RFC 3629) become '?',
 * one for each byte, in place.
 */
void text_clean(char *text);

#endif
