/* SPDX-License-Identifier: ISC */
/*
 * Linear hashing (Litwin 1980): a table of buckets grows and shrinks by one bucket at a time, so no step takes long.
 * The last bucket is split off from its parent or merged back into it; all others stay as they are. Inline, since it is
 * computed for every frame, also in the BPF programs.
 */
#ifndef BASE_LINEAR_H
#define BASE_LINEAR_H

#include <stdint.h>

/* Of the numbers that `count` buckets have, or will have when the table has doubled; at least 2 buckets. */
static inline uint32_t
linear_mask(uint32_t count)
{
	return UINT32_MAX >> __builtin_clz(count - 1);
}

/*
 * `mask` is linear_mask(count). A bucket that is not there yet still has what is its in the one that it will be split
 * from.
 */
static inline __attribute__((always_inline)) uint32_t
linear_bucket(uint32_t hash, uint32_t count, uint32_t mask)
{
	const uint32_t number = hash & mask;

	return number < count ? number : number & mask >> 1;
}

/* The bucket that this one was split from, or will be; not for the first one. */
static inline uint32_t
linear_parent(uint32_t number)
{
	return number & linear_mask(number + 1) >> 1;
}

#endif
