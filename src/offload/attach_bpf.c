/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* Before Linux 6.6, which has links to hold a program, it is a clsact filter with this number. */
static const struct tc_place {
	uint32_t handle;
	uint32_t priority; /* from 1 on: the order */
	bool first;        /* with links: before all that are there, and else behind them */
} tc_places[] = {
	/* A program ahead of it could consume frames that the tap's filter has already decided. */
	[ATTACH_OFFLOAD] = { .handle = 0xd5d, .priority = 1, .first = true },
	[ATTACH_WITHHOLD] = { .handle = 0xd5e, .priority = 2, .first = false },
};

/* enum bpf_attach_type and a flag of include/uapi/linux/bpf.h of Linux 6.6: older headers do not have them. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define FLAG_BEFORE (1U << 3)

/* Replaces a filter that a killed daemon left. */
static int
attach_clsact(int program, uint32_t ifindex, const struct tc_place *place)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = place->handle, .priority = place->priority,
	    .prog_fd = program,
	    .flags = BPF_TC_F_REPLACE);
	const int number = -bpf_tc_hook_create(&hook);

	if (number != 0 && number != EEXIST)
		return number;
	return -bpf_tc_attach(&hook, &filter);
}

/* 0, or a value for errno. */
static int
attach_xdp(int program, uint32_t ifindex, uint32_t flags, int *link)
{
	const struct bpf_link_create_opts options = { .sz = sizeof(options), .flags = flags };
	const int result = bpf_link_create(program, (int)ifindex, BPF_XDP, &options);

	*link = result < 0 ? -1 : result;
	return result < 0 ? -result : 0;
}

static int
attach_tc(int program, uint32_t ifindex, const struct tc_place *place, int *link)
{
	const struct bpf_link_create_opts options = { .sz = sizeof(options), .flags = place->first ? FLAG_BEFORE : 0 };

	*link = bpf_link_create(program, (int)ifindex, ATTACH_TCX_INGRESS, &options);
	if (*link >= 0)
		return 0;
	*link = -1;
	return attach_clsact(program, ifindex, place);
}

int
attach_begin(int program, const char *iface, enum attach_place place, int *link)
{
	const uint32_t ifindex = if_nametoindex(iface);

	*link = -1;
	if (ifindex == 0)
		return ENODEV;
	switch (place) {
	case ATTACH_OFFLOAD:
	case ATTACH_WITHHOLD:
		return attach_tc(program, ifindex, &tc_places[place], link);
	case ATTACH_XDP:
		return attach_xdp(program, ifindex, XDP_FLAGS_DRV_MODE, link);
	case ATTACH_XDP_GENERIC:
		return attach_xdp(program, ifindex, XDP_FLAGS_SKB_MODE, link);
	}
	return EINVAL;
}

/* The qdisc stays: others may have put filters there meanwhile, and an empty one does nothing. */
void
attach_end(const char *iface, enum attach_place place)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(iface), .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 0, .priority = 0);

	if (hook.ifindex == 0 || place > ATTACH_WITHHOLD)
		return;
	filter.handle = tc_places[place].handle;
	filter.priority = tc_places[place].priority;
	(void)bpf_tc_detach(&hook, &filter);
}
