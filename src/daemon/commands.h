/* SPDX-License-Identifier: ISC */
/* Commands from the control socket: which function answers each, and with which report. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "daemon/options.h"
#include "proto/frame.h"

struct announcing;
struct burst;
struct command_server;
struct conf;
struct interfaces;
struct loop;
struct processes;
struct recording;
struct reload;
struct roles;
struct state;
struct stats_sources;

/* What commands look at, and change. All of it outlives the command server. */
struct command_parts {
	const struct conf *conf; /* what runs */
	const struct stats_sources *sources;
	struct interfaces *interfaces;
	struct burst *burst;
	struct loop *loop;
	const struct recording *recording;
	struct reload *reload;
	struct state *state;
	const struct processes *processes;
	struct roles *roles;
	struct announcing *announcing; /* NULL: dsrd only observes */
};

/*
 * Opens the control socket of the configuration. If that fails, dsrd logs it and runs without, unless another dsrd
 * answers on it. EXIT_OK with `*cmds` NULL: there is none.
 */
NODISCARD enum exit_status commands_open(const struct command_parts *parts, struct command_server **cmds);
/*
 * Each frame that arrives, before it is forwarded. True: it was forwarded here, for a trace. `when` is microseconds
 * since 1970. NULL is fine.
 */
bool commands_take_frame(struct command_server *cmds, struct frame *frame, uint64_t when);
/* About once a second. NULL is fine. */
void commands_tick(struct command_server *cmds);
/* NULL is fine. */
void commands_close(struct command_server *cmds);

#endif
