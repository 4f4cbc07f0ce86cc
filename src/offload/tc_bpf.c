/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/tc_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

/* enum bpf_attach_type and a flag of include/uapi/linux/bpf.h of Linux 6.6: older headers do not have them. */
#define ATTACH_TCX_INGRESS ((enum bpf_attach_type)46)
#define FLAG_BEFORE (1U << 3)

/* A filter that a killed daemon left is replaced here. */
static int
tc_attach_clsact(int program, uint32_t ifindex, const struct tc_place *place)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, notify_program, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = place->handle, .priority = place->priority, .prog_fd = program,
	    .flags = BPF_TC_F_REPLACE);
	const int number = -bpf_tc_hook_create(&notify_program);

	if (number != 0 && number != EEXIST)
		return number;
	return -bpf_tc_attach(&notify_program, &filter);
}

int
tc_attach(int program, uint32_t ifindex, const struct tc_place *place, int *link)
{
	const struct bpf_link_create_opts options = { .sz = sizeof(options), .flags = place->first ? FLAG_BEFORE : 0 };

	*link = bpf_link_create(program, (int)ifindex, ATTACH_TCX_INGRESS, &options);
	if (*link >= 0)
		return 0;
	*link = -1;
	return tc_attach_clsact(program, ifindex, place);
}

/* The qdisc stays: others may have put filters there meanwhile, and an empty one does nothing. */
void
tc_detach(uint32_t ifindex, const struct tc_place *place, int link)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, notify_program, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = place->handle, .priority = place->priority);

	if (link != -1)
		(void)close(link);
	else
		(void)bpf_tc_detach(&notify_program, &filter);
}
