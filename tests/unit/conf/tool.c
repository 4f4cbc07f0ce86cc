/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "tool.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
errors_text(const struct errlist *errors)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	errlist_print(errors, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

char *
dump_text(const struct conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	conf_dump(conf, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

char *
read_text(const char *text, struct conf *conf)
{
	struct errlist *errors = errlist_new();
	/* fmemopen() may refuse an empty buffer. */
	FILE *in = *text == '\0' ? fopen("/dev/null", "r") : fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *told = NULL;

	ck_assert_ptr_nonnull(errors);
	ck_assert_ptr_nonnull(in);
	if (conf_read(in, "t", conf, errors) != 0) {
		ck_assert_uint_gt(errlist_count(errors), 0);
		ck_assert_ptr_null(conf->settings.services);
		told = errors_text(errors);
	} else {
		ck_assert_uint_eq(errlist_count(errors), 0);
	}
	ck_assert_int_eq(fclose(in), 0);
	errlist_free(errors);
	return told;
}

struct conf
must_read(const char *text)
{
	struct conf conf;
	char *errors = read_text(text, &conf);

	ck_assert_msg(errors == NULL, "refused:\n%s", errors);
	return conf;
}

void
must_fail(const char *text, const char *error)
{
	struct conf conf;
	char *errors = read_text(text, &conf);
	char *found;

	ck_assert_msg(errors != NULL, "accepted:\n%s", text);
	found = strstr(errors, error);
	ck_assert_msg(found != NULL, "expected: %s\ngot:\n%s", error, errors);
	ck_assert(found == errors || found[-1] == '\n');
	free(errors);
}

char *
file_text(const char *path)
{
	FILE *in = fopen(path, "rb");
	char *text = NULL;
	size_t size, length;
	char block[4096];
	FILE *out;

	if (in == NULL)
		return NULL;
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	while ((length = fread(block, 1, sizeof(block), in)) > 0)
		ck_assert_uint_eq(fwrite(block, 1, length, out), length);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(fclose(in), 0);
	return text;
}

const char *
source_path(const char *name, char path[PATH_TEXT])
{
	const char *source = getenv("SOURCE_DIR");

	ck_assert_int_lt(snprintf(path, PATH_TEXT, "%s/%s", source == NULL ? "." : source, name), PATH_TEXT);
	return path;
}
