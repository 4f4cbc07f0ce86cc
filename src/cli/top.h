/* SPDX-License-Identifier: ISC */
/* `dsrctl top`: a live `show`. Without a capable terminal it is printed repeatedly. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <termios.h>

#include "base/attr.h"
#include "cli/arguments.h"
#include "cli/ask.h"
#include "cli/snapshot.h"

/*
 * A terminal for a live screen: single key presses, an alternate screen, and everything restored afterwards. Uses the
 * sequences common to terminals since the VT220 (ECMA-48, and xterm's private modes), without a library.
 */
enum key {
	KEY_NONE = 0,
	KEY_QUIT, /* q, Ctrl-C */
	KEY_SORT,      /* the next order, ... */
	KEY_SORT_BACK, /* ... the one before, ... */
	KEY_REVERSE,   /* ... and the other way round */
	KEY_FILTER,
	KEY_SWITCH,    /* services or servers */
	KEY_HELP,
	KEY_PAUSE,
	KEY_UP,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END
};

struct terminal {
	struct termios before;
};

/* Can standard input and output show a live screen? Not when one is not a terminal, or TERM is dumb or unset. */
bool terminal_is_able(void);
/* 0, or -1 with errno. */
NODISCARD int terminal_open(struct terminal *terminal);
/* Puts everything back. */
void terminal_close(struct terminal *terminal);
/* Lines and columns now; 24 and 80 when the terminal does not report them. */
void terminal_size(unsigned *rows, unsigned *columns);
/* Cuts the first key off; KEY_NONE for what is none. `*used`: its bytes, at least 1. */
enum key terminal_key(const char *bytes, size_t length, size_t *used);

enum ctl_status top(const struct wish *wish, const struct arguments *given);

/*
 * Draws the screen of `dsrctl top` so that it fits. Pure: writes to a stream, the terminal's properties are in `view`.
 */
struct view {
	unsigned rows;       /* of the screen; 0: no screen, everything is printed once, below what is there */
	unsigned columns;
	bool colour;
	bool paused;
	bool help;           /* the keys, instead of all else */
	bool on_services;    /* what is scrolled */
	bool typing;         /* the filter is being typed */
	size_t first;        /* server at the top; screen_draw() puts it right */
	size_t first_service;
	struct snapshot_arrangement arrangement;
	const char *trouble; /* NULL, or why what is shown is not of now */
};

/* How many servers, and services, the screen has room for. */
size_t screen_room(const struct snapshot *snapshot, const struct view *view);
size_t screen_services_room(const struct snapshot *snapshot, const struct view *view);
void screen_draw(const struct snapshot *snapshot, struct view *view, FILE *out);

#endif
