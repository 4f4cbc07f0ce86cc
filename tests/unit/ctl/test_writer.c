/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/writer.h"
#include "suites.h"

static const struct column columns[] = { { "name", "NAME", false }, { "count", "COUNT", true },
	{ "hidden", NULL, false }, { "why", "WHY", false } };

/* The same report to any writer. */
static void
report(struct writer *writer)
{
	writer_fact(writer, "version", "dsrd", "1");
	writer_fact(writer, "unknown", "nothing", NULL);
	writer_number(writer, "secret", NULL, 7);
	writer_table(writer, "things", NULL, columns, 4);
	writer_row(writer);
	writer_cell_mood(writer, "a", MOOD_GOOD);
	writer_cell_number(writer, 1000);
	writer_cell_flag(writer, true);
	writer_cell(writer, "\033[2J");
	writer_row(writer);
	writer_cell_mood(writer, "longer", MOOD_BAD);
	writer_cell_number(writer, 2);
	writer_cell_flag(writer, false);
	writer_cell(writer, NULL);
	writer_table_end(writer);
	writer_table(writer, "none", "Not to be seen:", columns, 4);
	writer_table_end(writer);
	writer_list(writer, "items", NULL);
	writer_item(writer, "heading", MOOD_HEAD);
	writer_block(writer, "fix", "fix it:", "one\ntwo");
	writer_block(writer, "more", "", "three\nfour");
	writer_item_end(writer);
	writer_list_end(writer);
}

static char *
written(struct writer *(*make)(FILE *out))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct writer *writer;

	ck_assert_ptr_nonnull(out);
	writer = make(out);
	ck_assert_ptr_nonnull(writer);
	report(writer);
	ck_assert_int_eq(writer_end(writer), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static struct writer *
plain(FILE *out)
{
	return writer_text(out, false);
}

static struct writer *
coloured(FILE *out)
{
	return writer_text(out, true);
}

START_TEST(text_is_aligned)
{
	char *text = written(plain);

	ck_assert_str_eq(text,
	    "dsrd: 1\n"
	    "\n"
	    "NAME    COUNT  WHY\n"
	    "a        1000  ?[2J\n"
	    "longer      2  -\n"
	    "\n"
	    "heading\n"
	    "  fix it:\n"
	    "      one\n"
	    "      two\n"
	    "      three\n"
	    "      four\n");
	free(text);
}
END_TEST

START_TEST(colour_does_not_shift_columns)
{
	char *text = written(coloured);

	ck_assert_ptr_nonnull(strstr(text, "\033[32ma\033[0m        1000"));
	ck_assert_ptr_nonnull(strstr(text, "\033[31mlonger\033[0m      2"));
	free(text);
}
END_TEST

START_TEST(json_has_everything)
{
	char *text = written(writer_json);

	ck_assert_str_eq(text, "{\"schema\":1,\"version\":\"1\",\"unknown\":null,\"secret\":7,"
	    "\"things\":[{\"name\":\"a\",\"count\":1000,\"hidden\":true,\"why\":\"\\u001b[2J\"},"
	    "{\"name\":\"longer\",\"count\":2,\"hidden\":false,\"why\":null}],\"none\":[],"
	    "\"items\":[{\"fix\":\"one\\ntwo\",\"more\":\"three\\nfour\"}]}\n");
	free(text);
}
END_TEST

START_TEST(long_text_is_broken_at_blanks)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct writer *writer = writer_text(out, false);
	char words[301] = "";

	for (size_t i = 0; i < 60; i++)
		memcpy(words + 5 * i, i == 59 ? "word\0" : "word ", 5);
	writer_item(writer, NULL, MOOD_PLAIN);
	writer_fact(writer, "words", "label", words);
	ck_assert_int_eq(writer_end(writer), 0);
	fclose(out);
	for (char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		ck_assert_uint_le(strcspn(line, "\n"), 100);
		ck_assert_int_eq(strncmp(line, line == text ? "  label: word" : "    word", line == text ? 13 : 8), 0);
	}
	free(text);
}
END_TEST

Suite *
writer_suite(void)
{
	Suite *suite = suite_create("writer");
	TCase *tcase = tcase_create("writer");

	tcase_add_test(tcase, text_is_aligned);
	tcase_add_test(tcase, colour_does_not_shift_columns);
	tcase_add_test(tcase, json_has_everything);
	tcase_add_test(tcase, long_text_is_broken_at_blanks);
	suite_add_tcase(suite, tcase);
	return suite;
}
