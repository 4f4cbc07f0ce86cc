/* SPDX-License-Identifier: ISC */
/* The tables of keys, schedulers and drop reasons, the man pages and the sample tell one truth. */
#include "config.h"

#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/keys.h"
#include "flow/stats.h"
#include "sched/scheduler.h"
#include "suites.h"
#include "tool.h"

static char *
document(const char *name)
{
	char path[PATH_TEXT];
	char *text = file_text(source_path(name, path));

	ck_assert_msg(text != NULL, "%s is missing", path);
	return text;
}

/* What a row says fits the member that it sets, and its words are those that its message names. */
START_TEST(test_rows)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &keys[i];
		const size_t whole = key->of_conf ? sizeof(struct conf) : sizeof(struct service_settings);

		ck_assert_uint_le(key->member + key->size, whole);
		if (key->kind != KEY_OWN)
			ck_assert_uint_ne(key->info.sections & (key->of_conf ? CONF_IN_DSRD : CONF_IN_SERVICE), 0);
		switch (key->kind) {
		case KEY_OWN:
			ck_assert_ptr_nonnull(key->set);
			break;
		case KEY_DURATION:
			ck_assert_uint_eq(key->size, sizeof(uint64_t));
			ck_assert_uint_lt(key->least, key->most);
			break;
		case KEY_NUMBER:
		case KEY_SIZE:
			ck_assert_uint_eq(key->size, sizeof(uint32_t));
			ck_assert_uint_lt(key->least, key->most);
			ck_assert_uint_le(key->most, UINT32_MAX);
			break;
		case KEY_CHOICE:
			ck_assert(key->size == sizeof(int) || (key->size == sizeof(bool) && key->words[2] == NULL));
			for (size_t j = 0; key->words[j] != NULL; j++)
				ck_assert_ptr_nonnull(strstr(key->info.takes, key->words[j]));
			break;
		case KEY_FLAG:
			ck_assert_uint_eq(key->size, sizeof(bool));
			break;
		case KEY_STRING:
		case KEY_PATH:
			ck_assert_uint_gt(key->size, sizeof(uint64_t));
			ck_assert_uint_le(key->size, KEY_TEXT);
			break;
		}
	}
}
END_TEST

START_TEST(test_table)
{
	const struct conf_key_info *key;
	size_t count = 0;

	for (; (key = conf_key(count)) != NULL; count++) {
		ck_assert_uint_ne(key->sections, 0);
		ck_assert_uint_gt(strlen(key->takes), 0);
		for (size_t i = 0; i < count; i++)
			ck_assert_str_ne(conf_key(i)->name, key->name);
	}
	ck_assert_uint_gt(count, 0);
	ck_assert_ptr_null(conf_key(count + 1));
}
END_TEST

/* The item of a key ends where the next begins. */
START_TEST(test_man_page_has_every_key_and_default)
{
	char *page = document("man/dsrd.conf.5.in");
	const struct conf_key_info *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		char item[64], fallback[64];
		char *begin, *end, *found;

		(void)snprintf(item, sizeof(item), "\n.It Ic %s =", key->name);
		begin = strstr(page, item);
		ck_assert_msg(begin != NULL, "dsrd.conf.5 has no item for %s", key->name);
		if (key->fallback == NULL)
			continue;
		end = strstr(begin + 1, "\n.It Ic ");
		(void)snprintf(fallback, sizeof(fallback), "\nDefault:\n.Ql %s .\n",
		    strcmp(key->fallback, DSRD_USER) == 0 ? "@DSRD_USER@" : key->fallback);
		found = strstr(begin, fallback);
		ck_assert_msg(found != NULL && (end == NULL || found < end),
		    "dsrd.conf.5 does not say that %s is %s by default", key->name, key->fallback);
	}
	free(page);
}
END_TEST

/* The table of keys has a line for each section that a key may stand in, and none that is not a key. */
START_TEST(test_man_page_lists_every_key)
{
	char *page = document("man/dsrd.conf.5.in");
	char *table = strstr(page, "\n.Ss Table of keys\n"), *in_dsrd, *end;
	const struct conf_key_info *key;
	size_t named = 0, lines = 0;

	ck_assert_ptr_nonnull(table);
	in_dsrd = strstr(table, "\nIn section\n.Li [dsrd] :\n");
	end = strstr(table, "\n.Ss Syntax\n");
	ck_assert(in_dsrd != NULL && end != NULL && in_dsrd < end);
	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		char line[64], *found;

		(void)snprintf(line, sizeof(line), "\n.It Ic %s Ta ", key->name);
		found = strstr(table, line);
		if ((key->sections & CONF_IN_SERVICE) != 0) {
			ck_assert_msg(found != NULL && found < in_dsrd, "the table of services lacks %s", key->name);
			named++;
		}
		found = strstr(in_dsrd, line);
		if ((key->sections & CONF_IN_DSRD) != 0) {
			ck_assert_msg(found != NULL && found < end, "the table of [dsrd] lacks %s", key->name);
			named++;
		}
	}
	for (char *line = table; (line = strstr(line, "\n.It Ic ")) != NULL && line < end; line++)
		lines++;
	ck_assert_uint_eq(lines, named);
	free(page);
}
END_TEST

