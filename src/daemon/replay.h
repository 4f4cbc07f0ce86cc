/* SPDX-License-Identifier: ISC */
/* A director on the frames of a savefile, on the savefile's own clock: one run from its beginning to its end. */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/way.h"
#include "io/io.h"
#include "proto/packet.h"

/* A frame as it came, and what became of it. */
struct replayed {
	uint64_t number; /* from 1 on */
	enum packet_status status;
	struct packet packet;
	struct decision decision;
	const struct trace_way *way;
};

struct replay {
	/* The caller's; all else is zero before replay_open(). */
	void (*each)(void *context, const struct replayed *seen);
	/* NULL, or called first: may forward the frame itself, through `out`, as the kernel does in a live director. */
	bool (*carries)(void *context, struct frame *frame, uint64_t now);
	void *context;

	struct director director;
	struct receiver *in;
	struct sender *out; /* NULL: what is sent goes nowhere */
	struct way way; /* of the frame that is looked at */
	uint64_t frames;
	uint64_t next_tick;
};

/*
 * Takes `conf`'s contents. `out` may be NULL. 0, or -1 with a reason; replay_close() in any case. All servers are taken
 * to be up.
 */
NODISCARD int replay_open(struct replay *replay, const char *in, const char *out, struct conf *conf,
    char error[IO_ERROR]);
/* 0 at the savefile's proper end. */
NODISCARD int replay_run(struct replay *replay, char error[IO_ERROR]);
/* -1 with a reason when what was sent did not all arrive. */
NODISCARD int replay_close(struct replay *replay, char error[IO_ERROR]);

#endif
