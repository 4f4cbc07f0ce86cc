/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/bpf_offload.h"

const char *
bpf_offload_name(enum bpf_offload_kind kind)
{
	switch (kind) {
	case BPF_OFFLOAD_OFF:
		return "off";
	case BPF_OFFLOAD_TC:
		return "tc";
	case BPF_OFFLOAD_XDP:
		return "xdp";
	case BPF_OFFLOAD_XDP_GENERIC:
		return "xdp-generic";
	}
	return "?";
}
