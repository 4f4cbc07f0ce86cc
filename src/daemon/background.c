/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/background.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"

/* --- leaving the terminal --- */

/* What the daemon reports, as one byte. A socket that ends without it: the daemon died. */
static int
background_await_report(int fd)
{
	unsigned char status = EX_OSERR;
	ssize_t got;

	do
		got = read(fd, &status, sizeof(status));
	while (got < 0 && errno == EINTR);
	return got == sizeof(status) ? status : EX_OSERR;
}

/* Replace `fd` by /dev/null, so that no file opened later gets its number and a stray message. */
static void
background_discard(int fd)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (nothing < 0 || nothing == fd)
		return;
	(void)dup2(nothing, fd);
	(void)close(nothing);
}

/*
 * In the second process: start a session, then leave its leadership to a process that ends, so that no terminal can
 * become ours.
 */
static pid_t
background_leave_session(void)
{
	if (setsid() < 0)
		return -1;
	return fork();
}

int
background_start(struct background *background, char error[BACKGROUND_ERROR])
{
	int ends[2];
	pid_t pid;

	memset(background, 0, sizeof(*background));
	(void)fflush(NULL); /* else what is buffered comes out twice */
	/* Not a pipe: writing to a pipe without a reader raises SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (pid = fork()) < 0) {
		(void)snprintf(error, BACKGROUND_ERROR, "cannot detach: %s; with -F or -d dsrd stays in the foreground",
		    strerror(errno));
		return -1;
	}
	if (pid > 0) {
		(void)close(ends[1]);
		background->status = background_await_report(ends[0]);
		(void)close(ends[0]);
		return 1;
	}
	(void)close(ends[0]);
	pid = background_leave_session();
	if (pid != 0)
		_exit(pid > 0 ? EX_OK : EX_OSERR); /* a failure is seen by the end of the socket */
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	background_discard(STDIN_FILENO);
	background_discard(STDOUT_FILENO);
	background->detached = 1;
	background->report = ends[1];
	return 0;
}

static void
background_report(struct background *background, unsigned char status)
{
	while (send(background->report, &status, sizeof(status), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
	(void)close(background->report);
	background->detached = 0;
}

void
background_ready(struct background *background)
{
	if (!background->detached)
		return;
	if (chdir("/") != 0) {
		/* If this fails, a file system cannot be unmounted while dsrd runs: no reason to stop. */
	}
	background_report(background, EX_OK);
	background_discard(STDERR_FILENO);
}

void
background_failed(struct background *background, int status)
{
	if (background->detached)
		background_report(background, (unsigned char)status);
}

/* --- the pidfile --- */

struct pidfile {
	int fd;
	char *path; /* absolute: the working directory changes */
};

#define PID_TEXT 24 /* a 64-bit number, a newline and the end */

/* The number that the file holds, or 0. */
static uint64_t
pidfile_read(int fd)
{
	char text[PID_TEXT];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t pid;

	text[length > 0 ? length : 0] = '\0';
	if (text_number(text_trim(text), 1, INT32_MAX, &pid) != 0)
		return 0;
	return pid;
}

/* Is the locked file still the one of that name? Its last owner may have removed it between our open() and lock. */
static bool
pidfile_is_current(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
	    opened.st_ino == named.st_ino;
}

static void
pidfile_explain_lock(int fd, const char *path, char error[BACKGROUND_ERROR])
{
	uint64_t pid;

	if (errno != EWOULDBLOCK) {
		(void)snprintf(error, BACKGROUND_ERROR, "cannot lock pidfile %.200s: %s", path, strerror(errno));
		return;
	}
	pid = pidfile_read(fd);
	if (pid != 0)
		(void)snprintf(error, BACKGROUND_ERROR,
		    "dsrd is already running as process %llu (it holds %.200s): stop it"
		    " first (kill %llu), or give this one another pidfile with -p",
		    (unsigned long long)pid, path, (unsigned long long)pid);
	else
		(void)snprintf(error, BACKGROUND_ERROR,
		    "another dsrd holds pidfile %.200s: it is just starting, or stop it first", path);
	errno = EEXIST;
}

/* A locked descriptor of the file at `path`, or -1 with a reason. */
static int
pidfile_open_locked(const char *path, char error[BACKGROUND_ERROR])
{
	struct stat status;
	int fd, number;

	for (;;) {
		/* O_NONBLOCK: a FIFO in its place must not stop us. */
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
		if (fd < 0) {
			(void)snprintf(error, BACKGROUND_ERROR, "cannot open pidfile %.200s: %s", path,
			    errno == ELOOP ? "it is a symbolic link, which may lead anywhere: remove it" :
			    strerror(errno));
			return -1;
		}
		if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
			(void)snprintf(error, BACKGROUND_ERROR, "pidfile %.200s is not a regular file", path);
			errno = EINVAL;
			break;
		}
		/*
		 * In a directory that others may write into, one name may be theirs and the other a file to be
		 * overwritten.
		 */
		if (status.st_nlink > 1) {
			(void)snprintf(error, BACKGROUND_ERROR, "pidfile %.200s is a hard link to a file with another "
			    "name: remove it",
			    path);
			errno = EMLINK;
			break;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			pidfile_explain_lock(fd, path, error);
			break;
		}
		if (pidfile_is_current(fd, path))
			return fd;
		(void)close(fd);
	}
	number = errno;
	(void)close(fd);
	errno = number;
	return -1;
}

struct pidfile *
pidfile_open(const char *path, char error[BACKGROUND_ERROR])
{
	struct pidfile *pidfile = calloc(1, sizeof(*pidfile));

	if (pidfile == NULL) {
		(void)snprintf(error, BACKGROUND_ERROR, "out of memory");
		return NULL;
	}
	pidfile->fd = pidfile_open_locked(path, error);
	if (pidfile->fd < 0) {
		free(pidfile);
		return NULL;
	}
	pidfile->path = realpath(path, NULL);
	if (pidfile->path != NULL)
		return pidfile;
	(void)snprintf(error, BACKGROUND_ERROR, "cannot find pidfile %.200s again: %s", path, strerror(errno));
	pidfile_remove(pidfile);
	return NULL;
}

int
pidfile_write(struct pidfile *pidfile, char error[BACKGROUND_ERROR])
{
	char text[PID_TEXT];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(pidfile->fd, 0) == 0 && pwrite(pidfile->fd, text, (size_t)length, 0) == length)
		return 0;
	(void)snprintf(error, BACKGROUND_ERROR, "cannot write pidfile %.200s: %s", pidfile->path, strerror(errno));
	return -1;
}

