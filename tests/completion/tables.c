/* SPDX-License-Identifier: ISC */
/*
 * Prints the tables that the programs parse by, for contrib/completion/generate.sh and contrib/vim/syntax.awk: fields
 * with tabs in between.
 */
#include "config.h"

#include <stdio.h>

#include "cli/arguments.h"
#include "conf/conf.h"
#include "ctl/command.h"
#include "ctl/filter.h"
#include "ctl/report.h"
#include "daemon/options.h"

static void
print_flags(const char *program, const struct flag *flags, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char letter[] = { (char)(flags[i].letter < FLAG_LONG ? flags[i].letter : '\0'), '\0' };

		printf("flag\t%s\t%s\t%s\t%s\t%s\n", program, letter, flags[i].name,
		    flags[i].takes == NULL ? "" : flags[i].takes, flags[i].help);
	}
}

static void
print_keys(void)
{
	const struct conf_key_info *key;

	for (size_t i = 0; (key = conf_key(i)) != NULL; i++)
		printf("key\t%s\t%s%s%s\t%s\n", key->name, (key->sections & CONF_IN_DSRD) != 0 ? "dsrd " : "",
		    (key->sections & CONF_IN_DEFAULTS) != 0 ? "defaults " : "",
		    (key->sections & CONF_IN_SERVICE) != 0 ? "service" : "", key->takes);
}

static void
print_options(enum command_id id)
{
	char name[COMMAND_TEXT];

	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++) {
		const struct command_option_info *info = &command_options[option];
		const char letter[] = { info->letter, '\0' };

		if (command_takes(id, option))
			printf("option\t%s\t%s\t%s\t%s\t%s\n", command_name(id, name), letter, info->name,
			    info->takes == NULL ? "" : info->takes, info->help);
	}
}

/* What a command's FILTER may be. */
static void
print_terms(enum command_id id)
{
	const enum command_filter filter = commands[id].filter;
	const enum filter_use use = filter == COMMAND_FILTER_FLOWS ? FILTER_FLOWS : FILTER_DECISIONS;
	const char *term, *choices;
	char name[COMMAND_TEXT];

	command_name(id, name);
	if (filter == COMMAND_FILTER_FLOWS || filter == COMMAND_FILTER_DECISIONS)
		for (size_t i = 0; (term = filter_term(i, use, &choices)) != NULL; i++)
			printf("term\t%s\t%s\t%s\n", name, term, choices);
	else if (filter == COMMAND_FILTER_EVENTS)
		for (size_t i = 0; (term = event_filter_term(i, &choices)) != NULL; i++)
			printf("term\t%s\t%s\t%s\n", name, term, choices);
}

int
main(void)
{
	char name[COMMAND_TEXT];

	print_flags("dsrctl", dsrctl_flags, dsrctl_flag_count);
	print_flags("dsrd", options_flags, options_flag_count);
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		printf("command\t%s\t%s\t%s\n", command_name(id, name), commands[id].arguments, commands[id].help);
		print_options(id);
		print_terms(id);
	}
	print_keys();
	return ferror(stdout) || fflush(stdout) != 0;
}
