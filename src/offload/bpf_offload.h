/* SPDX-License-Identifier: ISC */
/*
 * The kernel's half of the offload: loads the programs of dsrd.bpf.c, gives their memory to offload/cache.h, and
 * attaches them to interfaces. configure picks bpf_offload_bpf.c, or bpf_offload_none.c where BPF is not available.
 *
 * Everything is held by descriptors of this process: when it exits for any reason, the kernel releases it.
 */
#ifndef OFFLOAD_FAST_PATH_H
#define OFFLOAD_FAST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "offload/cache.h"

#define BPF_OFFLOAD_ERROR 512
#define FAST_PATHS_MOST 64 /* interfaces */

enum bpf_offload_kind {
	BPF_OFFLOAD_OFF = 0,
	BPF_OFFLOAD_TC,         /* at tc ingress, behind the tap that libpcap reads */
	BPF_OFFLOAD_XDP,        /* in the driver */
	BPF_OFFLOAD_XDP_GENERIC /* at the place where XDP is done for drivers that cannot, or should not */
};

struct attacher;
struct bpf_offload;
struct select_record;

/*
 * Needs CAP_BPF and CAP_NET_ADMIN, or root. NULL with a reason, for flows of a table of that capacity. `attacher` is
 * for bpf_offload_attach(), which needs CAP_NET_ADMIN without one.
 */
NODISCARD struct bpf_offload *bpf_offload_open(uint32_t connections, const struct attacher *attacher,
    char error[BPF_OFFLOAD_ERROR]);
/* Detaches all. */
void bpf_offload_close(struct bpf_offload *path);
const struct offload_memory *bpf_offload_memory(const struct bpf_offload *path);

/*
 * Frames whose server the kernel selected, of each processor in their order. The descriptor is readable when there are
 * any. bpf_offload_read() passes at most `budget` records of each processor, and of those only the ones that were there
 * when it was called; it returns their number. It costs two reads of memory where there are none.
 */
typedef void bpf_offload_reader(void *context, const struct select_record *record);
int bpf_offload_descriptor(const struct bpf_offload *path);
uint32_t bpf_offload_read(struct bpf_offload *path, uint32_t budget, bpf_offload_reader *reader, void *context);

/*
 * Attaches the programs to an interface, with XDP if `xdp`. `capture` is libpcap's socket there, whose filter tc
 * replaces. BPF_OFFLOAD_OFF with a reason on failure.
 */
enum bpf_offload_kind bpf_offload_attach(struct bpf_offload *path, size_t number, const char *iface, int capture,
    bool xdp,
    char error[BPF_OFFLOAD_ERROR]);
enum bpf_offload_kind bpf_offload_kind(const struct bpf_offload *path, size_t number);
/*
 * Does the capture still have the program that bpf_offload_attach() gave it? Without it nothing is decided there, and
 * every frame is the daemon's. Always true with XDP, where that program has no part.
 */
bool bpf_offload_decides(const struct bpf_offload *path, size_t number, int capture);
/*
 * Does the card take VLAN tags out of received frames? XDP does not see such a tag, and the frame would leave without
 * it, so bpf_offload_attach() refuses.
 */
bool bpf_offload_strips_tags(const char *iface);
uint32_t bpf_offload_ifindex(const char *iface);
/* Waits until no processor can still be on its way between the two programs of a frame: some 10 ms. */
void bpf_offload_settle(void);
/*
 * Detaches the filter first, so that from then on every frame reaches the tap. The caller has ended offloading on that
 * interface and called bpf_offload_settle(). `capture` is -1 when that socket is closed already.
 */
void bpf_offload_detach(struct bpf_offload *path, size_t number, int capture);

/*
 * Gives the programs for XDP or tc a frame without any network, as if it had come in by the interface number 1: for
 * tests. True when it would have left, as it is then; it has room for ENCAP_HEADER_MOST bytes more.
 */
bool bpf_offload_try(const struct bpf_offload *path, bool xdp, uint8_t *frame, uint32_t *length);

/* What it was built with, for `dsrd -V`. */
const char *bpf_offload_library(void);

#endif
