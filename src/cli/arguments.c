/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/arguments.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"

const struct flag dsrctl_flags[] = {
	{ 'j', "json", NULL, "JSON, for programs", NULL },
	{ 's', "socket", "SOCKET", "the director's `control` socket, default " DSRCTL_SOCKET, NULL },
	{ 'h', "help", NULL, "print this, and exit", NULL },
	{ 'V', "version", NULL, "print dsrctl's own version, and exit", NULL },
};
const size_t dsrctl_flag_count = ARRAY_LEN(dsrctl_flags);

static_assert(ARRAY_LEN(dsrctl_flags) <= FLAGS_MOST, "getopt must know all of them");

#define NAMES_MOST (2 * COMMAND_COUNT + COMMAND_OPTION_COUNT + FLAGS_MOST + 1)

struct parser {
	struct arguments *arguments;
	char *error;
	const char *words[COMMAND_WORDS + COMMAND_NAMES];
	size_t count;
	const char *unknown; /* the first option that no command has: reported with the command's own options */
};

/* "doctor --all" may be a command of its own. */
static enum command_id
parser_command_with(enum command_id command, enum command_option option)
{
	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		if (commands[id].words[1] != NULL && strncmp(commands[id].words[1], "--", 2) == 0 &&
		    strcmp(commands[id].words[0], commands[command].words[0]) == 0 &&
		    strcmp(command_word(commands[id].words[1]), command_options[option].name) == 0)
			return id;
	return COMMAND_COUNT;
}

static int PRINTF_LIKE(2, 3)
parser_refuse(const struct parser *parser, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(parser->error, ARGUMENTS_ERROR, format, args);
	va_end(args);
	return -1;
}

/* "\nusage: dsrctl ..." behind what is wrong. */
static int PRINTF_LIKE(2, 3)
parser_refuse_usage(const struct parser *parser, const char *format, ...)
{
	char usage[COMMAND_USAGE];
	size_t used;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(parser->error, ARGUMENTS_ERROR, format, args);
	va_end(args);
	used = strlen(parser->error);
	used += (size_t)snprintf(parser->error + used, ARGUMENTS_ERROR - used, "\nusage: dsrctl %s",
	    command_usage(parser->arguments->command, usage));
	/* `reload --plan` is a command of its own, but typed as an option. */
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT && used < ARGUMENTS_ERROR; option++) {
		const enum command_id other = parser_command_with(parser->arguments->command, option);

		if (other != COMMAND_COUNT && commands[parser->arguments->command].words[1] == NULL)
			used += (size_t)snprintf(parser->error + used, ARGUMENTS_ERROR - used, "\n       dsrctl %s",
			    command_usage(other, usage));
	}
	return -1;
}

/* --- options --- */

/* An option of dsrctl or of a command, by its letter or its name of that length. */
static const struct flag *
parser_flag(int letter, const char *name, size_t length)
{
	for (size_t i = 0; i < dsrctl_flag_count; i++)
		if (name == NULL ? dsrctl_flags[i].letter == letter :
		    strlen(dsrctl_flags[i].name) == length && strncmp(dsrctl_flags[i].name, name, length) == 0)
			return &dsrctl_flags[i];
	return NULL;
}

static enum command_option
parser_option(int letter, const char *name, size_t length)
{
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++) {
		const struct command_option_info *info = &command_options[option];

		if (name == NULL ? info->letter == letter : strlen(info->name) == length &&
		    strncmp(info->name, name, length) == 0)
			return option;
	}
	return COMMAND_OPTION_COUNT;
}

static void
parser_take_flag(struct parser *parser, const struct flag *flag, const char *value)
{
	switch (flag->letter) {
	case 'j':
		parser->arguments->json = true;
		break;
	case 's':
		parser->arguments->socket = value;
		break;
	case 'h':
		parser->arguments->help = true;
		break;
	case 'V':
		parser->arguments->version = true;
		break;
	}
}

/*
 * One option, by letter or name. `value` is what stands behind it in the same argument, or NULL; `next` the argument
 * behind, or NULL. Returns how many arguments it used up beside its own, or -1.
 */
