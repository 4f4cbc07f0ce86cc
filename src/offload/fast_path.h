/* SPDX-License-Identifier: ISC */
/*
 * The kernel's half of the fast path: loads the programs of dsrd.bpf.c, gives their memory to offload/cache.h, and ties them
 * to interfaces. configure picks fast_path_bpf.c, or fast_path_none.c where there is no BPF to build with.
 *
 * Everything is held by descriptors of this process: when it ends, however it ends, the kernel lets go of it.
 */
#ifndef OFFLOAD_FAST_PATH_H
#define OFFLOAD_FAST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "offload/cache.h"

#define FAST_PATH_ERROR 512
#define FAST_PATHS_MOST 64 /* interfaces */

enum fast_path_kind {
	FAST_PATH_OFF = 0,
	FAST_PATH_TC,         /* at tc ingress, behind the tap that libpcap reads */
	FAST_PATH_XDP,        /* in the driver */
	FAST_PATH_XDP_GENERIC /* at the place where XDP is done for drivers that cannot, or should not */
};

struct fast_path;

/* Needs CAP_BPF and CAP_NET_ADMIN, or root. NULL with a reason, for flows of a table of that capacity. */
NODISCARD struct fast_path *fast_path_open(uint32_t connections, char error[FAST_PATH_ERROR]);
/* Detaches all. */
void fast_path_close(struct fast_path *path);
const struct carry_memory *fast_path_memory(const struct fast_path *path);

/*
 * Ties the programs to an interface, with XDP if `xdp`. `capture` is libpcap's socket there, whose filter tc replaces.
 * FAST_PATH_OFF with a reason when that cannot be; also when another dsrd carries there. CAP_NET_ADMIN will do.
 */
enum fast_path_kind fast_path_attach(struct fast_path *path, size_t number, const char *iface, int capture, bool xdp,
    char error[FAST_PATH_ERROR]);
enum fast_path_kind fast_path_kind(const struct fast_path *path, size_t number);
/*
 * Does the capture still have the program that fast_path_attach() gave it? Without it nothing is decided there, and every
 * frame is the daemon's. Always true with XDP, where that program has no part.
 */
bool fast_path_decides(const struct fast_path *path, size_t number, int capture);
uint32_t fast_path_ifindex(const char *iface);
/* Waits until no processor can still be on its way between the two programs of a frame: some 10 ms. */
void fast_path_settle(void);
/*
 * The filter first, so that from there on every frame is the tap's. The caller has ended carrying on that interface and
 * called fast_path_settle(). `capture` is -1 when that socket is closed already.
 */
void fast_path_detach(struct fast_path *path, size_t number, int capture);

/*
 * Gives the XDP program a frame without any network, as if it had come in by the interface number 1: for tests. True
 * when it would have left, re-addressed in place.
 */
bool fast_path_try(const struct fast_path *path, uint8_t *frame, uint32_t length);

const char *fast_path_name(enum fast_path_kind kind);
/* What it was built with, for `dsrd -V`. */
const char *fast_path_library(void);

#endif
