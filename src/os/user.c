/* SPDX-License-Identifier: ISC */
/*
 * Users: the one that the daemon becomes, and the one at the other end of a socket; and how many files a process may
 * open.
 */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME OS_USER_NAME
#define PASSWD "/etc/passwd"
#define LINE_ROOM 1024

/* passwd(5): name:password:uid:... False unless the line is of this user, and the name fits. */
static bool
is_line_of(const char *line, uid_t uid, char name[OS_USER_NAME])
{
	const size_t length = strcspn(line, ":");
	const char *number = line + length;
	char *end;

	if (length == 0 || length >= OS_USER_NAME || *number != ':' || (number = strchr(number + 1, ':')) == NULL)
		return false;
	if (strtoumax(number + 1, &end, 10) != uid || end == number + 1 || *end != ':')
		return false;
	memcpy(name, line, length);
	name[length] = '\0';
	return true;
}

void
os_user_name(uid_t uid, char name[OS_USER_NAME])
{
	FILE *file = fopen(PASSWD, "re");
	char line[LINE_ROOM];
	bool found = false;

	while (!found && file != NULL && fgets(line, sizeof(line), file) != NULL)
		found = is_line_of(line, uid, name);
	if (!found)
		name[0] = '\0';
	if (file != NULL)
		(void)fclose(file);
}

int
os_user_find(const char *user, struct os_user *found, char error[OS_ERROR])
{
	size_t length = strcspn(user, ":");
	char name[NAME], command[OS_ERROR / 2];
	const struct passwd *passwd;

	if (length == 0 || length >= sizeof(name) || (user[length] == ':' && user[length + 1] == '\0')) {
		(void)snprintf(error, OS_ERROR, "user `%.100s` must be a name, or name:group", user);
		errno = EINVAL;
		return -1;
	}
	memcpy(name, user, length);
	name[length] = '\0';
	passwd = getpwnam(name);
	if (passwd == NULL) {
		os_command(OS_USER_ADD, "", name, command, sizeof(command));
		(void)snprintf(error, OS_ERROR,
		    "no user `%s` on this host: create it (%s), or name another with `user` or -u", name, command);
		errno = ENOENT;
		return -1;
	}
	found->uid = passwd->pw_uid;
	found->gid = passwd->pw_gid;
	if (user[length] == ':') {
		const struct group *group = getgrnam(user + length + 1);

		if (group == NULL) {
			(void)snprintf(name, sizeof(name), "%s", user + length + 1);
			os_command(OS_GROUP_ADD, "", name, command, sizeof(command));
			(void)snprintf(error, OS_ERROR,
			    "no group `%s` on this host: create it (%s), or name another with `user` or -u", name,
			    command);
			errno = ENOENT;
			return -1;
		}
		found->gid = group->gr_gid;
	}
	return 0;
}

/* The user at the other end of a Unix socket. There is no standard call for it. */
#if defined(HAVE_GETPEEREID)

int
os_peer_user(int fd, uid_t *uid)
{
	gid_t gid;

	return getpeereid(fd, uid, &gid);
}

#elif defined(SO_PEERCRED)

int
os_peer_user(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1)
		return -1;
	*uid = peer.uid;
	return 0;
}

#else
#error "this system has neither getpeereid() nor SO_PEERCRED: add its call for a peer's user to os/user.c"
#endif

int
os_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	if (limit.rlim_cur == limit.rlim_max)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return 0;
#ifdef OPEN_MAX
	/* macOS: the hard limit is infinite, and more than this is refused (setrlimit(2) there). */
	limit.rlim_cur = OPEN_MAX;
	return setrlimit(RLIMIT_NOFILE, &limit);
#else
	return -1;
#endif
}
