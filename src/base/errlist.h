/* SPDX-License-Identifier: ISC */
/*
 * A list of errors, so that the user sees everything wrong with a file in one run: "file:line: what is wrong, what is
 * allowed". Line 0 means the file as a whole. Errors are sorted by line.
 */
#ifndef BASE_ERRLIST_H
#define BASE_ERRLIST_H

#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"

struct errlist;

/* NULL when memory is out. */
NODISCARD struct errlist *errlist_new(void);
void errlist_free(struct errlist *list);
/* Copies everything. An error that cannot be stored for lack of memory is still counted. */
void errlist_add(struct errlist *list, const char *file, unsigned line, const char *format, ...) PRINTF_LIKE(4, 5);
size_t errlist_count(const struct errlist *list);
/* The text of the error at `index`, "file:line: message" (or "file: message"), owned by the list. */
const char *errlist_text(const struct errlist *list, size_t index);
/* One error a line. */
void errlist_print(const struct errlist *list, FILE *out);

#endif
