/* SPDX-License-Identifier: ISC */
/* What only bpf(4) can. */
#include "config.h"

#include "os/os.h"

#include <errno.h>

int
os_complete_headers(int fd UNUSED)
{
	return 0; /* they always are */
}

size_t
os_capture_buffer(int fd UNUSED, char *fix UNUSED, size_t size UNUSED)
{
	return 0; /* as large as requested */
}

bool
os_can_lock(void)
{
	return false;
}

int
os_lock_capture(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

int
os_lock_sender(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

int
os_withhold(int *fd UNUSED, const char *iface UNUSED, const struct mac *mac UNUSED, const struct addr *addresses UNUSED,
    size_t count UNUSED)
{
	errno = ENOTSUP;
	return -1;
}
