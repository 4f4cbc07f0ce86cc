/* SPDX-License-Identifier: ISC */
/*
 * Clients that watch decisions as they are made (`dsrctl trace`). Without one there is no struct trace, and a frame
 * costs only the check for it. Records that a client does not read in time are dropped and counted: forwarding never
 * waits.
 */
#ifndef DAEMON_TRACE_H
#define DAEMON_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "ctl/control.h"
#include "ctl/filter.h"
#include "forward/forward.h"

#define TRACE_WATCHERS 4

struct trace;

/*
 * A client wants the frames that match `filter`, and with `frames` their bytes too. The first one creates `*trace`.
 * CONTROL_STREAM, or CONTROL_BUSY or CONTROL_REFUSED with a sentence on `out`.
 */
NODISCARD enum control_result trace_watch(struct trace **trace, const void *client, const struct filter *filter,
    bool frames, FILE *out);
/* The client has disconnected. `*trace` is freed with the last one. */
void trace_leave(struct trace **trace, const void *client);

/* forward_frame(), reported to the clients. `when` is microseconds since 1970. */
void trace_forward(struct trace *trace, struct control *control, struct forwarder *forwarder, struct frame *frame,
    uint64_t now, uint64_t when);
/* About once a second: sends the count of dropped records to clients that have room again. `trace` may be NULL. */
void trace_tick(struct trace *trace, struct control *control);

#endif
