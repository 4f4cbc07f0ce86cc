/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/top.h"

#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"

#define ROWS_USUAL 24
#define COLUMNS_USUAL 80

bool
terminal_is_able(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL && *term != '\0' &&
	    strcmp(term, "dumb") != 0;
}

int
terminal_open(struct terminal *terminal)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &terminal->before) == -1)
		return -1;
	raw = terminal->before;
	/* Unbuffered keys without echo, Ctrl-C included, so that the screen is always restored. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == -1)
		return -1;
	/* The alternate screen, and no cursor. */
	fputs("\033[?1049h\033[?25l\033[2J", stdout);
	return fflush(stdout) == 0 ? 0 : -1;
}

void
terminal_close(struct terminal *terminal)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
}

void
terminal_size(unsigned *rows, unsigned *columns)
{
	struct winsize size;

	*rows = ROWS_USUAL;
	*columns = COLUMNS_USUAL;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_row == 0 || size.ws_col == 0)
		return;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

enum key
terminal_key(const char *bytes, size_t length, size_t *used)
{
	/* Arrows come in two spellings, by the mode that another program has left. */
	static const struct {
		const char *bytes;
		enum key key;
	} keys[] = { { "q", KEY_QUIT }, { "Q", KEY_QUIT }, { "\003", KEY_QUIT }, { "s", KEY_SORT },
		{ "S", KEY_SORT_BACK }, { "r", KEY_REVERSE }, { "/", KEY_FILTER }, { "\t", KEY_SWITCH },
		    { "?", KEY_HELP },
		{ "h", KEY_HELP }, { "p", KEY_PAUSE },
		{ "k", KEY_UP }, { "j", KEY_DOWN }, { " ", KEY_PAGE_DOWN }, { "\033[A", KEY_UP }, { "\033OA", KEY_UP },
		{ "\033[B", KEY_DOWN }, { "\033OB", KEY_DOWN }, { "\033[5~", KEY_PAGE_UP },
		    { "\033[6~", KEY_PAGE_DOWN },
		{ "\033[H", KEY_HOME }, { "\033[F", KEY_END } };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const size_t size = strlen(keys[i].bytes);

		if (size <= length && memcmp(keys[i].bytes, bytes, size) == 0) {
			*used = size;
			return keys[i].key;
		}
	}
	*used = 1;
	return KEY_NONE;
}
