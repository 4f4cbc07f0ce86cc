/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/snapshot.h"

#define LOOK_EVERY 1000 /* milliseconds: the resolution of the director's rates */
#define WAKE_EVERY 200  /* between two looks at the terminal's size, and whether a signal came */

struct top {
	const struct wish *wish;
	bool live;          /* on a terminal; else printed */
	bool ended;
	uint64_t most;      /* looks; 0: no limit */
	uint64_t looks;
	struct snapshot snapshot;
	struct view view;
	char trouble[CLIENT_ERROR];
	enum ctl_status status;
};

/* Queries the director. On failure the old data stays, with the reason above it. */
static void
top_examine(struct top *top)
{
	struct request request = { .length = 0 };
	struct client_answer answer;
	struct snapshot fresh;
	enum client_result result;

	request_make(&request, COMMAND_TOP, top->wish->arguments, top->wish->argument_count, true);
	result = client_ask(top->wish->socket, request.bytes, commands[COMMAND_TOP].wait, &answer, top->trouble);
	top->looks++;
	top->status = result == CLIENT_OK ? CTL_OK : result == CLIENT_ABSENT ? CTL_NO_DAEMON : CTL_FAILED;
	top->view.trouble = top->trouble;
	if (result != CLIENT_OK)
		return;
	if (answer.status == 200 && snapshot_read(&fresh, answer.body, answer.length) == 0) {
		snapshot_clear(&top->snapshot);
		top->snapshot = fresh;
		top->view.trouble = NULL;
	} else {
		if (answer.status == 200)
			snapshot_clear(&fresh);
		snprintf(top->trouble, sizeof(top->trouble), "dsrd's answer is not understood");
		top->status = CTL_FAILED;
	}
	free(answer.body);
}

static void
top_draw(struct top *top)
{
	top->view.rows = 0;
	if (top->live)
		terminal_size(&top->view.rows, &top->view.columns);
	snapshot_arrange(&top->snapshot, &top->view.arrangement);
	screen_draw(&top->snapshot, &top->view, stdout);
	if (fflush(stdout) != 0)
		top->ended = true;
}

static void
top_move(struct view *view, size_t count, bool down)
{
	size_t *first = view->on_services ? &view->first_service : &view->first;

	if (down)
		*first += count;
	else
		*first = *first > count ? *first - count : 0;
}

static void
sort_by(struct view *view, unsigned steps)
{
	view->arrangement.order = (view->arrangement.order + steps) % ORDER_COUNT;
	view->first = 0;
}

static void
top_act(struct top *top, enum key key)
{
	struct view *view = &top->view;
	const size_t page = view->on_services ? screen_services_room(&top->snapshot, view) :
	    screen_room(&top->snapshot, view);

	if (view->help && key != KEY_QUIT) {
		view->help = false;
		return;
	}
	switch (key) {
	case KEY_NONE:
		break;
	case KEY_QUIT:
		top->ended = true;
		break;
	case KEY_SORT:
		sort_by(view, 1);
		break;
	case KEY_SORT_BACK:
		sort_by(view, ORDER_COUNT - 1);
		break;
	case KEY_REVERSE:
		view->arrangement.reversed = !view->arrangement.reversed;
		break;
	case KEY_FILTER:
		view->typing = true;
		break;
	case KEY_SWITCH:
		view->on_services = !view->on_services;
		break;
	case KEY_HELP:
		view->help = true;
		break;
	case KEY_PAUSE:
		view->paused = !view->paused;
		break;
	case KEY_UP:
	case KEY_DOWN:
		top_move(view, 1, key == KEY_DOWN);
		break;
	case KEY_PAGE_UP:
	case KEY_PAGE_DOWN:
		top_move(view, page, key == KEY_PAGE_DOWN);
		break;
	case KEY_HOME:
		top_move(view, SIZE_MAX, false);
		break;
	case KEY_END:
		top_move(view, top->snapshot.servers.count + top->snapshot.services.count, true);
		break;
	}
}

