/* SPDX-License-Identifier: ISC */
/* The programs for the kernel as clang compiled them: bpf_object.c is made from those files at build time. */
#ifndef OFFLOAD_BPF_OBJECT_H
#define OFFLOAD_BPF_OBJECT_H

#include <stddef.h>

extern const unsigned char dsrd_bpf_object[]; /* dsrd.bpf.c */
extern const size_t dsrd_bpf_object_size;
extern const unsigned char withhold_bpf_object[]; /* withhold.bpf.c */
extern const size_t withhold_bpf_object_size;

#endif
