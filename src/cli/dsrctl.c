/* SPDX-License-Identifier: ISC */
/* dsrctl: turns words into a request, prints the answer. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/flags.h"
#include "cli/top.h"
#include "cli/trace.h"
#include "cli/wait.h"
#include "ctl/command.h"

#define NAMES_MOST (COMMAND_COUNT + 1)
#define WORDS_MOST (COMMAND_WORDS + COMMAND_ARGUMENTS + 4) /* -c COUNT --pcapng FILE are four more */

static void
print_help(FILE *out)
{
	char name[COMMAND_TEXT], left[COMMAND_TEXT + 64];

	fprintf(out, "usage: dsrctl [-jhV] [-s SOCKET] COMMAND [ARGUMENT]\n\n");
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		snprintf(left, sizeof(left), "%s %s", command_name(id, name), commands[id].arguments);
		fprintf(out, "  %-38s %s\n", left, commands[id].help);
	}
	fputc('\n', out);
	flag_print(dsrctl_flags, dsrctl_flag_count, out);
	fprintf(out, "\n"
	    "Exit status: 0 done, 1 refused or failed or something is not well, 2 usage, 3 no daemon.\n");
}

static enum ctl_status
refuse_command(const char *word)
{
	const char *names[NAMES_MOST];
	const char *nearest;
	size_t count = 0;

	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		names[count++] = commands[id].words[0];
	names[count] = NULL;
	nearest = text_nearest(word, names);
	if (nearest != NULL && strcmp(nearest, word) != 0)
		fprintf(stderr, "dsrctl: there is no command `%s`, did you mean `%s`?\n", word, nearest);
	else
		fprintf(stderr, "dsrctl: there is no command `%s`: dsrctl -h lists them\n", word);
	return CTL_USAGE;
}

/* "--wait DURATION" behind the arguments, or before them: dsrctl's own, not the director's. */
struct patience {
	bool given;
	uint64_t time;
};

/* Takes it out of the words. False after saying what is wrong. */
static bool
take_patience(const char **words, size_t *count, struct patience *patience)
{
	size_t kept = 0;

	memset(patience, 0, sizeof(*patience));
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(words[i], "--wait") != 0) {
			words[kept++] = words[i];
			continue;
		}
		patience->given = true;
		if (i + 1 == *count || text_duration(words[++i], &patience->time) == -1) {
			fprintf(stderr, "dsrctl: --wait takes a duration, such as 30s, 10m or 2h\n");
			return false;
		}
	}
	*count = kept;
	return true;
}

static enum ctl_status
refuse_usage(enum command_id id)
{
	char name[COMMAND_TEXT];

	fprintf(stderr, "usage: dsrctl %s %s\n", command_name(id, name), commands[id].arguments);
	return CTL_USAGE;
}

/* `words` are what stands behind the options. */
static enum ctl_status
run(struct wish *wish, const char **words, size_t count)
{
	struct patience patience = { false, 0 };
	size_t used;

	wish->command = command_find(words, count, &used);
	if (wish->command == COMMAND_COUNT)
		return refuse_command(words[0]);
	words += used;
	count -= used;
	if (wish->command == COMMAND_DRAIN && !take_patience(words, &count, &patience))
		return CTL_USAGE;
	if (wish->command == COMMAND_TRACE) {
		wish->arguments = words;
		wish->argument_count = count;
		return trace(wish);
	}
	if (wish->command == COMMAND_TOP) {
		wish->arguments = words;
		wish->argument_count = count;
		return top(wish);
	}
	if (count < commands[wish->command].least || count > commands[wish->command].most)
		return refuse_usage(wish->command);
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) >= COMMAND_ARGUMENT) {
			fprintf(stderr, "dsrctl: an argument is longer than %d bytes\n", COMMAND_ARGUMENT - 1);
			return CTL_USAGE;
		}
	}
	wish->arguments = words;
	wish->argument_count = count;
	return patience.given ? wait_drained(wish, patience.time) : ask(wish);
}

int
main(int argc, char *argv[])
{
	struct wish wish = { .socket = DSRCTL_SOCKET };
	const char *words[WORDS_MOST];
	size_t count = 0;
	int option;

	while ((option = flag_next(dsrctl_flags, dsrctl_flag_count, "", argc, argv)) != -1) {
		switch (option) {
		case 'j':
			wish.json = true;
			break;
		case 's':
			wish.socket = optarg;
			break;
		case 'h':
			print_help(stdout);
			return CTL_OK;
		case 'V':
			printf("dsrctl %s\n", PACKAGE_VERSION);
			return CTL_OK;
		default:
			fprintf(stderr, "Type `dsrctl -h` for help.\n");
			return CTL_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	for (; optind < argc && count < WORDS_MOST; optind++)
		words[count++] = argv[optind];
	if (optind < argc) {
		fprintf(stderr, "dsrctl: more words than any command takes\n");
		return CTL_USAGE;
	}
	return run(&wish, words, count);
}
