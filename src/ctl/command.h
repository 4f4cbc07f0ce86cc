/* SPDX-License-Identifier: ISC */
/*
 * The commands of a director: one table for the control socket, for dsrctl and its help, and for the test of the manual
 * page. It has no handlers, so that dsrctl can use it without linking the director.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_WORDS 2     /* of a name */
#define COMMAND_ARGUMENTS 12 /* options that are sent included */
#define COMMAND_NAMES 10     /* services and servers at a time */
#define COMMAND_ARGUMENT 128 /* bytes of one, with its end */

enum command_id {
	COMMAND_SHOW,
	COMMAND_SHOW_HEALTH,
	COMMAND_SHOW_DROPS,
	COMMAND_SHOW_NEIGHBORS,
	COMMAND_SHOW_CONNECTIONS,
	COMMAND_SHOW_DRAIN,
	COMMAND_SHOW_CONFIG,
	COMMAND_SHOW_PEERS,
	COMMAND_SHOW_NAMES,
	COMMAND_SHOW_RATES,
	COMMAND_SHOW_PROCESS,
	COMMAND_SHOW_ROLES,
	COMMAND_SHOW_ANNOUNCE,
	COMMAND_DRAIN,
	COMMAND_DRAIN_DIRECTOR,
	COMMAND_ENABLE,
	COMMAND_ENABLE_DIRECTOR,
	COMMAND_DISABLE,
	COMMAND_WEIGHT,
	COMMAND_NEIGHBOR,
	COMMAND_ROLE,
	COMMAND_READY,
	COMMAND_ANNOUNCE,
	COMMAND_RELOAD,
	COMMAND_RELOAD_PLAN,
	COMMAND_TOP,
	COMMAND_WHY,
	COMMAND_TRACE,
	COMMAND_DOCTOR,
	COMMAND_DOCTOR_ALL,
	COMMAND_EVENTS,
	COMMAND_STOP,
	COMMAND_VERSION,
	COMMAND_COUNT
};

/* What may stand behind a command, or anywhere before it; the same name means the same everywhere. */
enum command_option {
	OPTION_PLAN,     /* makes `reload` COMMAND_RELOAD_PLAN */
	OPTION_PROBLEMS,
	OPTION_ALL,
	OPTION_WAIT,
	OPTION_EMPTY,
	OPTION_TIMEOUT,
	OPTION_FOLLOW,
	OPTION_COUNT,
	OPTION_PCAPNG,
	OPTION_EXABGP,
	COMMAND_OPTION_COUNT
};

struct command_option_info {
	char letter;       /* '\0': no short option */
	const char *name;
	const char *takes; /* the argument's name; NULL: no argument */
	bool sent;         /* to the director, as an argument "--name" or "--name=value"; else it is dsrctl's own */
	const char *help;
};

extern const struct command_option_info command_options[COMMAND_OPTION_COUNT];

/* Which words `FILTER` stands for. */
enum command_filter {
	COMMAND_FILTER_NONE,
	COMMAND_FILTER_FLOWS,     /* filter_term() */
	COMMAND_FILTER_DECISIONS,
	COMMAND_FILTER_EVENTS     /* event_filter_term() */
};

struct command {
	/* The name; over HTTP the path, "/show/drops". Dashes before a word are for people: "/reload/plan". */
	const char *words[COMMAND_WORDS];
	const char *arguments;            /* for the help; empty: no arguments */
	size_t least;                     /* how many there must be, and may be, options not counted */
	size_t most;
	unsigned options;                 /* bits, by enum command_option */
	enum command_filter filter;
	bool changes;                     /* POST, on the Unix socket only; else GET */
	unsigned wait;                    /* seconds after which dsrctl gives up */
	const char *help;
};

extern const struct command commands[COMMAND_COUNT];

/*
 * Finds the command whose name `words` start with, the longest name first. `used`: the number of words of the name.
 * COMMAND_COUNT: not found.
 */
enum command_id command_find(const char *const words[], size_t count, size_t *used);
/*
 * Another word for the one that names a command: "neighbor" is "neighbors", "status" is "show". `position`: of the
 * word, from 0. Without another word it is the same.
 */
const char *command_spelling(const char *word, size_t position);
/* Does the command take that option? */
bool command_takes(enum command_id id, enum command_option option);
/* "drain SERVICE/SERVER ... [--wait DURATION]": all that it takes. Returns `text`. */
#define COMMAND_USAGE 256
const char *command_usage(enum command_id id, char text[COMMAND_USAGE]);
/* A word of a name without the dashes before it. */
const char *command_word(const char *word);
/* "show drops". Returns `text`. */
#define COMMAND_TEXT 32
const char *command_name(enum command_id id, char text[COMMAND_TEXT]);

#endif
