/* SPDX-License-Identifier: ISC */
/* For systems where frames for VIPs cannot be kept from the host's network stack. */
#include "config.h"

#include "offload/withhold.h"

#include <stdio.h>

struct withhold *
withhold_open(const struct attacher *attacher UNUSED, char error[WITHHOLD_ERROR])
{
	(void)snprintf(error, WITHHOLD_ERROR, "this dsrd was built without BPF: see what ./configure --with-bpf says");
	return NULL;
}

void
withhold_close(struct withhold *withhold UNUSED)
{
}

int
withhold_begin(struct withhold *withhold UNUSED, size_t number UNUSED, const char *iface UNUSED,
    char error[WITHHOLD_ERROR])
{
	error[0] = '\0';
	return -1;
}

void
withhold_end(struct withhold *withhold UNUSED, size_t number UNUSED)
{
}

size_t
withhold_set(struct withhold *withhold UNUSED, const struct withheld_vip *vips UNUSED, size_t count)
{
	return count;
}

void
withhold_beat(struct withhold *withhold UNUSED)
{
}
