/* SPDX-License-Identifier: ISC */
/* `include`, with real files in a directory of its own. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suites.h"
#include "tool.h"

static char directory[] = "/tmp/dsrd-conf.XXXXXX";
static char made[64][PATH_TEXT]; /* to be removed, the last first */
static size_t made_count;

static const char *
path_of(const char *name)
{
	char *path = made[made_count];

	ck_assert_uint_lt(made_count + 1, ARRAY_LEN(made));
	ck_assert_int_lt(snprintf(path, PATH_TEXT, "%s/%s", directory, name), PATH_TEXT);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *out = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(out);
	made_count++;
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static void
make_directory(const char *name)
{
	ck_assert_int_eq(mkdir(path_of(name), 0700), 0);
	made_count++;
}

static void
setup(void)
{
	(void)snprintf(directory, sizeof(directory), "/tmp/dsrd-conf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	made_count = 0;
}

static void
teardown(void)
{
	while (made_count > 0)
		(void)remove(made[--made_count]);
	(void)rmdir(directory);
}

/* A record of all that the parser asks about the file. To be freed. */
static char *
record_of(const char *path, size_t *length)
{
	char *bytes = NULL;
	FILE *record = open_memstream(&bytes, length);

	ck_assert_ptr_nonnull(record);
	ck_assert_int_eq(conf_record(path, record), 0);
	ck_assert_int_eq(fclose(record), 0);
	return bytes;
}

/*
 * Names of the services in the order in which they were read; or the errors, without the directory. From the file at
 * `path`, or the record of it.
 */
static char *
load(const char *path, const char *record, size_t length)
{
	struct errlist *errors = errlist_new();
	char *text = NULL;
	struct conf conf;
	bool denied;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(errors);
	ck_assert_ptr_nonnull(out);
	if ((record != NULL ? conf_play(path, record, length, &conf, errors, &denied) :
	    conf_load(path, &conf, errors)) == 0) {
		for (size_t i = 0; i < conf.settings.service_count; i++)
			(void)fprintf(out, "%s ", conf.settings.services[i].name);
		conf_clear(&conf);
	}
	for (size_t i = 0; i < errlist_count(errors); i++) {
		const char *rest = errlist_text(errors, i), *found;

		while ((found = strstr(rest, directory)) != NULL) {
			(void)fwrite(rest, 1, (size_t)(found - rest), out);
			rest = found + strlen(directory) + 1;
		}
		(void)fprintf(out, "%s\n", rest);
	}
	ck_assert_int_eq(fclose(out), 0);
	errlist_free(errors);
	return text;
}

static void
check_load(const char *name, const char *expected)
{
	char path[PATH_TEXT], *text, *record;
	size_t length;

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", directory, name), PATH_TEXT);
	text = load(path, NULL, 0);
	ck_assert_str_eq(text, expected);
	free(text);
	/* What another process has read gives the same. */
	record = record_of(path, &length);
	text = load(path, record, length);
	ck_assert_str_eq(text, expected);
	free(text);
	free(record);
}

static void
write_service(const char *file, const char *name, unsigned number)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "[service %s]\nlisten = 192.0.2.%u tcp/80\nserver = a 198.51.100.1\n", name, number);
	write_file(file, text);
}

START_TEST(test_order_and_place)
{
	make_directory("d");
	write_service("d/b.conf", "b", 2);
	write_service("d/B.conf", "B", 3);
	write_service("d/a.conf", "a", 1);
	write_service("d/.hidden.conf", "hidden", 4);
	write_service("d/old.conf~", "old", 5);
	write_service("one", "one", 6);
	/* Behind the includes, the section goes on. */
	write_file("dsrd.conf", "[dsrd]\ninterface = eth0\ninclude = one\ninclude = d/*.conf\ninclude = none/*.conf\n"
	    "include = none*\nlog = stderr\n");
	check_load("dsrd.conf", "one B a b ");
}
END_TEST

START_TEST(test_patterns_pass_hidden_files)
{
	write_service("one.conf", "one", 6);
	write_service(".two.conf", "two", 7);
	write_file("main", "[dsrd]\ninclude = .*.conf\ninclude = *.conf\n");
	check_load("main", "one ");
}
END_TEST

