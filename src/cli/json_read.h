/* SPDX-License-Identifier: ISC */
/*
 * Reads JSON of the shape that the director's reports have: an object of plain values and of tables, which are arrays
 * of objects of plain values. What is nested deeper is passed over. Allocates nothing.
 */
#ifndef CLI_JSON_READ_H
#define CLI_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define JSON_TEXT 1024 /* of one name or value, with its end; longer ones are cut */

/*
 * One plain value. `table` is the name of its table, or "" outside of one; `row` counts from 0. Numbers, true and false
 * come as they are written; null is NULL. Texts hold during the call only.
 */
typedef void json_value(void *context, const char *table, size_t row, const char *name, const char *value);

/* 0, or -1 when the text is not JSON: values reported until then must not be trusted. */
NODISCARD int json_read(const char *text, size_t length, json_value *each, void *context);

#endif
