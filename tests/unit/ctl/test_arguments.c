/* SPDX-License-Identifier: ISC */
/* What dsrctl makes of its command line. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "suites.h"

#define WORDS_MOST 32

static int
parse(const char *line, struct arguments *arguments, char error[ARGUMENTS_ERROR])
{
	static char text[512];
	char *argv[WORDS_MOST] = { (char[]) { "dsrctl" } }, *rest = text;
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	while (argc < WORDS_MOST && (argv[argc] = text_next_word(&rest)) != NULL)
		argc++;
	error[0] = '\0';
	return arguments_parse(argc, argv, arguments, error);
}

static const struct good {
	const char *line;
	enum command_id command;
	const char *words;   /* with blanks between them */
	const char *options; /* "json socket=x help wait=4s ..." in the order of describe() */
} goods[] = {
	{ "show", COMMAND_SHOW, "", "" },
	{ "show -j", COMMAND_SHOW, "", "json" },
	{ "-j show", COMMAND_SHOW, "", "json" },
	{ "show web --json mail/mx1", COMMAND_SHOW, "web mail/mx1", "json" },
	{ "show --problems", COMMAND_SHOW, "", "problems" },
	{ "--problems show web", COMMAND_SHOW, "web", "problems" },
	{ "show -a", COMMAND_SHOW, "", "all" },
	{ "show -ja", COMMAND_SHOW, "", "json all" },
	{ "status", COMMAND_SHOW, "", "" },
	{ "stats -j", COMMAND_SHOW, "", "json" },
	{ "show neighbors", COMMAND_SHOW_NEIGHBORS, "", "" },
	{ "show neighbors", COMMAND_SHOW_NEIGHBORS, "", "" },
	{ "show neighbor", COMMAND_SHOW_NEIGHBORS, "", "" },
	{ "show neighbor -j", COMMAND_SHOW_NEIGHBORS, "", "json" },
	{ "status neighbors", COMMAND_SHOW_NEIGHBORS, "", "" },
	{ "show -j drops", COMMAND_SHOW_DROPS, "", "json" },
	{ "drain -j web/web1", COMMAND_DRAIN, "web/web1", "json" },
	{ "drain web/web2 --wait=4s", COMMAND_DRAIN, "web/web2", "wait=4s" },
	{ "drain web/web2 --wait 4s", COMMAND_DRAIN, "web/web2", "wait=4s" },
	{ "--wait 4s drain web/web2", COMMAND_DRAIN, "web/web2", "wait=4s" },
	{ "drain --timeout 10m */web3 192.0.2.11", COMMAND_DRAIN, "*/web3 192.0.2.11", "timeout=10m" },
	{ "drain a/b --wait 1m --wait=2m --empty", COMMAND_DRAIN, "a/b", "wait=2m empty" },
	{ "reload", COMMAND_RELOAD, "", "" },
	{ "reload --plan", COMMAND_RELOAD_PLAN, "", "" },
	{ "--plan reload", COMMAND_RELOAD_PLAN, "", "" },
	{ "reload plan -j", COMMAND_RELOAD_PLAN, "", "json" },
	{ "top -c 5", COMMAND_TOP, "", "count=5" },
	{ "top -c5 web", COMMAND_TOP, "web", "count=5" },
	{ "top --count=5", COMMAND_TOP, "", "count=5" },
	{ "trace --pcapng x.pcapng client=192.0.2.1 -c 3", COMMAND_TRACE, "client=192.0.2.1",
	    "count=3 pcapng=x.pcapng" },
	{ "events -f", COMMAND_EVENTS, "", "follow" },
	{ "events -jf level=warning", COMMAND_EVENTS, "level=warning", "json follow" },
	{ "-s /run/x version", COMMAND_VERSION, "", "socket=/run/x" },
	{ "version --socket=/run/x", COMMAND_VERSION, "", "socket=/run/x" },
	{ "version -s/run/x", COMMAND_VERSION, "", "socket=/run/x" },
	{ "weight web/web1 0", COMMAND_WEIGHT, "web/web1 0", "" },
	{ "neighbor web/web1 02:00:00:00:00:01", COMMAND_NEIGHBOR, "web/web1 02:00:00:00:00:01", "" },
	{ "enable -- web/web1", COMMAND_ENABLE, "web/web1", "" },
	{ "help", COMMAND_COUNT, "", "help" },
	{ "help drain", COMMAND_DRAIN, "", "help" },
	{ "help show neighbors", COMMAND_SHOW_NEIGHBORS, "", "help" },
	{ "drain --help", COMMAND_DRAIN, "", "help" },
	{ "drain -h web/web1", COMMAND_DRAIN, "web/web1", "help" },
	{ "-h", COMMAND_COUNT, "", "help" },
	{ "-V", COMMAND_COUNT, "", "version" },
	{ "", COMMAND_COUNT, "", "" },
};

