/* SPDX-License-Identifier: ISC */
/* The end of a checksum: for proto/checksum.c and, by encap/outer.h, for the kernel's programs. */
#ifndef PROTO_SUM_H
#define PROTO_SUM_H

#include <stdint.h>

/*
 * Sums of 16-bit words in ones' complement may be made of 32-bit words, in memory's order (RFC 1071 section 2): of any
 * number with the carry added, or of fewer than 2^16. This folds such a sum into 16 bits, in memory's order.
 */
static inline __attribute__((always_inline)) uint16_t
sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
