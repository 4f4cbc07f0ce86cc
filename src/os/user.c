/* SPDX-License-Identifier: ISC */
/* The user that the daemon becomes. */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define NAME 33 /* bytes, with the end: useradd(8) allows 32 */

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
