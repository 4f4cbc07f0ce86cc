/* SPDX-License-Identifier: ISC */
/* Where questions from the control socket arrive: which report answers which command. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include <stdint.h>

#include "base/attr.h"
#include "daemon/options.h"
#include "proto/frame.h"

struct dsrd;
struct desk;

/*
 * Opens the control socket that the configuration wants. Without one that can be opened dsrd runs on, and says so; but
 * not when another dsrd answers on it. EXIT_OK with `*desk` NULL: there is none.
 */
NODISCARD enum exit_status desk_open(struct dsrd *dsrd, struct desk **desk);
/* Each frame that arrives, before it is forwarded. */
void desk_hear(struct desk *desk, const struct frame *frame);
/* The same for a frame that somebody traces (dsrd->trace): forwards it, and tells of it. */
void desk_trace_frame(struct desk *desk, struct frame *frame, uint64_t when);
/* About once a second. NULL is fine. */
void desk_tick(struct desk *desk);
/* NULL is fine. */
void desk_close(struct desk *desk);

#endif
