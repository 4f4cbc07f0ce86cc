/* SPDX-License-Identifier: ISC */
/*
 * The commands that a director takes: one table drives what the control socket serves, what dsrctl knows and prints as
 * help, and the test of the manual page. No handlers here, so that dsrctl, which knows nothing of a director's inside,
 * can use it.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_WORDS 2     /* of a name */
#define COMMAND_ARGUMENTS 10
#define COMMAND_ARGUMENT 128 /* bytes of one, with its end */

enum command_id {
	COMMAND_SHOW,
	COMMAND_SHOW_HEALTH,
	COMMAND_SHOW_DROPS,
	COMMAND_SHOW_NEIGHBORS,
	COMMAND_SHOW_CONNECTIONS,
	COMMAND_SHOW_DRAIN,
	COMMAND_SHOW_CONFIG,
	COMMAND_SHOW_NAMES,
	COMMAND_SHOW_RATES,
	COMMAND_DRAIN,
	COMMAND_ENABLE,
	COMMAND_DISABLE,
	COMMAND_WEIGHT,
	COMMAND_RELOAD,
	COMMAND_RELOAD_PLAN,
	COMMAND_TOP,
	COMMAND_WHY,
	COMMAND_TRACE,
	COMMAND_DOCTOR,
	COMMAND_DOCTOR_ALL,
	COMMAND_EVENTS,
	COMMAND_VERSION,
	COMMAND_COUNT
};

struct command {
	/* The name; over HTTP the path, "/show/drops". Dashes before a word are for people: "/reload/plan". */
	const char *words[COMMAND_WORDS];
	const char *arguments;            /* for people; empty: none */
	size_t least;                     /* how many there must be, and may be */
	size_t most;
	bool changes;                     /* POST, on the Unix socket only; else GET */
	unsigned wait;                    /* seconds after which dsrctl gives up */
	const char *help;
};

extern const struct command commands[COMMAND_COUNT];

/*
 * Finds the command whose name `words` begin with, the longest name first. `used`: how many of them are the name.
 * COMMAND_COUNT: there is none.
 */
enum command_id command_find(const char *const words[], size_t count, size_t *used);
/* A word of a name without the dashes before it. */
const char *command_word(const char *word);
/* "show drops". Returns `text`. */
#define COMMAND_TEXT 32
const char *command_name(enum command_id id, char text[COMMAND_TEXT]);

#endif
