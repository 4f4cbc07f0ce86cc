/* SPDX-License-Identifier: ISC */
/* Where there is no BPF: every frame goes through dsrd itself. */
#include "config.h"

#include "offload/fast_path.h"

#include <stdio.h>

struct fast_path *
fast_path_open(uint32_t connections UNUSED, char error[FAST_PATH_ERROR])
{
	(void)snprintf(error, FAST_PATH_ERROR, "this dsrd was built without BPF: configure --with-bpf says what is missing");
	return NULL;
}

void
fast_path_close(struct fast_path *path UNUSED)
{
}

const struct carry_memory *
fast_path_memory(const struct fast_path *path UNUSED)
{
	return NULL;
}

enum fast_path_kind
fast_path_attach(struct fast_path *path UNUSED, size_t number UNUSED, const char *iface UNUSED, int capture UNUSED,
    bool xdp UNUSED, char error[FAST_PATH_ERROR])
{
	error[0] = '\0';
	return FAST_PATH_OFF;
}

enum fast_path_kind
fast_path_kind(const struct fast_path *path UNUSED, size_t number UNUSED)
{
	return FAST_PATH_OFF;
}

bool
fast_path_decides(const struct fast_path *path UNUSED, size_t number UNUSED, int capture UNUSED)
{
	return false;
}

uint32_t
fast_path_ifindex(const char *iface UNUSED)
{
	return 0;
}

void
fast_path_settle(void)
{
}

void
fast_path_detach(struct fast_path *path UNUSED, size_t number UNUSED, int capture UNUSED)
{
}

bool
fast_path_try(const struct fast_path *path UNUSED, uint8_t *frame UNUSED, uint32_t length UNUSED)
{
	return false;
}

const char *
fast_path_library(void)
{
	return "no BPF";
}