static void PRINTF_LIKE(3, 4)
add(char *text, size_t size, const char *format, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	if (used > 0 && used + 1 < size)
		snprintf(text + used, size - used, " ");
	(void)vsnprintf(text + strlen(text), size - strlen(text), format, args);
	va_end(args);
}

static void
describe(const struct arguments *arguments, char words[256], char options[256])
{
	words[0] = options[0] = '\0';
	for (size_t i = 0; i < arguments->count; i++)
		add(words, 256, "%s", arguments->words[i]);
	if (arguments->json)
		add(options, 256, "json");
	if (arguments->socket != NULL)
		add(options, 256, "socket=%s", arguments->socket);
	if (arguments->help)
		add(options, 256, "help");
	if (arguments->version)
		add(options, 256, "version");
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++)
		if (arguments->options[option] != NULL)
			add(options, 256, "%s%s%s", command_options[option].name,
			    command_options[option].takes != NULL ? "=" : "",
			    arguments->options[option]);
}

START_TEST(what_is_right_is_taken)
{
	char error[ARGUMENTS_ERROR], words[256], options[256];
	struct arguments arguments;

	ck_assert_msg(parse(goods[_i].line, &arguments, error) == 0, "%s: %s", goods[_i].line, error);
	describe(&arguments, words, options);
	ck_assert_msg(arguments.command == goods[_i].command, "%s: another command", goods[_i].line);
	ck_assert_str_eq(words, goods[_i].words);
	ck_assert_str_eq(options, goods[_i].options);
}
END_TEST

static const struct bad {
	const char *line;
	const char *error; /* the beginning */
	const char *more;  /* somewhere in it */
} bads[] = {
	{ "shw", "unknown command `shw`, did you mean `show`?", "" },
	{ "hlep", "unknown command `hlep`, did you mean `help`?", "" },
	{ "frobnicate", "unknown command `frobnicate`; the commands are: show drain", " version help" },
	{ "reload --paln", "unknown option `--paln`, did you mean `--plan`?", "usage: dsrctl reload\n       dsrctl "
	    "reload --plan" },
	{ "reload paln", "unexpected argument `paln`, did you mean `plan`?", "usage: dsrctl reload" },
	{ "--jsno show", "unknown option `--jsno`, did you mean `--json`?", "usage: dsrctl show" },
	{ "show --porblems=1", "unknown option `--porblems=1`, did you mean `--problems`?", "" },
	{ "show --wait 5s", "show takes no option `--wait`", "usage: dsrctl show [SERVICE[/SERVER] ...] [--problems] "
	    "[--all]" },
	{ "-x show", "unknown option `-x`", "usage: dsrctl show" },
	{ "-x", "unknown option `-x`: dsrctl -h lists them", "" },
	{ "show -jx", "unknown option `-jx`", "" },
	{ "show --json=yes", "--json takes no value", "" },
	{ "show --problems=yes", "--problems takes no value", "" },
	{ "drain web/web1 --wait", "--wait needs a DURATION", "" },
	{ "drain web/web1 --wait=", "--wait needs a DURATION", "" },
	{ "show -s", "--socket needs a SOCKET", "" },
	{ "drain", "drain needs SERVICE/SERVER ...", "usage: dsrctl drain SERVICE/SERVER ... [--wait DURATION]" },
	{ "weight web/web1", "weight needs SERVICE/SERVER N", "" },
	{ "why tcp", "why needs PROTOCOL CLIENT:PORT VIP:PORT", "" },
	{ "version now", "unexpected argument `now`", "usage: dsrctl version" },
	{ "show drops web", "unexpected argument `web`", "usage: dsrctl show drops" },
	{ "show 1 2 3 4 5 6 7 8 9 10 11", "more than 10 arguments", "" },
	{ "show 1 2 3 4 5 6 7 8 9 10 11 12 13", "more than 10 arguments", "" },
};

