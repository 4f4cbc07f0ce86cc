/* SPDX-License-Identifier: ISC */
/*
 * Prints the tables that the programs parse by, for contrib/completion/generate.sh and contrib/vim/syntax.awk: fields with
 * tabs in between.
 */
#include "config.h"

#include <stdio.h>

#include "cli/flags.h"
#include "conf/conf.h"
#include "ctl/command.h"
#include "ctl/filter.h"
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

int
main(void)
{
	const char *term, *choices;
	char name[COMMAND_TEXT];

	print_flags("dsrctl", dsrctl_flags, dsrctl_flag_count);
	print_flags("dsrd", options_flags, options_flag_count);
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		printf("command\t%s\t%s\t%s\n", command_name(id, name), commands[id].arguments, commands[id].help);
	for (size_t i = 0; (term = filter_term(i, &choices)) != NULL; i++)
		printf("term\t%s\t%s\n", term, choices);
	print_keys();
	return ferror(stdout) || fflush(stdout) != 0;
}
