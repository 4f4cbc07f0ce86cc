/* SPDX-License-Identifier: ISC */
/*
 * INI text, line by line, through inih, avoiding its pitfalls: inih takes an indented key for a continuation, cuts long
 * lines and section names silently, assigns the keys after a bad section header to the section before, and reports only
 * the first bad line's number. Here lines are cleaned and checked before inih sees them, so that any inih from r33 on
 * gives the same result, whatever its build options.
 */
#ifndef CONF_READER_H
#define CONF_READER_H

#include <stdio.h>

#include "base/errlist.h"

/*
 * Configurations of other programs, which people give to dsrd when they change over: one hint says more than an error
 * a line.
 */
/*
 * What a line may hold without its comment, blanks at both ends and end. The smallest buffer that inih is built with
 * has 200 bytes (INI_MAX_LINE), of which line end and string end take two.
 */
#define READER_LINE 198

/* Binary files and the like have an error in each line: reporting stops here. */
#define READER_ERRORS 100

struct reader_events {
	/* A section starts. `header` is the text between the brackets, trimmed. */
	void (*section)(void *context, unsigned line, const char *header);
	/* A key and its value, both trimmed; the value may be empty. */
	void (*key)(void *context, unsigned line, const char *name, const char *value);
	void *context;
};

/* Reads `in` to its end. What is wrong with the text itself is added to `errors` and read over. */
void reader_run(FILE *in, const char *file, struct errlist *errors, const struct reader_events *events);

#endif
