/* SPDX-License-Identifier: ISC */
/*
 * Becoming a daemon: leaves the terminal, locks the pidfile, and notifies the starting process when ready. None of it
 * needs an event loop, and background_start() must come before there is one: a kqueue does not survive fork().
 *
 *	notify_open(&notify);
 *	if (detach)
 *		switch (background_start(&background, error)) ...      0 in the daemon: go on
 *	pidfile = pidfile_open(path, error); pidfile_write(pidfile, error);
 *	... open interfaces, drop root ...
 *	background_ready(&background); notify_ready(&notify);
 */
#ifndef DAEMON_BACKGROUND_H
#define DAEMON_BACKGROUND_H

#include "base/attr.h"

#define BACKGROUND_ERROR 512

/*
 * All zero (a process that does not detach) is fine for background_ready() and background_failed(), which do nothing.
 */
struct background {
	int detached;
	int report; /* the socket to the first process */
	int status; /* in the first process: what it should exit with */
};

/*
 * Continues in a new process without terminal. Returns 0 in that process, whose standard error is still the old one so
 * that errors at startup are visible. Returns 1 in the first one, after the new one is ready, has failed or died:
 * return background->status from main() immediately, and touch nothing. -1 with a reason when the process cannot be
 * created.
 */
NODISCARD int background_start(struct background *background, char error[BACKGROUND_ERROR]);
/*
 * The daemon serves: the first process exits with 0. Standard error goes to /dev/null and the working directory is /,
 * so relative paths (of the configuration, for a reload) must have been made absolute.
 */
void background_ready(struct background *background);
/* The daemon is about to exit with `status`: so will the first process. */
void background_failed(struct background *background, int status);

struct pidfile;

/*
 * Creates and locks the pidfile; the lock stays with this process and its children. NULL with a reason, errno EEXIST
 * when another process holds it: the reason has its number. Follows no symbolic link at the end of `path`.
 */
NODISCARD struct pidfile *pidfile_open(const char *path, char error[BACKGROUND_ERROR]);
/* Writes this process's number: after background_start(). 0 or -1. */
NODISCARD int pidfile_write(struct pidfile *pidfile, char error[BACKGROUND_ERROR]);
/* Removes the file, or empties it where the directory is root's and root was dropped. NULL is fine. Frees `pidfile`. */
void pidfile_remove(struct pidfile *pidfile);

/* A service manager that waits for notification (sd_notify(3)). Without one, these do nothing. */
struct notify {
	int fd; /* -1: not wanted */
};

/* Reads NOTIFY_SOCKET and removes it from the environment: children must not notify in our name. */
void notify_open(struct notify *notify);
void notify_ready(const struct notify *notify);
/* Before a reload; notify_ready() ends it. */
void notify_reloading(const struct notify *notify);
void notify_stopping(const struct notify *notify);
void notify_close(struct notify *notify);

#endif
