/* SPDX-License-Identifier: ISC */
/* closefrom(3) of the BSDs and glibc 2.34, close_range(2) of Linux 5.9, or what /proc or /dev/fd list. */
#include "config.h"

#include "compat/close_from.h"

#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <unistd.h>

#include "base/text.h"

#ifdef HAVE_CLOSEFROM
void
close_from(int first)
{
	closefrom(first);
}
#else

/* Every descriptor below the largest number there may be: the last resort. */
static void
close_all(int first)
{
	struct rlimit limit = { 65536, 65536 };

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (rlim_t fd = (rlim_t)first; fd < limit.rlim_cur && fd < INT_MAX; fd++)
		(void)close((int)fd);
}

static int
close_listed(const char *path, int first)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (directory == NULL)
		return -1;
	while ((entry = readdir(directory)) != NULL) {
		uint64_t fd;

		if (text_number(entry->d_name, (uint64_t)first, INT_MAX, &fd) == 0 && (int)fd != dirfd(directory))
			(void)close((int)fd);
	}
	(void)closedir(directory);
	return 0;
}

void
close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
		return;
#endif
	if (close_listed("/proc/self/fd", first) == -1 && close_listed("/dev/fd", first) == -1)
		close_all(first);
}
#endif
