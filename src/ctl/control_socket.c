/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

static int
control_socket_create(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Does a program listen there? A full queue (EAGAIN) means yes, too. */
static bool
is_answered(const struct sockaddr_un *address)
{
	int fd = control_socket_create();
	bool answered = true;

	if (fd == -1)
		return true;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == -1)
		answered = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return answered;
}

/* Makes way for a new socket. 0, or -1 with errno and a reason. */
static int
clear_way(const struct sockaddr_un *address, char error[CONTROL_ERROR])
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status) == -1) {
		if (errno == ENOENT)
			return 0;
		snprintf(error, CONTROL_ERROR, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISSOCK(status.st_mode)) {
		snprintf(error, CONTROL_ERROR, "%s exists and is not a socket: remove it, or set `control` to "
		    "another path", path);
		errno = EEXIST;
		return -1;
	}
	if (is_answered(address)) {
		snprintf(error, CONTROL_ERROR, "another dsrd answers on %s: stop it first, or give this one another "
		    "`control` path", path);
		errno = EADDRINUSE;
		return -1;
	}
	if (unlink(path) == -1) {
		snprintf(error, CONTROL_ERROR, "cannot remove %s, left by a dsrd that is gone: %s", path,
		    strerror(errno));
		return -1;
	}
	return 0;
}

/* The mode is right from the start: at no moment could others connect. */
static int
bind_private(int fd, const struct sockaddr_un *address)
{
	const mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	const int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	const int number = errno;

	umask(before);
	errno = number;
	return result;
}

static int
open_to_group(const char *path, const char *group, char error[CONTROL_ERROR])
{
	const struct group *found = getgrnam(group);

	if (found == NULL) {
		snprintf(error, CONTROL_ERROR, "group `%s` (control-group) does not exist: create it, with `groupadd %s` or "
		    "what your system has", group, group);
		errno = ENOENT;
		return -1;
	}
	if (chown(path, (uid_t)-1, found->gr_gid) == -1 || chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == -1) {
		snprintf(error, CONTROL_ERROR, "cannot give %s to group %s: %s", path, group, strerror(errno));
		return -1;
	}
	return 0;
}

int
control_socket(const char *path, const char *group, char error[CONTROL_ERROR])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, number;

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, CONTROL_ERROR, "the path %.300s is too long for a socket: at most %zu bytes", path,
		    sizeof(address.sun_path) - 1);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (clear_way(&address, error) == -1)
		return -1;
	fd = control_socket_create();
	if (fd == -1 || bind_private(fd, &address) == -1) {
		number = errno;
		snprintf(error, CONTROL_ERROR, "cannot make the socket %s: %s%s", path, strerror(number),
		    number == ENOENT ? " (is the directory there?)" : "");
	} else if (group[0] != '\0' && open_to_group(path, group, error) == -1) {
		number = errno;
		unlink(path);
	} else {
		return fd;
	}
	if (fd != -1)
		close(fd);
	errno = number;
	return -1;
}
