/* SPDX-License-Identifier: ISC */
/* The entrance of traffic control: where the programs of bpf_offload_bpf.c and withhold_bpf.c stand. */
#ifndef OFFLOAD_TC_BPF_H
#define OFFLOAD_TC_BPF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* Before Linux 6.6, which has links to hold a program, it is a clsact filter with this number. */
struct tc_place {
	uint32_t handle;
	uint32_t priority; /* from 1 on: the order */
	bool first;        /* with links: before all that are there, and else behind them */
};

/*
 * 0, or a value for errno. `link` is the link's descriptor, which must be closed to let go of the program, or -1 when
 * it stands in clsact: then tc_detach() does it.
 */
NODISCARD int tc_attach(int program, uint32_t ifindex, const struct tc_place *place, int *link);
void tc_detach(uint32_t ifindex, const struct tc_place *place, int link);

#endif
