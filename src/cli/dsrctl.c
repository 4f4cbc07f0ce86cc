/* SPDX-License-Identifier: ISC */
/* dsrctl: turns words into a request, prints the answer. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/announce.h"
#include "cli/arguments.h"
#include "cli/ask.h"
#include "cli/top.h"
#include "cli/trace.h"

#define HELP_COLUMN 40

/* The start of a line, followed by the help on the same line, or below when there is no room. */
static void
dsrctl_print_line(const char *left, const char *help, FILE *out)
{
	const int used = fprintf(out, "  %s", left);

	if (used >= HELP_COLUMN)
		fprintf(out, "\n%*s %s\n", HELP_COLUMN, "", help);
	else
		fprintf(out, "%*s %s\n", HELP_COLUMN - used, "", help);
}

static void
print_help(FILE *out)
{
	char usage[COMMAND_USAGE];

	fprintf(out, "usage: dsrctl [-jhV] [-s SOCKET] COMMAND [ARGUMENT ...]\n\n");
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		dsrctl_print_line(command_usage(id, usage), commands[id].help, out);
	dsrctl_print_line("help [COMMAND]", "this, or what a command takes", out);
	fputc('\n', out);
	flag_print(dsrctl_flags, dsrctl_flag_count, out);
	fprintf(out, "\nOptions may stand anywhere. Names may be patterns, such as 'shop-*' or '*/web3', and "
	    "addresses.\n"
	    "Exit status: 0 done, 1 refused, failed, or problems found, 2 wrong usage, 3 no daemon.\n");
}

static void
print_command_help(enum command_id id, FILE *out)
{
	char usage[COMMAND_USAGE], left[64];

	fprintf(out, "usage: dsrctl %s\n\n  %s\n\n", command_usage(id, usage), commands[id].help);
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++) {
		const struct command_option_info *info = &command_options[option];
		const char letter[] = { '-', info->letter, ',', ' ', '\0' };

		if (!command_takes(id, option))
			continue;
		snprintf(left, sizeof(left), "%s--%s%s%s", info->letter != '\0' ? letter : "    ", info->name,
		    info->takes != NULL ? " " : "", info->takes != NULL ? info->takes : "");
		fprintf(out, "  %-26s %s\n", left, info->help);
	}
	flag_print(dsrctl_flags, dsrctl_flag_count, out);
}

/* What the director is sent beside the words: options that are for it. */
static void
dsrctl_take_words(const struct arguments *given, struct wish *wish, char sent[COMMAND_OPTION_COUNT][COMMAND_ARGUMENT])
{
	wish->argument_count = 0;
	for (size_t i = 0; i < given->count; i++)
		wish->arguments[wish->argument_count++] = given->words[i];
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++) {
		if (given->options[option] == NULL || !command_options[option].sent ||
		    wish->argument_count == COMMAND_ARGUMENTS)
			continue;
		snprintf(sent[option], COMMAND_ARGUMENT, "--%s%s%s", command_options[option].name,
		    command_options[option].takes != NULL ? "=" : "", given->options[option]);
		wish->arguments[wish->argument_count++] = sent[option];
	}
}

static enum ctl_status
run_drain(const struct wish *wish, const struct arguments *given)
{
	uint64_t patience;

	if (given->options[OPTION_EMPTY] != NULL && given->options[OPTION_WAIT] == NULL) {
		fprintf(stderr, "dsrctl: --empty requires --wait\n");
		return CTL_USAGE;
	}
	if (given->options[OPTION_WAIT] == NULL)
		return ask(wish);
	if (text_duration(given->options[OPTION_WAIT], &patience) == -1) {
		fprintf(stderr, "dsrctl: --wait takes a duration, such as 30s, 10m or 2h\n");
		return CTL_USAGE;
	}
	return wait_drained(wish, patience, given->options[OPTION_EMPTY] != NULL);
}

static enum ctl_status
run_drain_director(const struct wish *wish, const struct arguments *given)
{
	uint64_t patience;

	if (given->options[OPTION_WAIT] == NULL)
		return ask(wish);
	if (text_duration(given->options[OPTION_WAIT], &patience) == -1) {
		fprintf(stderr, "dsrctl: --wait takes a duration, such as 30s, 10m or 2h\n");
		return CTL_USAGE;
	}
	return wait_director_drained(wish, patience);
}

static enum ctl_status
dsrctl_run(const struct wish *wish, const struct arguments *given)
{
	switch (given->command) {
	case COMMAND_TRACE:
		return trace(wish, given);
	case COMMAND_TOP:
		return top(wish, given);
	case COMMAND_DRAIN:
		return run_drain(wish, given);
	case COMMAND_DRAIN_DIRECTOR:
		return run_drain_director(wish, given);
	case COMMAND_ANNOUNCE:
		return announce(wish, given);
	case COMMAND_STOP:
		return wait_stopped(wish);
	case COMMAND_EVENTS:
		return given->options[OPTION_FOLLOW] != NULL ? follow_events(wish) : ask(wish);
	default:
		return ask(wish);
	}
}

int
main(int argc, char *argv[])
{
	char error[ARGUMENTS_ERROR], sent[COMMAND_OPTION_COUNT][COMMAND_ARGUMENT];
	struct wish wish = { .socket = DSRCTL_SOCKET };
	struct arguments given;

	if (arguments_parse(argc, argv, &given, error) == -1) {
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_USAGE;
	}
	if (given.version) {
		printf("dsrctl %s\n", PACKAGE_VERSION);
		return CTL_OK;
	}
	if (given.help) {
		if (given.command == COMMAND_COUNT)
			print_help(stdout);
		else
			print_command_help(given.command, stdout);
		return CTL_OK;
	}
	if (given.command == COMMAND_COUNT) {
		print_help(stderr);
		return CTL_USAGE;
	}
	if (given.socket != NULL)
		wish.socket = given.socket;
	wish.json = given.json;
	wish.command = given.command;
	dsrctl_take_words(&given, &wish, sent);
	return dsrctl_run(&wish, &given);
}
