/* SPDX-License-Identifier: ISC */
/*
 * The command line of dsrctl, parsed by the table of commands: options stand anywhere, `--name=value` and `-cN` too,
 * and what is unknown gets what is valid and the nearest match. Pure.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/flag.h"
#include "ctl/command.h"

/* dsrctl's own flags, those before the command. */
#define DSRCTL_SOCKET RUNSTATEDIR "/dsrd.sock"

extern const struct flag dsrctl_flags[];
extern const size_t dsrctl_flag_count;

#define ARGUMENTS_ERROR 1024

/* Texts are argv's. */
struct arguments {
	bool json;
	bool help;                 /* of `command`, or of all when that is COMMAND_COUNT */
	bool version;
	const char *socket;        /* NULL: not given */
	enum command_id command;   /* COMMAND_COUNT: none */
	const char *words[COMMAND_NAMES];
	size_t count;
	const char *options[COMMAND_OPTION_COUNT]; /* NULL: not given; "" for one that takes nothing */
};

/* 0, or -1 with what is wrong and what is valid, lines without the last line feed. */
NODISCARD int arguments_parse(int argc, char *const argv[], struct arguments *arguments, char error[ARGUMENTS_ERROR]);
/* The second words that `command` takes, "health drops ...", and the one nearest to `word`, or NULL. */
const char *arguments_second_words(enum command_id command, const char *word, char text[ARGUMENTS_ERROR]);

#endif
