/* SPDX-License-Identifier: ISC */
/* Giving up root where it cannot be divided: what is open stays open, and nothing more can be opened. */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
os_drop_root(const char *user, char error[OS_ERROR])
{
	struct os_user wanted;
	char name[OS_ERROR];

	if (user == NULL)
		return 0;
	if (os_user_find(user, &wanted, error) != 0)
		return -1;
	if (geteuid() != 0 && geteuid() == wanted.uid)
		return 0;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(user, ":"), user);
	/* macOS has the group as an int. */
	if (initgroups(name, (int)wanted.gid) != 0 || setgid(wanted.gid) != 0 || setuid(wanted.uid) != 0) {
		(void)snprintf(error, OS_ERROR,
		    "cannot become user %.64s: %s: start dsrd as root, or as that user", user,
		    strerror(errno));
		return -1;
	}
	return 0;
}

/* What cannot be divided is gone with root. */
int
os_drop_rights(char error[OS_ERROR] UNUSED)
{
	return 0;
}
