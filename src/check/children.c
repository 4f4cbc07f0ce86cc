/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/text.h"

#define ENVIRONMENT_MOST 16
/* execvp()'s and login's usual; nothing of the daemon's own environment goes on to programs. */
#define PATH_SAFE "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Between the polite signal and the last one. */
static const struct timeval grace = { 0, 500000 };

enum child_state {
	CHILD_RUNS = 0,
	CHILD_TERMINATED, /* SIGTERM was sent; SIGKILL follows in any case, for the rest of the group */
	CHILD_KILLED
};

struct child {
	struct children *children;
	struct child *next;
	struct child **link; /* what points to this one */
	uint32_t id;
	enum child_state state;
	struct event *timer;
	struct event *readable; /* NULL: output not wanted, or at its end */
	int out;
	child_ended *ended;
	void *context;
	size_t length;
	bool line_complete;
	char line[CHILD_LINE];
	size_t most; /* of the bytes wanted; 0: a line is, or nothing */
	size_t room;
	char *bytes;
	int lost;    /* errno: some of them could not be kept */
};

struct children {
	struct event_base *base;
	launcher_become *become;
	launcher_task *task;
	launcher_opener *opener; /* NULL: the daemon forks them itself, with the two above */
	void *context;
	struct launcher launcher;
	struct event *readable; /* the launcher's answers */
	uint32_t last_id;
	size_t order_size; /* 0: children_confine() was not called */
	char order[LAUNCHER_ORDER];
	union {
		max_align_t align;
		char bytes[LAUNCHER_OUTCOME];
	} outcome;
	struct child *first;
};

static void
close_output(struct child *child)
{
	if (child->readable != NULL)
		event_free(child->readable);
	child->readable = NULL;
	if (child->out != -1)
		(void)close(child->out);
	child->out = -1;
}

static void
child_free(struct child *child)
{
	close_output(child);
	if (child->timer != NULL)
		event_free(child->timer);
	if (child->link != NULL)
		*child->link = child->next;
	if (child->next != NULL)
		child->next->link = child->link;
	free(child->bytes);
	free(child);
}

bool
child_did_not_run(const struct child_end *end, char reason[CHILD_REASON])
{
	const char *separator = end->line == NULL || end->line[0] == '\0' ? "" : ": ";
	int status = end->status; /* NetBSD's WIFEXITED takes the address of what it is given */

	if (end->error != 0) {
		(void)snprintf(reason, CHILD_REASON, "%s", strerror(end->error));
		return true;
	}
	if (end->timed_out || !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127))
		return false;
	(void)snprintf(reason, CHILD_REASON, "exit status %d, a command %s%s%s", WEXITSTATUS(status),
	    WEXITSTATUS(status) == 127 ? "was not found" : "cannot be executed", separator, *separator == '\0' ? "" :
	    end->line);
	return true;
}

