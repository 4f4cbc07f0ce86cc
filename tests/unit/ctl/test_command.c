/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "suites.h"

START_TEST(every_command_is_found_by_its_name)
{
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		size_t used, count = commands[id].words[1] == NULL ? 1 : 2;

		ck_assert_int_eq(command_find(commands[id].words, count, &used), id);
		ck_assert_uint_eq(used, count);
		ck_assert_str_ne(commands[id].help, "");
		ck_assert_uint_le(commands[id].least, commands[id].most);
		ck_assert_uint_le(commands[id].most, COMMAND_NAMES);
		ck_assert_int_eq(commands[id].most == 0, commands[id].arguments[0] == '\0');
		ck_assert_uint_gt(commands[id].wait, 0);
	}
}
END_TEST

START_TEST(the_longest_name_wins)
{
	const char *const drops[] = { "show", "drops", "more" }, *const other[] = { "show", "web" },
	    *const none[] = { "shew" };
	size_t used;

	ck_assert_int_eq(command_find(drops, 3, &used), COMMAND_SHOW_DROPS);
	ck_assert_uint_eq(used, 2);
	ck_assert_int_eq(command_find(other, 2, &used), COMMAND_SHOW);
	ck_assert_uint_eq(used, 1);
	ck_assert_int_eq(command_find(none, 1, &used), COMMAND_COUNT);
	ck_assert_int_eq(command_find(none, 0, &used), COMMAND_COUNT);
}
END_TEST

/* The manual page has every command, in the words of the table. */
START_TEST(the_manual_has_every_command)
{
	const char *source = getenv("SOURCE_DIR");
	char path[1024], name[COMMAND_TEXT], wanted[COMMAND_TEXT + 16], *text;
	FILE *in;
	size_t length;

	ck_assert_ptr_nonnull(source);
	snprintf(path, sizeof(path), "%s/man/dsrctl.8.in", source);
	in = fopen(path, "r");
	ck_assert_msg(in != NULL, "cannot open %s", path);
	text = calloc(1, 65536);
	ck_assert_ptr_nonnull(text);
	length = fread(text, 1, 65535, in);
	ck_assert_uint_gt(length, 0);
	fclose(in);
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		snprintf(wanted, sizeof(wanted), ".It Ic %s\n", command_name(id, name));
		if (commands[id].arguments[0] != '\0')
			snprintf(wanted, sizeof(wanted), ".It Ic %s ", name);
		ck_assert_msg(strstr(text, wanted) != NULL, "%s has no line %s", path, wanted);
	}
	free(text);
}
END_TEST

Suite *
command_suite(void)
{
	Suite *suite = suite_create("command");
	TCase *tcase = tcase_create("command");

	tcase_add_test(tcase, every_command_is_found_by_its_name);
	tcase_add_test(tcase, the_longest_name_wins);
	tcase_add_test(tcase, the_manual_has_every_command);
	suite_add_tcase(suite, tcase);
	return suite;
}
