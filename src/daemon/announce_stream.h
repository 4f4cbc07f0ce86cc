/* SPDX-License-Identifier: ISC */
/* Clients of `dsrctl announce`: announcing.h has the lines that they get. */
#ifndef DAEMON_ANNOUNCE_STREAM_H
#define DAEMON_ANNOUNCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "announce/announce.h"

struct control;

#define ANNOUNCE_STREAMS 4

struct announce_stream {
	const void *client; /* NULL: the place is free */
	struct control *control;
	size_t group;       /* ROLE_GROUPS: all */
	bool behind;        /* a line was lost, or none was sent yet: all are sent again */
};

struct announce_streams {
	struct announce_stream list[ANNOUNCE_STREAMS];
};

/* As announcing_listen(). */
NODISCARD bool announce_streams_add(struct announce_streams *streams, struct control *control,
    const void *client, size_t group, FILE *out);
void announce_streams_leave(struct announce_streams *streams, const void *client);
bool announce_streams_any(const struct announce_streams *streams, size_t group);
/* What has changed about the VIP. */
void announce_streams_tell(struct announce_streams *streams, const struct announce_status *status);
/* A sign of life; all VIPs for those that are behind, one `stride` bytes behind the other. */
void announce_streams_beat(struct announce_streams *streams, const void *first, size_t count, size_t stride);

#endif