bool
child_failed(const struct child_end *end, const struct timeval *timeout, char reason[CHILD_REASON])
{
	int status = end->status; /* NetBSD's WIFEXITED takes the address of what it is given */

	if (child_did_not_run(end, reason))
		return true;
	if (end->timed_out)
		(void)snprintf(reason, CHILD_REASON, "it ran for more than %ld s and was ended", (long)timeout->tv_sec);
	else if (!WIFEXITED(status))
		(void)snprintf(reason, CHILD_REASON, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		(void)snprintf(reason, CHILD_REASON, "exit status %d", WEXITSTATUS(status));
	else
		return false;
	return true;
}

/* Reports the end, once; does nothing after child_forget(). */
static void
children_report(struct child *child, bool timed_out, int status, int error)
{
	child_ended *ended = child->ended;
	const struct child_end end = { timed_out, status, child->line, error != 0 ? error : child->lost, child->bytes,
		child->most > 0 ? child->length : 0 };

	child->ended = NULL;
	text_clean(child->line);
	if (ended != NULL)
		ended(child->context, &end);
}

static void
child_keep(struct child *child, const char *bytes, size_t length)
{
	if (child->lost != 0)
		return;
	if (length > child->most - child->length) {
		child->lost = EFBIG;
		return;
	}
	if (child->length + length > child->room) {
		const size_t room = (child->length + length) * 2;
		char *more = realloc(child->bytes, room);

		if (more == NULL) {
			child->lost = ENOMEM;
			return;
		}
		child->bytes = more;
		child->room = room;
	}
	memcpy(child->bytes + child->length, bytes, length);
	child->length += length;
}

static void
take_output(struct child *child, const char *bytes, size_t length)
{
	if (child->most > 0) {
		child_keep(child, bytes, length);
		return;
	}
	for (size_t i = 0; i < length && !child->line_complete; i++) {
		if (bytes[i] == '\n' || child->length == CHILD_LINE - 1)
			child->line_complete = true;
		else
			child->line[child->length++] = bytes[i];
	}
}

/* Reads all that is available; output beyond the first line is discarded, so that the program does not block. */
static void
children_drain(struct child *child)
{
	char bytes[1024];
	ssize_t got;

	if (child->out == -1)
		return;
	/* A limit, since a program may write faster than we read. */
	for (unsigned i = 0; i < 64; i++) {
		got = read(child->out, bytes, sizeof(bytes));
		if (got == -1 && errno == EINTR)
			continue;
		if (got == 0)
			close_output(child);
		if (got <= 0)
			return;
		take_output(child, bytes, (size_t)got);
	}
}

static void
on_output(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	children_drain(argument);
}

/* It is gone, or was never there. */
static void
children_end(struct child *child, const struct launcher_answer *answer)
{
	const bool failed = answer->result == LAUNCHER_FAILED;

	children_drain(child);
	children_report(child, child->state != CHILD_RUNS, failed ? 0 : answer->value, failed ? answer->value : 0);
	child_free(child);
}

/* What it started is gone with it. */
static void
lose_launcher(struct children *children)
{
	const struct launcher_answer answer = { LAUNCHER_FAILED, 0, EPIPE };

	if (children->readable != NULL)
		event_free(children->readable);
	children->readable = NULL;
	launcher_close(&children->launcher);
	while (children->first != NULL)
		children_end(children->first, &answer);
}

static void
on_answer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct children *children = argument;
	struct launcher_answer answer;
	struct child *child;
	int got = 0;

	/* A limit, as for output: programs may end faster than this is read. */
	for (unsigned i = 0; i < 64 && (got = launcher_answer(&children->launcher, &answer)) == 1; i++) {
		for (child = children->first; child != NULL && child->id != answer.id;)
			child = child->next;
		if (child != NULL)
			children_end(child, &answer);
	}
	if (got == -1)
		lose_launcher(children);
}

static int
open_launcher(struct children *children)
{
	const int result = children->opener != NULL ? children->opener(children->context, &children->launcher) :
	    launcher_open(&children->launcher, children->become, children->task);

	if (result == -1)
		return -1;
	children->readable = event_new(children->base, children->launcher.fd, EV_READ | EV_PERSIST, on_answer,
	    children);
	if (children->readable != NULL && event_add(children->readable, NULL) == 0)
		return 0;
	lose_launcher(children);
	errno = ENOMEM;
	return -1;
}

static void
children_terminate(struct child *child)
{
	if (child->state != CHILD_RUNS)
		return;
	child->state = CHILD_TERMINATED;
	if (launcher_signal(&child->children->launcher, child->id, SIGTERM) == -1) {
		/* The launcher is busy; SIGKILL follows soon. */
	}
	close_output(child);
	(void)event_add(child->timer, &grace);
}

static void
on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct child *child = argument;

	if (child->state == CHILD_RUNS) {
		children_terminate(child);
		children_report(child, true, 0, 0);
		return;
	}
	child->state = CHILD_KILLED;
	/* Its end is reported then. A launcher that takes no orders now gets this one later. */
	if (launcher_signal(&child->children->launcher, child->id, SIGKILL) == -1)
		(void)event_add(child->timer, &grace);
}

static struct children *
children_begin(struct event_base *base, const struct children *from)
{
	struct children *children = calloc(1, sizeof(*children));

	if (children == NULL)
		return NULL;
	*children = *from;
	children->base = base;
	if (open_launcher(children) == 0)
		return children;
	free(children);
	return NULL;
}

