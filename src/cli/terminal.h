/* SPDX-License-Identifier: ISC */
/*
 * A terminal for a live screen: single key presses, an alternate screen, and everything restored afterwards. Uses the
 * sequences common to terminals since the VT220 (ECMA-48, and xterm's private modes), without a library.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <termios.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

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

#endif
