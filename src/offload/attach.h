/* SPDX-License-Identifier: ISC */
/*
 * Where BPF programs are attached to an interface: what needs CAP_NET_ADMIN, and so may be another process's work.
 * attach_bpf.c does it; attach_none.c is for builds without BPF.
 */
#ifndef OFFLOAD_ATTACH_H
#define OFFLOAD_ATTACH_H

#include "base/attr.h"

enum attach_place {
	ATTACH_OFFLOAD = 0,  /* at tc ingress, before all that are there */
	ATTACH_WITHHOLD,     /* at tc ingress, behind them */
	ATTACH_XDP,          /* in the driver */
	ATTACH_XDP_GENERIC   /* before the stack */
};
#define ATTACH_PLACES 4

/*
 * 0, or a value for errno. `link` is the link's descriptor, which must be closed to let go of the program, or -1 when
 * it is a clsact filter, before Linux 6.6: then attach_end() removes it.
 */
NODISCARD int attach_begin(int program, const char *iface, enum attach_place place, int *link);
void attach_end(const char *iface, enum attach_place place);

/* The same by another process. */
struct attacher {
	int (*begin)(void *context, int program, const char *iface, enum attach_place place, int *link);
	void (*end)(void *context, const char *iface, enum attach_place place);
	void *context;
};

/* By that process, or, where `attacher` is NULL, by this one. */
NODISCARD int attacher_begin(const struct attacher *attacher, int program, const char *iface, enum attach_place place,
    int *link);
/* Closes `link`, or removes what has none. */
void attacher_end(const struct attacher *attacher, const char *iface, enum attach_place place, int link);

#endif
