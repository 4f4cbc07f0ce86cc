/* SPDX-License-Identifier: ISC */
/*
 * tests/conf: each NAME.conf has a NAME.errors beside it, which are all its errors, or a NAME.dump, which is what is in
 * effect; and a dump must be read back as the same.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "tool.h"

/* The name of a golden's file; `suffix` stands in place of "conf". */
static const char *
golden_path(const char *name, const char *suffix, char path[PATH_TEXT])
{
	char file[PATH_TEXT];

	(void)snprintf(file, sizeof(file), "tests/conf/%.*s%s", (int)(strlen(name) - strlen("conf")), name, suffix);
	return source_path(file, path);
}

/* Errors as they are when one stands in tests/conf. */
static char *
local_errors(const struct errlist *errors)
{
	char prefix[PATH_TEXT];
	char *text = errors_text(errors), *found;
	size_t length;

	length = strlen(source_path("tests/conf/", prefix));
	while ((found = strstr(text, prefix)) != NULL)
		memmove(found, found + length, strlen(found + length) + 1);
	return text;
}

static void
check_errors(const char *name, const struct errlist *errors)
{
	char path[PATH_TEXT];
	char *expected = file_text(golden_path(name, "errors", path));
	char *text = local_errors(errors);

	ck_assert_msg(expected != NULL, "%s has errors:\n%s", name, text);
	ck_assert_msg(strcmp(text, expected) == 0, "%s has errors:\n%sexpected:\n%s", name, text, expected);
	free(text);
	free(expected);
}

/* `text` with `value` for each `word`; frees it. */
static char *
with_value(char *text, const char *word, const char *value)
{
	const char *from = text, *at;
	char *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);

	ck_assert_ptr_nonnull(out);
	for (; (at = strstr(from, word)) != NULL; from = at + strlen(word))
		(void)fprintf(out, "%.*s%s", (int)(at - from), from, value);
	(void)fputs(from, out);
	ck_assert_int_eq(fclose(out), 0);
	free(text);
	return whole;
}

static void
check_dump(const char *name, const struct conf *conf)
{
	char path[PATH_TEXT];
	char *expected = file_text(golden_path(name, "dump", path));
	char *text = dump_text(conf), *again_text;
	struct conf again;

	ck_assert_msg(expected != NULL, "%s has no errors, and no dump:\n%s", name, text);
	expected = with_value(expected, "@runstatedir@", RUNSTATEDIR);
	expected = with_value(expected, "@DSRD_USER@", DSRD_USER);
	ck_assert_msg(strcmp(text, expected) == 0, "%s is dumped:\n%sexpected:\n%s", name, text, expected);
	again = must_read(text);
	again_text = dump_text(&again);
	ck_assert_str_eq(again_text, text);
	conf_clear(&again);
	free(again_text);
	free(text);
	free(expected);
}

static void
check_golden(const char *name)
{
	struct errlist *errors = errlist_new();
	char path[PATH_TEXT];
	struct conf conf;

	ck_assert_ptr_nonnull(errors);
	if (conf_load(golden_path(name, "conf", path), &conf, errors) == 0) {
		check_dump(name, &conf);
		conf_clear(&conf);
	} else {
		check_errors(name, errors);
	}
	errlist_free(errors);
}

START_TEST(test_goldens)
{
	char path[PATH_TEXT];
	DIR *dir = opendir(source_path("tests/conf", path));
	const struct dirent *entry;
	size_t count = 0;

	ck_assert_msg(dir != NULL, "no directory %s", path);
	while ((entry = readdir(dir)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || length < 5 || strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		/* Without OpenSSL there are no peers, and not every system has routes for routing daemons. */
		if ((HAVE_TLS || strstr(entry->d_name, "peers") == NULL) &&
		    (CAN_MAKE_ROUTES || strstr(entry->d_name, "announce") == NULL))
			check_golden(entry->d_name);
		count++;
	}
	(void)closedir(dir);
	ck_assert_uint_gt(count, 0);
}
END_TEST

Suite *
golden_suite(void)
{
	Suite *suite = suite_create("golden");
	TCase *tcase = tcase_create("golden");

	tcase_add_test(tcase, test_goldens);
	tcase_set_timeout(tcase, 60); /* valgrind */
	suite_add_tcase(suite, tcase);
	return suite;
}
