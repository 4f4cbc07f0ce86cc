/* SPDX-License-Identifier: ISC */
/* dsrd.bpf.c as clang compiled it for the kernel: bpf_object.c is made from that at build time. */
#ifndef OFFLOAD_BPF_OBJECT_H
#define OFFLOAD_BPF_OBJECT_H

#include <stddef.h>

extern const unsigned char dsrd_bpf_object[];
extern const size_t dsrd_bpf_object_size;

#endif
