/* SPDX-License-Identifier: ISC */
/*
 * The kernel's ring buffers (BPF_MAP_TYPE_RINGBUF, linux/bpf.h), one for each processor, as their reader sees them: a
 * page with the position of the reader, one with that of the writer, and the data, mapped twice so that a record that
 * wraps is in one piece. Positions only grow. Before each record are 8 bytes: its length, with two bits for a record that
 * is still written and one that is to be skipped.
 */
#ifndef OFFLOAD_BPF_OFFLOAD_RING_H
#define OFFLOAD_BPF_OFFLOAD_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "offload/bpf_offload.h"
#include "offload/select_map.h"

struct ring {
	int map;
	uint64_t *read;          /* page of the reader; NULL: not mapped */
	const uint64_t *written; /* page of the writer, and the data behind it */
};

struct rings {
	struct ring *rings;
	uint32_t count;
	int epoll; /* readable when one of them is; -1: none */
};

/* Makes `count` rings and puts them into the map of maps. 0, or a value for errno; then rings_close() is still due. */
NODISCARD int rings_open(struct rings *rings, int outer, uint32_t count);
void rings_close(struct rings *rings);
/* bpf_offload_read(). */
uint32_t rings_read(struct rings *rings, uint32_t budget, bpf_offload_reader *reader, void *context);

#endif
