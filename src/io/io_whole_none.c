/* SPDX-License-Identifier: ISC */
/* Where the capture's buffer has no slots: it takes every frame as it is. */
#include "config.h"

#include "io/io_whole.h"

#include <stddef.h>

#include "base/attr.h"

int
whole_snaplen(const char *iface UNUSED)
{
	return FRAME_MOST;
}

struct whole *
whole_open(int descriptor UNUSED)
{
	return NULL;
}

void
whole_close(struct whole *whole UNUSED)
{
}

bool
whole_fetch(struct whole *whole UNUSED, struct frame *frame UNUSED)
{
	return false;
}

void
whole_settle(struct whole *whole UNUSED, int count UNUSED)
{
}

int
whole_error(const struct whole *whole UNUSED)
{
	return 0;
}
