/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/iface_lock.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PATH_ROOM 256
#define PID_ROOM 24

struct iface_lock {
	int fd;
	char path[PATH_ROOM];
};

/* A network namespace has interfaces and VIPs of its own; 0 on systems without. See namespaces(7). */
static uintmax_t
iface_lock_network_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? (uintmax_t)st.st_ino : 0;
}

static const char *
iface_lock_directory(void)
{
	static const char *const candidates[] = { RUNSTATEDIR, "/run", "/var/run" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (stat(candidates[i], &st) == 0 && S_ISDIR(st.st_mode))
			return candidates[i];
	return candidates[ARRAY_LEN(candidates) - 1];
}

/* Its last owner may have removed it between open and lock. */
static bool
iface_lock_is_current(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
	    opened.st_ino == named.st_ino;
}

static void
iface_lock_explain_holder(int fd, const char *iface, char error[IFACE_LOCK_ERROR])
{
	char text[PID_ROOM] = "";
	uint64_t pid;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0 && text_number(text_trim(text), 1, INT32_MAX, &pid) == 0)
		(void)snprintf(error, IFACE_LOCK_ERROR, "another dsrd, process %" PRIu64 ", works on %s: stop it (kill %" PRIu64
		    "), or take the interface out of one of the two configurations", pid, iface, pid);
	else
		(void)snprintf(error, IFACE_LOCK_ERROR, "another dsrd works on %s, and is just starting", iface);
}

/* 0, or -1 with a reason and errno. */
static int
iface_lock_open_file(struct iface_lock *lock, const char *iface, char error[IFACE_LOCK_ERROR])
{
	struct stat st;

	for (;;) {
		/* O_NONBLOCK: a FIFO in its place must not stop us. */
		lock->fd = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
		if (lock->fd == -1 || fstat(lock->fd, &st) == -1 || !S_ISREG(st.st_mode))
			break;
		if (flock(lock->fd, LOCK_EX | LOCK_NB) == -1) {
			if (errno != EWOULDBLOCK)
				break;
			iface_lock_explain_holder(lock->fd, iface, error);
			(void)close(lock->fd);
			errno = EEXIST;
			return -1;
		}
		if (iface_lock_is_current(lock->fd, lock->path))
			return 0;
		(void)close(lock->fd);
	}
	(void)snprintf(error, IFACE_LOCK_ERROR, "%.150s: %s", lock->path, lock->fd == -1 ? strerror(errno) :
	    "it is not a regular file");
	if (lock->fd != -1) {
		(void)close(lock->fd);
		errno = EINVAL;
	}
	return -1;
}

struct iface_lock *
iface_lock_take(const char *iface, char error[IFACE_LOCK_ERROR])
{
	struct iface_lock *lock = calloc(1, sizeof(*lock));
	char text[PID_ROOM];
	int length, reason;

	if (lock == NULL) {
		(void)snprintf(error, IFACE_LOCK_ERROR, "out of memory");
		return NULL;
	}
	(void)snprintf(lock->path, sizeof(lock->path), "%s/dsrd-%s-%ju.lock", iface_lock_directory(), iface, iface_lock_network_namespace());
	if (iface_lock_open_file(lock, iface, error) == -1) {
		reason = errno;
		free(lock);
		errno = reason;
		return NULL;
	}
	length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(lock->fd, 0) == -1 || pwrite(lock->fd, text, (size_t)length, 0) != length) {
		/* The lock is what counts; without the number the other one's message is shorter. */
	}
	return lock;
}

void
iface_lock_release(struct iface_lock *lock)
{
	if (lock == NULL)
		return;
	/* Before the lock goes: else it could be the next one's. */
	(void)unlink(lock->path);
	(void)close(lock->fd);
	free(lock);
}
