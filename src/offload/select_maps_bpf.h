/* SPDX-License-Identifier: ISC */
/* The maps of offload/select_map.h, and the access to them that offload/select.h needs. For dsrd.bpf.c alone. */
#ifndef OFFLOAD_SELECT_MAPS_BPF_H
#define OFFLOAD_SELECT_MAPS_BPF_H

#include "offload/select_map.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct select_control);
} selection SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SELECT_BANKS);
	__type(key, uint32_t);
	__type(value, struct select_bank);
} banks SEC(".maps");

/* One for each processor; max_entries is set when it is loaded. A per-CPU array could not be mapped into memory. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct select_counts);
} counts SEC(".maps");

/* A ring for each processor, so that none waits for another one's lock. max_entries, too, are set when it is loaded. */
struct dsrd_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SELECT_RING);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__array(values, struct dsrd_ring);
} rings SEC(".maps");

OFFLOAD_INLINE struct select_control *
offload_selection(void)
{
	const uint32_t zero = 0;

	return bpf_map_lookup_elem(&selection, &zero);
}

OFFLOAD_INLINE struct select_bank *
offload_bank_at(uint32_t number)
{
	return bpf_map_lookup_elem(&banks, &number);
}

OFFLOAD_INLINE struct select_counts *
offload_counts(void)
{
	const uint32_t cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counts, &cpu);
}

OFFLOAD_INLINE struct select_record *
offload_record_begin(void)
{
	const uint32_t cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&rings, &cpu);

	return ring ? bpf_ringbuf_reserve(ring, sizeof(struct select_record), 0) : 0;
}

OFFLOAD_INLINE void
offload_record_end(struct select_record *record)
{
	bpf_ringbuf_submit(record, 0);
}

#endif
