/* SPDX-License-Identifier: ISC */
/* Where questions from the control socket arrive: which report answers which command. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include <stdint.h>

#include "base/attr.h"
#include "daemon/options.h"
#include "proto/frame.h"

struct dsrd;
struct command_server;

/*
 * Opens the control socket that the configuration wants. Without one that can be opened dsrd runs on, and says so; but
 * not when another dsrd answers on it. EXIT_OK with `*cmds` NULL: there is none.
 */
NODISCARD enum exit_status commands_open(struct dsrd *dsrd, struct command_server **cmds);
/* Each frame that arrives, before it is forwarded. */
void commands_hear(struct command_server *cmds, const struct frame *frame);
/* The same for a frame that somebody traces (dsrd->trace): forwards it, and tells of it. */
void commands_trace_frame(struct command_server *cmds, struct frame *frame, uint64_t when);
/* About once a second. NULL is fine. */
void commands_tick(struct command_server *cmds);
/* NULL is fine. */
void commands_close(struct command_server *cmds);

#endif
