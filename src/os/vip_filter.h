/* SPDX-License-Identifier: ISC */
/*
 * Programs for the classic packet filter, which every system here has in the same form: one for VIPs, one for senders.
 */
#ifndef OS_VIP_FILTER_H
#define OS_VIP_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* struct bpf_insn of the BSDs and struct sock_filter of Linux under another name. */
struct filter_insn {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

/* BPF_MAXINSNS of OpenBSD and bpf_maxinsns of FreeBSD: a kernel takes no longer program. */
#define FILTER_INSNS 512

/*
 * Accepts Ethernet frames to `mac` whose packet is for one of `addresses`, without VLAN tag, and nothing else. Returns
 * the number of instructions, or 0 when there are too many.
 */
size_t vip_filter_write(struct filter_insn program[FILTER_INSNS], const struct mac *mac, const struct addr *addresses,
    size_t count);
/* Accepts the kinds of frames that dsrd sends: IPv4, IPv6, ARP, and those behind a VLAN tag. */
size_t sender_filter_write(struct filter_insn program[FILTER_INSNS]);

#endif