/* A reload does not apply these keys, and the page says so. */
START_TEST(test_man_page_names_keys_of_a_restart)
{
	char *page = document("man/dsrd.conf.5.in");
	const struct conf_key_info *key;
	size_t count = 0;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		char item[64], *begin, *end, *found;

		(void)snprintf(item, sizeof(item), "\n.It Ic %s =", key->name);
		begin = strstr(page, item);
		ck_assert_ptr_nonnull(begin);
		end = strstr(begin + 1, "\n.It Ic ");
		found = strstr(begin, "\nRequires a restart.\n");
		ck_assert_msg((found != NULL && (end == NULL || found < end)) == ((key->sections & CONF_AT_START) != 0),
		    "dsrd.conf.5 and the table of keys disagree on a restart for %s", key->name);
		count += (key->sections & CONF_AT_START) != 0;
	}
	ck_assert_uint_gt(count, 5);
	free(page);
}
END_TEST

START_TEST(test_sample_has_every_key)
{
	char *sample = document("etc/dsrd.conf");
	const struct conf_key_info *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s = ", key->name);
		ck_assert_msg(strstr(sample, line) != NULL, "etc/dsrd.conf does not show %s", key->name);
	}
	free(sample);
}
END_TEST

/* Takes the `;` away before all settings and sections but `include`, which works in files only. */
static char *
uncomment(char *text)
{
	const struct conf_key_info *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++) {
		char line[64];
		char *found;

		/* Without OpenSSL there are no peers. */
		if (strcmp(key->name, "include") == 0 || (!HAVE_TLS && strcmp(key->name, "peer") == 0))
			continue;
		(void)snprintf(line, sizeof(line), "\n;%s = ", key->name);
		while ((found = strstr(text, line)) != NULL)
			found[1] = ' ';
	}
	for (char *found = text; (found = strstr(found, "\n;[")) != NULL;)
		found[1] = ' ';
	return text;
}

START_TEST(test_sample_is_good)
{
	char *sample = document("etc/dsrd.conf");
	struct conf conf = must_read(sample);
	char *iface = strstr(sample, "\n;interface = eth0\n");

	/* As installed it runs on no interface: that is the edit to make. */
	ck_assert_str_eq(conf.iface, "");
	ck_assert_uint_gt(conf.settings.service_count, 0);
	conf_clear(&conf);
	ck_assert_ptr_nonnull(iface);
	iface[1] = ' ';
	conf = must_read(sample);
	ck_assert_str_eq(conf.iface, "eth0");
	conf_clear(&conf);
	/* And with everything in it switched on. */
	conf = must_read(uncomment(sample));
	ck_assert(!mac_is_zero(&conf.mac));
	ck_assert_uint_gt(conf.settings.service_count, 1);
	conf_clear(&conf);
	free(sample);
}
END_TEST

/* The item begins with the sentence that the scheduler itself has; where its lines end does not matter. */
static void
check_scheduler(const char *page, const char *name)
{
	const char *use_when = scheduler_find(name)->use_when;
	char item[512];
	const char *found;

	(void)snprintf(item, sizeof(item), "\n.It Cm %s\n", name);
	found = strstr(page, item);
	ck_assert_msg(found != NULL, "dsrd.conf.5 has no item for the scheduler %s", name);
	(void)snprintf(item, sizeof(item), "%s", found + strlen(item));
	for (char *newline = item; (newline = strchr(newline, '\n')) != NULL;)
		*newline = ' ';
	ck_assert_msg(strncmp(item, use_when, strlen(use_when)) == 0, "dsrd.conf.5 on %s begins\n%s\nand not\n%s", name,
	    item, use_when);
}

START_TEST(test_schedulers_are_documented)
{
	char *page = document("man/dsrd.conf.5.in");

	for (size_t i = 0; conf_key(i) != NULL; i++) {
		if (strcmp(conf_key(i)->name, "scheduler") != 0)
			continue;
		for (const char *const *name = scheduler_names(); *name != NULL; name++) {
			ck_assert_ptr_nonnull(strstr(conf_key(i)->takes, *name));
			check_scheduler(page, *name);
		}
	}
	free(page);
}
END_TEST

START_TEST(test_drops_are_documented)
{
	char *page = document("man/dsrd.8.in");

	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++) {
		char item[64];

		(void)snprintf(item, sizeof(item), "\n.It Li %s\n", drop_reason_name(reason));
		ck_assert_msg(strstr(page, item) != NULL,
		    "dsrd.8 does not say what to do about %s", drop_reason_name(reason));
	}
	free(page);
}
END_TEST

Suite *
documents_suite(void)
{
	Suite *suite = suite_create("documents");
	TCase *tcase = tcase_create("documents");

	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_rows);
	tcase_add_test(tcase, test_man_page_has_every_key_and_default);
	tcase_add_test(tcase, test_man_page_lists_every_key);
	tcase_add_test(tcase, test_man_page_names_keys_of_a_restart);
	tcase_add_test(tcase, test_sample_has_every_key);
	tcase_add_test(tcase, test_sample_is_good);
	tcase_add_test(tcase, test_schedulers_are_documented);
	tcase_add_test(tcase, test_drops_are_documented);
	suite_add_tcase(suite, tcase);
	return suite;
}