/* A byte of the filter: Enter keeps it, Esc ends it, Ctrl-C quits as ever. */
static void
top_type(struct top *top, char byte)
{
	char *filter = top->view.arrangement.filter;
	const size_t length = strlen(filter);

	switch (byte) {
	case '\003':
		top->ended = true;
		break;
	case '\033':
		filter[0] = '\0';
		top->view.typing = false;
		break;
	case '\r':
	case '\n':
		top->view.typing = false;
		break;
	case '\b':
	case '\177':
		if (length > 0)
			filter[length - 1] = '\0';
		break;
	default:
		if ((unsigned char)byte > ' ' && length + 1 < SNAPSHOT_FILTER) {
			filter[length] = byte;
			filter[length + 1] = '\0';
		}
		top->view.first = top->view.first_service = 0;
		break;
	}
}

/* True when something was pressed. */
static bool
take_keys(struct top *top)
{
	char bytes[64];
	const ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

	/* No terminal any more. */
	if (got == -1 && errno != EAGAIN && errno != EINTR)
		top->ended = true;
	for (size_t at = 0, used = 1; got > 0 && at < (size_t)got; at += used) {
		if (top->view.typing) {
			used = 1;
			top_type(top, bytes[at]);
		} else {
			top_act(top, terminal_key(bytes + at, (size_t)got - at, &used));
		}
	}
	return got > 0;
}

/* Blocked, so that they never end the program in the middle of drawing. */
static bool
is_signalled(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t pending;

	if (sigpending(&pending) == -1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (sigismember(&pending, numbers[i]) == 1)
			return true;
	return false;
}

static void
block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* Keys and the terminal's size, until it is time for the next look. */
static void
top_attend(struct top *top, uint64_t until)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };

	while (!top->ended && clock_us() / 1000 < until) {
		const uint64_t left = until - clock_us() / 1000;
		const int wait = left < WAKE_EVERY ? (int)left : WAKE_EVERY;
		const unsigned rows = top->view.rows, columns = top->view.columns;
		const bool pressed = poll(&keys, top->live ? 1 : 0, wait) > 0 && take_keys(top);

		/* The terminal is gone. */
		if (top->live && (keys.revents & (POLLHUP | POLLERR)) != 0)
			top->ended = true;
		if (top->live)
			terminal_size(&top->view.rows, &top->view.columns);
		if (pressed || rows != top->view.rows || columns != top->view.columns)
			top_draw(top);
		if (is_signalled())
			top->ended = true;
	}
}

static void
top_run(struct top *top)
{
	uint64_t next = clock_us() / 1000;

	while (!top->ended) {
		if (!top->view.paused)
			top_examine(top);
		/* Printed, trouble is an error; on a screen it is news. */
		if (!top->live && top->view.trouble != NULL) {
			fprintf(stderr, "dsrctl: %s\n", top->trouble);
			return;
		}
		top_draw(top);
		if (top->most > 0 && top->looks >= top->most)
			return;
		next = next + LOOK_EVERY > clock_us() / 1000 ? next + LOOK_EVERY : clock_us() / 1000 + LOOK_EVERY;
		top_attend(top, next);
	}
	top->status = CTL_OK;
}

static int
top_take_options(struct top *top, const struct arguments *given)
{
	const char *count = given->options[OPTION_COUNT];

	if (count == NULL || text_number(count, 1, UINT64_MAX, &top->most) == 0)
		return 0;
	fprintf(stderr, "dsrctl: --count takes a number of screens, from 1 on\n");
	return -1;
}

enum ctl_status
top(const struct wish *wish, const struct arguments *given)
{
	struct top top = { .wish = wish, .live = terminal_is_able() };
	struct terminal terminal;

	if (top_take_options(&top, given) == -1)
		return CTL_USAGE;
	top.view.colour = request_wants_colour();
	block_signals();
	if (top.live && terminal_open(&terminal) == -1) {
		fprintf(stderr, "dsrctl: the terminal: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	top_run(&top);
	if (top.live)
		terminal_close(&terminal);
	snapshot_clear(&top.snapshot);
	return top.status;
}
