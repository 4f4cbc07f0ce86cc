/* SPDX-License-Identifier: ISC */
/*
 * A director for hostile input: two VIPs of either family with TCP, UDP and SCTP, three servers, a small flow table.
 * director_take() gives it a frame and aborts when anything that must always hold does not:
 *
 * - the frame gets exactly one verdict, and the counters say the same;
 * - oracle.h: what is forwarded goes to the server that was decided, and is what came in, byte for byte, but for the
 * Ethernet addresses, a checksum that was unfinished and is right now, or a super-frame, whose segments carry all of
 * it;
 * - what is not forwarded is not sent, and at most one answer of our own is, to who asked;
 * - nothing is sent to our own MAC, and all of it from there;
 * - tables stay within their size.
 */
#ifndef TESTS_FUZZ_DIRECTOR_H
#define TESTS_FUZZ_DIRECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "forward/forward.h"

/* The director's MAC is 02:00:00:00:00:01, its VIPs 192.0.2.10 and 2001:db8::10, ports 53, 80 and 1000 to 5060. */
struct fuzz_director;

struct fuzz_director *director_open(void);
void director_shut(struct fuzz_director *director);
/* `bytes` are copied to the heap with no byte to spare. Returns the verdict. */
enum verdict director_take(struct fuzz_director *director, const uint8_t *bytes, size_t length, uint32_t wire_length,
    uint64_t now);
const struct forward_stats *director_stats(const struct fuzz_director *director);

#endif
