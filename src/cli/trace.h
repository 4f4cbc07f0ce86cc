/* SPDX-License-Identifier: ISC */
/* `dsrctl trace`: prints the director's stream of decisions, or writes the frames to a capture file. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "cli/ask.h"

/* `wish->arguments` are the words behind "trace", dsrctl's own -c and --pcapng among them. Ends by SIGINT or SIGTERM. */
enum ctl_status trace(struct wish *wish);

#endif
