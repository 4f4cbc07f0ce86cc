/* SPDX-License-Identifier: ISC */
/*
 * How a frame left for its server by a method other than mac, read from the frame that was sent, for traces and offline
 * mode: what is shown is what is on the wire. Of frames that did not leave so, the tunnel in which they came, if any.
 */
#ifndef DAEMON_WAY_H
#define DAEMON_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/trace_record.h"
#include "forward/forwarder.h"
#include "proto/packet.h"

struct way {
	struct trace_way came;
	struct trace_way left;
	bool sent; /* `left` was read */
};

/* A frame has come and was parsed, whatever came of that; it is not forwarded yet, which would rewrite it. */
void way_begin(struct way *way, const struct frame *frame, const struct packet *packet);
/* A frame was sent for it; only the first one counts. */
void way_sent(struct way *way, const struct frame *frame);
/* What to show, in `way`, until it begins again. */
const struct trace_way *way_decided(struct way *way, const struct decision *decision);
/* "tcp", "icmpv6", or the number. */
void way_name_protocol(uint8_t protocol, char text[TRACE_TEXT]);

#endif
