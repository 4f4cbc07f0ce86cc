/* SPDX-License-Identifier: ISC */
/*
 * Programs run by the daemon: check scripts and `notify`. Each leads its own process group, inherits no descriptor but
 * /dev/null and perhaps a pipe, and is killed with its whole group after its timeout. A process beside the daemon
 * starts them (launcher.h), so nothing here blocks.
 */
#ifndef CHECK_CHILDREN_H
#define CHECK_CHILDREN_H

#include <stdbool.h>
#include <sys/time.h>

#include "base/attr.h"
#include "check/launcher.h"

struct child;
struct children;
struct event_base;

#define CHILD_LINE 128 /* of its output, with the end */

struct child_end {
	bool timed_out;   /* the group was killed; `status` is meaningless */
	int status;       /* of waitpid() */
	const char *line; /* the first line on standard output, if that was wanted, after text_clean(); may be empty */
	int error;        /* errno: it did not start, and `status` means nothing; 0: it ran */
	const char *bytes; /* its whole output, if that was wanted, and not more than was wanted */
	size_t length;
};

/*
 * True if the program, or the command that its last line started, did not run: this host's fault, which says nothing
 * about a server. Exit status 126 and 127 mean that too: "cannot be executed" and "not found" (POSIX, Shell Command
 * Language, 2.8.2), in a shell, in env(1) and in a posix_spawn() that finds out too late. Then `reason` says why.
 */
#define CHILD_REASON (CHILD_LINE + 64)
bool child_did_not_run(const struct child_end *end, char reason[CHILD_REASON]);
/* True unless it ran and exited with status 0. Then `reason` says why; `timeout` is the order's. */
bool child_failed(const struct child_end *end, const struct timeval *timeout, char reason[CHILD_REASON]);

typedef void child_ended(void *context, const struct child_end *end);

struct child_order {
	const char *const *argv;        /* NULL at the end; argv[0] is an absolute path, or the name of a task */
	const char *const *environment; /* NULL at the end; nothing else is in it but PATH */
	struct timeval timeout;
	bool wants_line;
	child_ended *ended; /* called once, but never after child_forget(); NULL: not needed */
	void *context;
	size_t wants_bytes; /* so many bytes of output at most, and no line; with more it fails with EFBIG */
};

/*
 * Forks the launcher, so call it while the process is small. `base` must outlive it. With `become`, no program starts
 * before children_confine(). NULL with errno.
 */
/* The same with launchers from elsewhere. */
NODISCARD struct children *children_new_from(struct event_base *base, launcher_opener *opener, void *context);
NODISCARD struct children *children_new(struct event_base *base, launcher_become *become, launcher_task *task);
/*
 * Programs may be started from now on. `order` goes to `become`, `size` at most LAUNCHER_ORDER. 0, or -1 with a
 * reason.
 */
NODISCARD int children_confine(struct children *children, const void *order, size_t size, char reason[LAUNCHER_REASON]);
/* The launcher's process, and what its `become` said; NULL: there is none at the moment. */
const void *children_launcher(const struct children *children, pid_t *pid);
/* Kills what runs. */
void children_free(struct children *children);
/* NULL with errno set. Everything in the order is copied. That a program does not start may be said by its end. */
NODISCARD struct child *child_start(struct children *children, const struct child_order *order);
/* Its end does not matter any more, and is to come soon. */
void child_forget(struct child *child);

#endif
