/* SPDX-License-Identifier: ISC */
/* `dsrctl trace`: prints the director's stream of decisions, or writes the frames to a capture file. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "cli/arguments.h"
#include "cli/ask.h"

/*
 * Capture files in the pcapng format, with a comment on each frame (IETF, draft-ietf-opsawg-pcapng). Always big-endian,
 * as the byte-order magic declares.
 */

/* The section header, and an Ethernet interface for each name; `name` is their list with NULL at its end. 0 or -1. */
NODISCARD int pcapng_begin(FILE *out, const char *program, const char *const names[]);
/* A frame of the interface with that index. `when` is microseconds since 1970. 0 or -1. */
NODISCARD int pcapng_frame(FILE *out, uint32_t iface, uint64_t when, const uint8_t *bytes, uint32_t length,
    uint32_t wire,
    const char *comment);

/* Ends by SIGINT or SIGTERM. */
enum ctl_status trace(const struct wish *wish, const struct arguments *given);

#endif