static int
parser_take(struct parser *parser, int letter, const char *name, size_t length, const char *value, const char *next)
{
	const struct flag *flag = parser_flag(letter, name, length);
	const enum command_option option = parser_option(letter, name, length);
	const char *takes = flag != NULL ? flag->takes : command_options[option].takes;
	const char *spelled = flag != NULL ? flag->name : command_options[option].name;
	const bool uses_next = takes != NULL && value == NULL;

	if (takes == NULL && value != NULL)
		return parser_refuse(parser, "--%s takes no value", spelled);
	if (uses_next)
		value = next;
	if (takes != NULL && (value == NULL || *value == '\0'))
		return parser_refuse(parser, "--%s needs a %s", spelled, takes);
	if (flag != NULL)
		parser_take_flag(parser, flag, value);
	else
		parser->arguments->options[option] = value == NULL ? "" : value;
	return uses_next ? 1 : 0;
}

static bool
parser_knows(int letter, const char *name, size_t length)
{
	return parser_flag(letter, name, length) != NULL || parser_option(letter, name, length) != COMMAND_OPTION_COUNT;
}

static int
parser_take_long(struct parser *parser, const char *word, const char *next)
{
	const size_t length = strcspn(word + 2, "=");

	if (parser_knows(0, word + 2, length))
		return parser_take(parser, 0, word + 2, length, word[2 + length] == '=' ? word + 3 + length : NULL,
		    next);
	if (parser->unknown == NULL)
		parser->unknown = word;
	return 0;
}

static bool
parser_letter_takes(int letter)
{
	const struct flag *flag = parser_flag(letter, NULL, 0);

	return flag != NULL ? flag->takes != NULL : command_options[parser_option(letter, NULL, 0)].takes != NULL;
}

/* "-jf", "-c5", "-c 5" */
static int
parser_take_letters(struct parser *parser, const char *word, const char *next)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		if (!parser_knows(*at, NULL, 0)) {
			if (parser->unknown == NULL)
				parser->unknown = word;
			return 0;
		}
		if (parser_letter_takes(*at))
			return parser_take(parser, *at, NULL, 0, at[1] != '\0' ? at + 1 : NULL, next);
		if (parser_take(parser, *at, NULL, 0, NULL, NULL) == -1)
			return -1;
	}
	return 0;
}

static int
parser_scan(struct parser *parser, int argc, char *const argv[])
{
	bool literal = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		int used = 0;

		if (!literal && strcmp(word, "--") == 0) {
			literal = true;
		} else if (literal || word[0] != '-' || word[1] == '\0') {
			if (parser->count == ARRAY_LEN(parser->words))
				return parser_refuse(parser, "more than %d arguments", COMMAND_NAMES);
			parser->words[parser->count++] = word;
		} else {
			used = word[1] == '-' ? parser_take_long(parser, word, next) :
			    parser_take_letters(parser, word, next);
		}
		if (used == -1)
			return -1;
		i += used;
	}
	return 0;
}

/* --- the command --- */

static int
parser_refuse_command(const struct parser *parser, const char *word)
{
	const char *names[COMMAND_COUNT + 2] = { NULL }, *nearest;
	char list[ARGUMENTS_ERROR / 2] = "";
	size_t count = 0, used = 0;

	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		if (count > 0 && strcmp(names[count - 1], commands[id].words[0]) == 0)
			continue;
		names[count++] = commands[id].words[0];
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", commands[id].words[0]);
	}
	names[count++] = "help";
	names[count] = NULL;
	nearest = text_nearest(word, names);
	if (nearest != NULL)
		return parser_refuse(parser, "unknown command `%.100s`, did you mean `%s`?", word, nearest);
	return parser_refuse(parser, "unknown command `%.100s`; the commands are:%s help", word, list);
}

/* All options that are valid with the command, "--name", NULL at the end. */
static void
parser_valid_options(enum command_id command, const char *names[NAMES_MOST])
{
	size_t count = 0;

	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++)
		if (command_takes(command, option) || parser_command_with(command, option) != COMMAND_COUNT)
			names[count++] = command_options[option].name;
	for (size_t i = 0; i < dsrctl_flag_count; i++)
		names[count++] = dsrctl_flags[i].name;
	names[count] = NULL;
}

