/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "os/os.h"

#include <sys/resource.h>
#include <limits.h>

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
