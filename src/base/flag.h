/* SPDX-License-Identifier: ISC */
/* The flags of a command line: one table drives parsing, --help, and what shells complete. */
#ifndef BASE_FLAG_H
#define BASE_FLAG_H

#include <stddef.h>
#include <stdio.h>

#define FLAGS_MOST 24
/* Above every character: a flag without a letter. */
#define FLAG_LONG 256

struct flag {
	int letter;
	const char *name;
	const char *takes; /* the argument's name in the help; NULL: no argument */
	const char *help;
	const char *more;  /* the help's second line, or NULL */
};

/*
 * getopt_long(3) with the first `count` flags, at most FLAGS_MOST, and the letters of `silent`, which take no argument
 * and are not listed in the help. Stops at the first word that is not a flag.
 */
int flag_next(const struct flag *flags, size_t count, const char *silent, int argc, char *const argv[]);
void flag_print(const struct flag *flags, size_t count, FILE *out);

#endif