struct children *
children_new(struct event_base *base, launcher_become *become, launcher_task *task)
{
	return children_begin(base, &(const struct children) { .become = become, .task = task });
}

struct children *
children_new_from(struct event_base *base, launcher_opener *opener, void *context)
{
	return children_begin(base, &(const struct children) { .opener = opener, .context = context });
}

int
children_confine(struct children *children, const void *order, size_t size, char reason[LAUNCHER_REASON])
{
	children->order_size = size;
	memmove(children->order, order, size);
	return launcher_confine(&children->launcher, order, size, children->outcome.bytes, reason);
}

const void *
children_launcher(const struct children *children, pid_t *pid)
{
	*pid = children->launcher.pid;
	return children->launcher.fd == -1 || children->order_size == 0 ? NULL : children->outcome.bytes;
}

/* A launcher that was killed, by an operator or for lack of memory, is replaced when it is needed. */
static int
reopen_launcher(struct children *children)
{
	char reason[LAUNCHER_REASON];

	if (children->launcher.fd != -1)
		return 0;
	if (open_launcher(children) == -1)
		return -1;
	if (children->order_size == 0 || children_confine(children, children->order, children->order_size, reason) == 0)
		return 0;
	lose_launcher(children);
	errno = EPERM;
	return -1;
}

void
children_free(struct children *children)
{
	if (children == NULL)
		return;
	launcher_close(&children->launcher);
	while (children->first != NULL)
		child_free(children->first);
	if (children->readable != NULL)
		event_free(children->readable);
	free(children);
}

/* 0, or -1 with errno. */
static int
children_launch(struct children *children, const struct child_order *order, uint32_t id, int out)
{
	const char *environment[ENVIRONMENT_MOST + 2] = { PATH_SAFE };

	for (size_t i = 0; i < ENVIRONMENT_MOST && order->environment[i] != NULL; i++)
		environment[i + 1] = order->environment[i];
	return launcher_start(&children->launcher, id, order->argv, environment, out);
}

/* The pipe for its output: fds[0] is the child's struct's, fds[1] to be closed after the start. */
static int
open_output(struct child *child, int fds[2])
{
	if (pipe(fds) == -1)
		return -1;
	child->out = fds[0];
	(void)evutil_make_socket_closeonexec(fds[0]);
	(void)evutil_make_socket_closeonexec(fds[1]);
	(void)evutil_make_socket_nonblocking(fds[0]);
	child->readable = event_new(child->children->base, fds[0], EV_READ | EV_PERSIST, on_output, child);
	return child->readable == NULL || event_add(child->readable, NULL) == -1 ? -1 : 0;
}

struct child *
child_start(struct children *children, const struct child_order *order)
{
	struct child *child;
	int fds[2] = { -1, -1 };
	int reason;

	if (reopen_launcher(children) == -1)
		return NULL;
	child = calloc(1, sizeof(*child));
	if (child == NULL)
		return NULL;
	child->children = children;
	child->out = -1;
	child->ended = order->ended;
	child->context = order->context;
	child->most = order->wants_bytes;
	errno = ENOMEM;
	child->timer = event_new(children->base, -1, 0, on_timer, child);
	if (child->timer == NULL || ((order->wants_line || order->wants_bytes > 0) && open_output(child, fds) == -1) ||
	    event_add(child->timer, &order->timeout) == -1)
		goto fail;
	child->id = ++children->last_id;
	if (children_launch(children, order, child->id, fds[1]) == -1)
		goto fail;
	if (fds[1] != -1)
		(void)close(fds[1]);
	child->next = children->first;
	child->link = &children->first;
	if (child->next != NULL)
		child->next->link = &child->next;
	children->first = child;
	return child;
fail:
	reason = errno;
	if (fds[1] != -1)
		(void)close(fds[1]);
	child_free(child);
	errno = reason;
	return NULL;
}

void
child_forget(struct child *child)
{
	child->ended = NULL;
	children_terminate(child);
}
