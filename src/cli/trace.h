/* SPDX-License-Identifier: ISC */
/* `dsrctl trace`: prints the director's stream of decisions, or writes the frames to a capture file. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "cli/arguments.h"
#include "cli/ask.h"

/* Ends by SIGINT or SIGTERM. */
enum ctl_status trace(const struct wish *wish, const struct arguments *given);

#endif
