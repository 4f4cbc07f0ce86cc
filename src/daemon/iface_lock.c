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

/* The first where this process may write. */
static void
iface_lock_directory(const char *control, char directory[PATH_ROOM])
{
	static const char *const candidates[] = { RUNSTATEDIR, "/run", "/var/run" };
	const char *slash = strrchr(control, '/');

	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		(void)snprintf(directory, PATH_ROOM, "%s", candidates[i]);
		if (access(directory, W_OK | X_OK) == 0)
			return;
	}
	if (slash != NULL)
		(void)snprintf(directory, PATH_ROOM, "%.*s", slash == control ? 1 : (int)(slash - control), control);
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
		(void)snprintf(error, IFACE_LOCK_ERROR, "another dsrd, process %" PRIu64 ", works on %s: stop it (kill "
		    "%" PRIu64
		    "), or take the interface out of one of the two configurations", pid, iface, pid);
	else
		(void)snprintf(error, IFACE_LOCK_ERROR, "another dsrd works on %s, and is just starting", iface);
}

/* Another user could hold it for as long as that user likes. */
static int
iface_lock_refuse(struct iface_lock *lock, char error[IFACE_LOCK_ERROR])
{
	(void)snprintf(error, IFACE_LOCK_ERROR, "the lock %.120s belongs to another user: remove it", lock->path);
	if (lock->fd != -1)
		(void)close(lock->fd);
	errno = EPERM;
	return -1;
}

/* 0, or -1 with a reason and errno. */
static int
iface_lock_open(struct iface_lock *lock, const char *iface, char error[IFACE_LOCK_ERROR])
{
	struct stat st;

	for (;;) {
		/* O_NONBLOCK: a FIFO in its place must not stop us. */
		lock->fd = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
		if (lock->fd == -1 && errno == EACCES && lstat(lock->path, &st) == 0 && st.st_uid != 0 &&
		    st.st_uid != geteuid())
			return iface_lock_refuse(lock, error);
		if (lock->fd == -1 || fstat(lock->fd, &st) == -1 || !S_ISREG(st.st_mode))
			break;
		if (st.st_uid != 0 && st.st_uid != geteuid())
			return iface_lock_refuse(lock, error);
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
	(void)snprintf(error, IFACE_LOCK_ERROR, "no lock, so a second dsrd would not be noticed: %.120s: %s",
	    lock->path, lock->fd == -1 ? strerror(errno) :
	    "it is not a regular file");
	if (lock->fd != -1) {
		(void)close(lock->fd);
		errno = EINVAL;
	}
	return -1;
}

struct iface_lock *
iface_lock_take(const char *iface, pid_t holder, const char *control, char error[IFACE_LOCK_ERROR])
{
	struct iface_lock *lock = calloc(1, sizeof(*lock));
	char text[PID_ROOM], directory[PATH_ROOM];
	int length, reason;

	if (lock == NULL) {
		(void)snprintf(error, IFACE_LOCK_ERROR, "out of memory");
		return NULL;
	}
	iface_lock_directory(control, directory);
	(void)snprintf(lock->path, sizeof(lock->path), "%.150s/dsrd-%s-%ju.lock", directory, iface,
	    iface_lock_network_namespace());
	if (iface_lock_open(lock, iface, error) == -1) {
		reason = errno;
		free(lock);
		errno = reason;
		return NULL;
	}
	length = snprintf(text, sizeof(text), "%ld\n", (long)holder);
	if (ftruncate(lock->fd, 0) == -1 || pwrite(lock->fd, text, (size_t)length, 0) != length) {
		/* The lock is what counts; without the number the other one's message is shorter. */
	}
	return lock;
}

int
iface_lock_give(struct iface_lock *lock)
{
	const int fd = lock->fd;

	lock->fd = -1;
	return fd;
}

struct iface_lock *
iface_lock_given(int fd)
{
	struct iface_lock *lock = calloc(1, sizeof(*lock));

	if (lock == NULL)
		(void)close(fd);
	else
		lock->fd = fd;
	return lock;
}

void
iface_lock_release(struct iface_lock *lock)
{
	if (lock == NULL)
		return;
	/* Before the lock is released: after it, the file may be the next owner's. */
	if (lock->path[0] != '\0')
		(void)unlink(lock->path);
	if (lock->fd != -1)
		(void)close(lock->fd);
	free(lock);
}
