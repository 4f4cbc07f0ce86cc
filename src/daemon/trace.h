/* SPDX-License-Identifier: ISC */
/*
 * Those who watch decisions as they are made (`dsrctl trace`). While nobody does, there is no struct trace, and all that a
 * frame costs is one look at that. What a watcher does not take in time is not kept for it, but counted: forwarding waits
 * for nobody.
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
 * Somebody wants to see what `filter` lets through, and with `frames` the frames too. `*trace` is made for the first one.
 * CONTROL_STREAM, or CONTROL_BUSY or CONTROL_REFUSED with a sentence on `out`.
 */
NODISCARD enum control_result trace_watch(struct trace **trace, const void *asker, const struct filter *filter,
    bool frames, FILE *out);
/* The one who asked is gone. `*trace` goes with the last one. */
void trace_leave(struct trace **trace, const void *asker);

/* forward_frame(), and tells of it. `when` is microseconds since 1970. */
void trace_forward(struct trace *trace, struct control *control, struct forwarder *forwarder, struct frame *frame,
    uint64_t now, uint64_t when);
/* About once a second: tells who has room again what was left out. NULL is fine. */
void trace_tick(struct trace *trace, struct control *control);

#endif
