/* SPDX-License-Identifier: ISC */
/* Where nobody tells, one looks every few seconds. */
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
os_news_read(int fd UNUSED)
{
	return false;
}
