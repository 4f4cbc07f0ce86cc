/* SPDX-License-Identifier: ISC */
/* Without BPF: every frame goes through dsrd itself. */
#include "config.h"

#include "offload/bpf_offload.h"

#include <stdio.h>

struct bpf_offload *
bpf_offload_open(uint32_t connections UNUSED, const struct attacher *attacher UNUSED, char error[BPF_OFFLOAD_ERROR])
{
	(void)snprintf(error, BPF_OFFLOAD_ERROR,
	    "this dsrd was built without BPF: see what ./configure --with-bpf says");
	return NULL;
}

void
bpf_offload_close(struct bpf_offload *path UNUSED)
{
}

const struct offload_memory *
bpf_offload_memory(const struct bpf_offload *path UNUSED)
{
	return NULL;
}

int
bpf_offload_descriptor(const struct bpf_offload *path UNUSED)
{
	return -1;
}

uint32_t
bpf_offload_read(struct bpf_offload *path UNUSED, uint32_t budget UNUSED, bpf_offload_reader *reader UNUSED,
    void *context UNUSED)
{
	return 0;
}

enum bpf_offload_kind
bpf_offload_attach(struct bpf_offload *path UNUSED, size_t number UNUSED, const char *iface UNUSED, int capture UNUSED,
    bool xdp UNUSED, char error[BPF_OFFLOAD_ERROR])
{
	error[0] = '\0';
	return BPF_OFFLOAD_OFF;
}

enum bpf_offload_kind
bpf_offload_kind(const struct bpf_offload *path UNUSED, size_t number UNUSED)
{
	return BPF_OFFLOAD_OFF;
}

bool
bpf_offload_decides(const struct bpf_offload *path UNUSED, size_t number UNUSED, int capture UNUSED)
{
	return false;
}

bool
bpf_offload_strips_tags(const char *iface UNUSED)
{
	return false;
}

uint32_t
bpf_offload_ifindex(const char *iface UNUSED)
{
	return 0;
}

void
bpf_offload_settle(void)
{
}

void
bpf_offload_detach(struct bpf_offload *path UNUSED, size_t number UNUSED, int capture UNUSED)
{
}

bool
bpf_offload_try(const struct bpf_offload *path UNUSED, bool xdp UNUSED, uint8_t *frame UNUSED,
    uint32_t *length UNUSED)
{
	return false;
}

const char *
bpf_offload_library(void)
{
	return "no BPF";
}