void
pidfile_remove(struct pidfile *pidfile)
{
	if (pidfile == NULL)
		return;
	if ((pidfile->path == NULL || unlink(pidfile->path) != 0) && ftruncate(pidfile->fd, 0) != 0) {
		/* The file stays, empty. The lock is what counts, and it ends here. */
	}
	(void)close(pidfile->fd);
	free(pidfile->path);
	free(pidfile);
}

/* --- the service manager --- */

/*
 * The socket's address: a path, or in Linux's abstract space a name behind '@'. Its length, or 0 for what we don't
 * know.
 */
static socklen_t
notify_address(const char *text, struct sockaddr_un *address)
{
	size_t length = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || text[1] == '\0' || length >= sizeof(address->sun_path))
		return 0;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, length);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	/* An abstract name is all the bytes there are: no zero may follow it. */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (text[0] == '/'));
}

void
notify_open(struct notify *notify)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t length = text != NULL ? notify_address(text, &address) : 0;

	notify->fd = -1;
	(void)unsetenv("NOTIFY_SOCKET");
	if (length == 0)
		return;
	notify->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (notify->fd < 0)
		return;
	(void)fcntl(notify->fd, F_SETFD, FD_CLOEXEC);
	if (connect(notify->fd, (const struct sockaddr *)&address, length) != 0)
		notify_close(notify);
}

static void
notify_send(const struct notify *notify, const char *text)
{
	/* Do not wait for a manager that does not read. */
	if (notify->fd >= 0)
		(void)send(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
notify_ready(const struct notify *notify)
{
	char text[64];

	/* With the process number: after detaching, the process that was started no longer exists. */
	(void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld", (long)getpid());
	notify_send(notify, text);
}

void
notify_reloading(const struct notify *notify)
{
	char text[64];

	/* Services of Type=notify-reload must send the time (systemd.service(5)). */
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_us());
	notify_send(notify, text);
}

void
notify_stopping(const struct notify *notify)
{
	notify_send(notify, "STOPPING=1");
}

void
notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)close(notify->fd);
	notify->fd = -1;
}
