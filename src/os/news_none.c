/* SPDX-License-Identifier: ISC */
/* Without notifications the caller polls every few seconds. */
#include "config.h"

#include "os/os.h"

#include <errno.h>

int
os_news_open(void)
{
	errno = ENOTSUP;
	return -1;
}

bool
os_news_read(int fd UNUSED, bool routes UNUSED)
{
	return false;
}