START_TEST(what_is_wrong_gets_what_is_valid)
{
	char error[ARGUMENTS_ERROR];
	struct arguments arguments;

	ck_assert_msg(parse(bads[_i].line, &arguments, error) == -1, "`%s` is taken", bads[_i].line);
	ck_assert_msg(strncmp(error, bads[_i].error, strlen(bads[_i].error)) == 0, "%s: %s", bads[_i].line, error);
	ck_assert_msg(strstr(error, bads[_i].more) != NULL, "%s: %s", bads[_i].line, error);
	/* No line ends in a blank. */
	ck_assert_ptr_null(strstr(error, " \n"));
	ck_assert_int_ne(error[strlen(error) - 1], ' ');
}
END_TEST

START_TEST(long_words_are_refused)
{
	char line[COMMAND_ARGUMENT + 16] = "show ", error[ARGUMENTS_ERROR];
	struct arguments arguments;

	memset(line + 5, 'x', COMMAND_ARGUMENT);
	line[5 + COMMAND_ARGUMENT] = '\0';
	ck_assert_int_eq(parse(line, &arguments, error), -1);
	line[5 + COMMAND_ARGUMENT - 1] = '\0';
	ck_assert_int_eq(parse(line, &arguments, error), 0);
}
END_TEST

START_TEST(usages_end_without_blanks)
{
	char usage[COMMAND_USAGE];

	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		command_usage(id, usage);
		ck_assert_uint_lt(strlen(usage), COMMAND_USAGE - 1);
		ck_assert_int_ne(usage[strlen(usage) - 1], ' ');
	}
}
END_TEST

START_TEST(second_words_are_suggested)
{
	char list[ARGUMENTS_ERROR];

	ck_assert_str_eq(arguments_second_words(COMMAND_SHOW, "conections", list), "connections");
	ck_assert_ptr_nonnull(strstr(list, "health drops neighbors"));
	ck_assert_ptr_null(arguments_second_words(COMMAND_SHOW, "web", list));
	ck_assert_ptr_null(arguments_second_words(COMMAND_DRAIN, "web", list));
	ck_assert_str_eq(list, "director");
	ck_assert_ptr_null(arguments_second_words(COMMAND_WEIGHT, "web", list));
	ck_assert_str_eq(list, "");
}
END_TEST

Suite *
arguments_suite(void)
{
	Suite *suite = suite_create("arguments");
	TCase *tcase = tcase_create("arguments");

	tcase_add_loop_test(tcase, what_is_right_is_taken, 0, (int)ARRAY_LEN(goods));
	tcase_add_loop_test(tcase, what_is_wrong_gets_what_is_valid, 0, (int)ARRAY_LEN(bads));
	tcase_add_test(tcase, long_words_are_refused);
	tcase_add_test(tcase, usages_end_without_blanks);
	tcase_add_test(tcase, second_words_are_suggested);
	suite_add_tcase(suite, tcase);
	return suite;
}
