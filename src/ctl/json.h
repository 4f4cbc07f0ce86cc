/* SPDX-License-Identifier: ISC */
/*
 * Writes JSON (RFC 8259) and nothing but JSON: a value in the wrong place, an unclosed array or a failed write is
 * remembered, and json_finish() returns it. Bytes that are not UTF-8 become U+FFFD.
 */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

#define JSON_DEPTH 16 /* arrays and objects within each other */

struct json {
	FILE *out; /* the caller's */
	unsigned depth;
	bool is_array[JSON_DEPTH];
	bool filled[JSON_DEPTH]; /* has a member already */
	bool ended;              /* the one value of the text is complete */
	bool failed;
};

void json_begin(struct json *json, FILE *out);
/* `name` is the member's in an object, NULL in an array and for the text's one value. */
void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_close(struct json *json); /* the innermost object or array */
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, uint64_t number);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* 0, or -1 when what was written is not JSON. */
NODISCARD int json_finish(struct json *json);

#endif
