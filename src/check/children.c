/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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
	CHILD_TERMINATED, /* SIGTERM was sent. Not reaped before SIGKILL, so that the group's number is not reused */
	CHILD_KILLED
};

struct child {
	struct children *children;
	struct child *next;
	struct child **link; /* what points to this one */
	pid_t pid;
	enum child_state state;
	struct event *timer;
	struct event *readable; /* NULL: output not wanted, or at its end */
	int out;
	child_ended *ended;
	void *context;
	size_t length;
	bool line_complete;
	char line[CHILD_LINE];
};

struct children {
	struct event_base *base;
	struct event *signal;
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
	free(child);
}

/* Reports the end, once; does nothing after child_forget(). */
static void
tell(struct child *child, bool timed_out, int status)
{
	child_ended *ended = child->ended;
	const struct child_end end = { timed_out, status, child->line };

	child->ended = NULL;
	text_clean(child->line);
	if (ended != NULL)
		ended(child->context, &end);
}

static void
take_output(struct child *child, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && !child->line_complete; i++) {
		if (bytes[i] == '\n' || child->length == CHILD_LINE - 1)
			child->line_complete = true;
		else
			child->line[child->length++] = bytes[i];
	}
}

/* Reads all that is available; output beyond the first line is discarded, so that the program does not block. */
static void
drain(struct child *child)
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
	drain(argument);
}

static void
signal_group(const struct child *child, int number)
{
	/* Before it has made its group there is only itself. */
	if (kill(-child->pid, number) == -1)
		(void)kill(child->pid, number);
}

/* Reaps it if it is dead; then it is gone. */
static void
reap(struct child *child)
{
	int status = 0;
	const pid_t pid = waitpid(child->pid, &status, WNOHANG);

	if (pid == 0 || (pid == -1 && errno == EINTR))
		return;
	drain(child);
	tell(child, child->state != CHILD_RUNS, status);
	child_free(child);
}

static void
on_signal(evutil_socket_t number UNUSED, short what UNUSED, void *argument)
{
	struct children *children = argument;
	struct child *next;

	/* A callback may start another child, in front; it frees none but its own. */
	for (struct child *child = children->first; child != NULL; child = next) {
		next = child->next;
		if (child->state != CHILD_TERMINATED)
			reap(child);
	}
}

static void
terminate(struct child *child)
{
	if (child->state != CHILD_RUNS)
		return;
	child->state = CHILD_TERMINATED;
	signal_group(child, SIGTERM);
	close_output(child);
	(void)event_add(child->timer, &grace);
}

static void
on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct child *child = argument;

	if (child->state == CHILD_RUNS) {
		terminate(child);
		tell(child, true, 0);
		return;
	}
	child->state = CHILD_KILLED;
	signal_group(child, SIGKILL);
	reap(child);
}

struct children *
children_new(struct event_base *base)
{
	struct children *children = calloc(1, sizeof(*children));

	if (children == NULL)
		return NULL;
	children->base = base;
	children->signal = evsignal_new(base, SIGCHLD, on_signal, children);
	if (children->signal == NULL || event_add(children->signal, NULL) == -1) {
		if (children->signal != NULL)
			event_free(children->signal);
		free(children);
		return NULL;
	}
	return children;
}

void
children_free(struct children *children)
{
	if (children == NULL)
		return;
	while (children->first != NULL) {
		signal_group(children->first, SIGKILL);
		(void)waitpid(children->first->pid, NULL, WNOHANG);
		child_free(children->first);
	}
	event_free(children->signal);
	free(children);
}

/*
 * What this project opens is closed at exec; this is for what libraries opened. The lowest numbers are taken first, so
 * a stretch without any is the end.
 */
static void
mark_descriptors(void)
{
	unsigned misses = 0;

	for (int fd = STDERR_FILENO + 1; misses < 64; fd++) {
		const int flags = fcntl(fd, F_GETFD);

		misses = flags == -1 ? misses + 1 : 0;
		if (flags != -1 && (flags & FD_CLOEXEC) == 0)
			(void)fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
	}
}

/* 0 or an error number. `out`: where standard output goes; -1: nowhere. */
static int
fill_actions(posix_spawn_file_actions_t *actions, int out)
{
	int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (error == 0)
		error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (error == 0 && out == -1)
		error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	else if (error == 0)
		error = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	return error;
}

/* A group of its own, and signals as they are from the beginning. 0 or an error number. */
static int
fill_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int error = posix_spawnattr_setflags(attributes,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

	sigfillset(&all);
	/* These two cannot be changed, and some systems reject the attempt. */
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	sigemptyset(&none);
	if (error == 0)
		error = posix_spawnattr_setpgroup(attributes, 0);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (error == 0)
		error = posix_spawnattr_setsigmask(attributes, &none);
	return error;
}

/* The process, or -1 with errno set. posix_spawn() does not copy the flow table's page tables, as fork() would. */
static pid_t
spawn(const struct child_order *order, int out)
{
	const char *environment[ENVIRONMENT_MOST + 2] = { PATH_SAFE };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = -1;
	int error;

	for (size_t i = 0; i < ENVIRONMENT_MOST && order->environment[i] != NULL; i++)
		environment[i + 1] = order->environment[i];
	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		goto out;
	error = posix_spawnattr_init(&attributes);
	if (error != 0)
		goto free_actions;
	error = fill_actions(&actions, out);
	if (error == 0)
		error = fill_attributes(&attributes);
	mark_descriptors();
	/* POSIX promises that it writes into neither list. */
	if (error == 0)
		error = posix_spawn(&pid, order->argv[0], &actions, &attributes, (char *const *)(uintptr_t)order->argv,
		    (char *const *)(uintptr_t)environment);
	posix_spawnattr_destroy(&attributes);
free_actions:
	posix_spawn_file_actions_destroy(&actions);
out:
	errno = error;
	return error == 0 ? pid : -1;
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
	struct child *child = calloc(1, sizeof(*child));
	int fds[2] = { -1, -1 };
	int reason;

	if (child == NULL)
		return NULL;
	child->children = children;
	child->out = -1;
	child->ended = order->ended;
	child->context = order->context;
	errno = ENOMEM;
	child->timer = event_new(children->base, -1, 0, on_timer, child);
	if (child->timer == NULL || (order->wants_line && open_output(child, fds) == -1) ||
	    event_add(child->timer, &order->timeout) == -1)
		goto fail;
	child->pid = spawn(order, fds[1]);
	if (child->pid == -1)
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
	terminate(child);
}