START_TEST(test_missing_file_is_an_error)
{
	write_file("main", "[dsrd]\ninclude = nowhere.conf\ninclude = /dev/null\ninclude =\nlog = x\n");
	check_load("main", "main:2: cannot open nowhere.conf: No such file or directory\n"
	    "main:3: cannot include /dev/null: not a regular file\n"
	    "main:4: `include` has no value: it takes a file's name or a pattern, such as dsrd.d/*.conf\n"
	    "main:5: `log` cannot be `x`: it takes syslog or stderr\n");
}
END_TEST

START_TEST(test_loops)
{
	write_file("self", "[dsrd]\ninclude = self\n");
	check_load("self", "self:2: self has been read already: a file cannot include itself or be included twice\n");
	write_file("a", "[dsrd]\ninclude = b\n");
	write_file("b", "[dsrd]\ninclude = ./a\n");
	check_load("a", "b:2: ./a has been read already: a file cannot include itself or be included twice\n");
}
END_TEST

START_TEST(test_depth)
{
	char name[16], text[64];

	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		(void)snprintf(text, sizeof(text), "[dsrd]\ninclude = f%u\n", i + 1);
		write_file(name, text);
	}
	write_service("f8", "deep", 1);
	check_load("f1", "deep ");
	check_load("f0", "f7:2: files include each other more than 8 deep\n");
}
END_TEST

START_TEST(test_sections_do_not_leak)
{
	write_file("part", "log = stderr\n[service x\nlost = 1\n");
	write_file("main", "[dsrd]\ninclude = part\nuser = a b\n");
	check_load("main", "part:1: `log` is before the first section: start with [dsrd]\n"
	    "part:2: `]` is missing in the section header, which is `[dsrd]`, `[defaults]` or `[service NAME]`; "
	    "the keys after it are not checked\n"
	    "main:3: `user` cannot be `a b`: it takes a user or user:group\n");
}
END_TEST

START_TEST(test_twice_in_two_files)
{
	write_service("one", "web", 1);
	write_service("two", "web", 2);
	write_file("main",
	    "[dsrd]\nlog = stderr\ninclude = one\ninclude = two\n[service x]\nlisten = 192.0.2.1 tcp/80\n"
	    "server = a 198.51.100.1\n");
	check_load("main", "two:1: service `web` was defined in one on line 1 already\n"
	    "main:6: 192.0.2.1 tcp/80 belongs to service `web` already (in one on line 2): "
	    "a port of a VIP can lead to one service only\n");
}
END_TEST

/* The process that wrote it may have died on the way: each part is an error, and none a configuration. */
START_TEST(test_a_record_that_is_cut_short)
{
	char path[PATH_TEXT], *record, *text;
	size_t length;

	make_directory("conf.d");
	write_service("conf.d/a", "web", 1);
	write_file("main", "[dsrd]\nlog = stderr\ninclude = conf.d/*\n");
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/main", directory), PATH_TEXT);
	record = record_of(path, &length);
	for (size_t part = 0; part < length; part++) {
		char *copy = malloc(part + 1); /* a sanitizer sees what is read beyond */

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, record, part);
		text = load(path, copy, part);
		ck_assert_msg(strstr(text, strerror(EIO)) != NULL, "%zu of %zu bytes: %s", part, length, text);
		free(text);
		free(copy);
	}
	free(record);
}
END_TEST

/* Playing asks the file system nothing: the files may be gone, or hang. */
START_TEST(test_a_record_outlives_its_files)
{
	char path[PATH_TEXT], *record, *text;
	size_t length;

	write_service("one", "web", 1);
	write_file("main", "[dsrd]\nlog = stderr\ninclude = one\n");
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/main", directory), PATH_TEXT);
	record = record_of(path, &length);
	while (made_count > 0)
		ck_assert_int_eq(remove(made[--made_count]), 0);
	text = load(path, record, length);
	ck_assert_str_eq(text, "web ");
	free(text);
	free(record);
}
END_TEST

Suite *
include_suite(void)
{
	Suite *suite = suite_create("include");
	TCase *tcase = tcase_create("include");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_order_and_place);
	tcase_add_test(tcase, test_patterns_pass_hidden_files);
	tcase_add_test(tcase, test_missing_file_is_an_error);
	tcase_add_test(tcase, test_loops);
	tcase_add_test(tcase, test_depth);
	tcase_add_test(tcase, test_sections_do_not_leak);
	tcase_add_test(tcase, test_twice_in_two_files);
	tcase_add_test(tcase, test_a_record_that_is_cut_short);
	tcase_add_test(tcase, test_a_record_outlives_its_files);
	suite_add_tcase(suite, tcase);
	return suite;
}