static int
parser_refuse_option(const struct parser *parser, const char *word)
{
	const char *names[NAMES_MOST], *nearest;
	char typed[64];

	(void)snprintf(typed, sizeof(typed), "%.*s", (int)strcspn(command_word(word), "="), command_word(word));
	parser_valid_options(parser->arguments->command, names);
	nearest = text_nearest(typed, names);
	if (nearest != NULL)
		return parser_refuse_usage(parser, "unknown option `%.100s`, did you mean `--%s`?", word, nearest);
	return parser_refuse_usage(parser, "unknown option `%.100s`", word);
}

static int
parser_check_options(struct parser *parser)
{
	struct arguments *arguments = parser->arguments;

	if (parser->unknown != NULL)
		return parser_refuse_option(parser, parser->unknown);
	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT; option++) {
		enum command_id other;

		if (arguments->options[option] == NULL)
			continue;
		other = parser_command_with(arguments->command, option);
		if (other != COMMAND_COUNT) {
			arguments->command = other;
			arguments->options[option] = NULL;
		} else if (!command_takes(arguments->command, option)) {
			return parser_refuse_usage(parser, "%s takes no option `--%s`",
			    commands[arguments->command].words[0],
			    command_options[option].name);
		}
	}
	return 0;
}

const char *
arguments_second_words(enum command_id command, const char *word, char text[ARGUMENTS_ERROR])
{
	const char *names[COMMAND_COUNT + 1];
	size_t count = 0, used = 0;

	text[0] = '\0';
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		if (commands[id].words[1] == NULL || strcmp(commands[id].words[0], commands[command].words[0]) != 0)
			continue;
		names[count++] = command_word(commands[id].words[1]);
		used += (size_t)snprintf(text + used, ARGUMENTS_ERROR - used, "%s%s", used > 0 ? " " : "",
		    commands[id].words[1]);
	}
	names[count] = NULL;
	return text_nearest(word, names);
}

static int
parser_check_words(const struct parser *parser)
{
	const struct arguments *arguments = parser->arguments;
	const struct command *command = &commands[arguments->command];
	char name[COMMAND_TEXT], list[ARGUMENTS_ERROR];
	const char *nearest;

	command_name(arguments->command, name);
	if (arguments->count < command->least)
		return parser_refuse_usage(parser, "%s needs %s", name, command->arguments);
	if (arguments->count > command->most) {
		nearest = arguments_second_words(arguments->command, arguments->words[command->most], list);
		return parser_refuse_usage(parser, "unexpected argument `%.100s`%s%s%s",
		    arguments->words[command->most],
		    nearest != NULL ? ", did you mean `" : "", nearest != NULL ? nearest : "", nearest != NULL ? "`?" :
		    "");
	}
	for (size_t i = 0; i < arguments->count; i++)
		if (strlen(arguments->words[i]) >= COMMAND_ARGUMENT)
			return parser_refuse(parser, "an argument is longer than %d bytes", COMMAND_ARGUMENT - 1);
	return 0;
}

int
arguments_parse(int argc, char *const argv[], struct arguments *arguments, char error[ARGUMENTS_ERROR])
{
	struct parser parser = { .arguments = arguments, .error = error };
	const char *const *words = parser.words;
	size_t used;

	memset(arguments, 0, sizeof(*arguments));
	arguments->command = COMMAND_COUNT;
	if (parser_scan(&parser, argc, argv) == -1)
		return -1;
	if (parser.count > 0 && strcmp(words[0], "help") == 0) {
		arguments->help = true;
		words++;
		parser.count--;
	}
	if (parser.count == 0) {
		if (parser.unknown != NULL)
			return parser_refuse(&parser, "unknown option `%.100s`: dsrctl -h lists them", parser.unknown);
		return 0;
	}
	arguments->command = command_find(words, parser.count, &used);
	if (arguments->command == COMMAND_COUNT)
		return parser_refuse_command(&parser, words[0]);
	for (size_t i = used; i < parser.count; i++) {
		if (arguments->count == COMMAND_NAMES)
			return parser_refuse(&parser, "more than %d arguments", COMMAND_NAMES);
		arguments->words[arguments->count++] = words[i];
	}
	if (parser_check_options(&parser) == -1)
		return -1;
	return arguments->help || arguments->version ? 0 : parser_check_words(&parser);
}
