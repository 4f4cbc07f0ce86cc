/* SPDX-License-Identifier: ISC */
/*
 * What a director may have done to the bytes of the frames that it sent: nothing behind the Ethernet addresses, but
 * for a checksum that came unfinished, a super-frame that was split, and fragments that it held. All else aborts.
 */
#ifndef TESTS_FUZZ_ORACLE_H
#define TESTS_FUZZ_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forward/forward.h"

struct oracle;

/* Says what does not hold, and aborts. */
void oracle_require(bool holds, const char *what);

struct oracle *oracle_open(const struct iface *iface);
void oracle_shut(struct oracle *oracle);
/* A frame comes: what was sent before is forgotten. `bytes` live until oracle_judge(). */
void oracle_expect(struct oracle *oracle, const uint8_t *bytes, uint32_t length, uint32_t wire_length);
/* For the tx. */
void oracle_hear(void *oracle, const struct frame *sent);
/* The frame has been decided; `before` and `after` are the director's counters around it. */
void oracle_judge(struct oracle *oracle, const struct decision *decision, const struct forward_stats *before,
    const struct forward_stats *after);

#endif
