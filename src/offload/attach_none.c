/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/attach.h"

#include <errno.h>

int
attach_begin(int program UNUSED, const char *iface UNUSED, enum attach_place place UNUSED, int *link)
{
	*link = -1;
	return ENOTSUP;
}

void
attach_end(const char *iface UNUSED, enum attach_place place UNUSED)
{
}
