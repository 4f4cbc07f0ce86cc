/* SPDX-License-Identifier: ISC */
/* What the tests of conf share: reading a configuration out of a string, and its errors and dump as strings. */
#ifndef TESTS_UNIT_CONF_TOOL_H
#define TESTS_UNIT_CONF_TOOL_H

#include <stddef.h>

#include "base/errlist.h"
#include "conf/conf.h"

/* Reads `text` as the file "t". NULL when it was good and `*conf` is to be cleared, else the errors, to be freed. */
char *read_text(const char *text, struct conf *conf);
/* `text` must be good. */
struct conf must_read(const char *text);
/* `text` must be bad, and one of its errors must be `error` ("t:3: ..."). */
void must_fail(const char *text, const char *error);

/* To be freed. */
char *dump_text(const struct conf *conf);
char *errors_text(const struct errlist *errors);
char *file_text(const char *path);
/* NAME below the source directory. */
#define PATH_TEXT 1024
const char *source_path(const char *name, char path[PATH_TEXT]);

#endif
