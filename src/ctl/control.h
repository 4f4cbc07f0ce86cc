/* SPDX-License-Identifier: ISC */
/*
 * The control socket: HTTP (http/server.h) on a Unix socket, so that dsrctl and `curl --unix-socket` can talk to a
 * running director. No client keeps the director from forwarding, or root from the socket: each costs a bounded amount
 * of memory for a bounded time, and some connections are for root and the user that started dsrd.
 */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "ctl/http.h"

#define CONTROL_ERROR 512
#define CONTROL_CONNECTIONS 16
#define CONTROL_RESERVED 4 /* of these, for root and the user that started dsrd */
#define CONTROL_SHARE 8    /* of these, for any other user */
/* Milliseconds a client of dsrd has to send its request, and again to take the answer. */
#define CONTROL_PATIENCE 5000
/* Seconds that a command may take. */
#define CONTROL_WORK 20

struct control;
struct event_base;

enum control_result {
	CONTROL_DONE = 0,
	CONTROL_WRONG,   /* done, and what was looked at is not well */
	CONTROL_USAGE,   /* the arguments are wrong: the text written says why, and what is valid */
	CONTROL_UNKNOWN, /* there is no such service or server; with text */
	CONTROL_REFUSED, /* refused; with text */
	CONTROL_BUSY,    /* another client is using it; with text */
	CONTROL_FORBIDDEN, /* the client lacks permission; with text */
	CONTROL_WAIT,    /* not ready: call again soon. Nothing was written */
	CONTROL_MORE,    /* not ready: call again after the other clients. Nothing was written */
	CONTROL_STREAM   /* what control_stream() is given from now on is the answer, until the client leaves */
};

/* The client. `client` is the same in all calls for one request and identifies it. */
struct control_ask {
	const struct http_request *request;
	const void *client;
	int fd;    /* of the connection */
	bool first;
	bool last; /* the request has timed out: CONTROL_WAIT is not possible any more */
};

struct control_calls {
	/* Writes the answer. Must not block. */
	enum control_result (*answer)(void *context, const struct control_ask *ask, FILE *out);
	/* The client left before the answer was complete, or its stream has ended. */
	void (*gone)(void *context, const void *client);
	/* Which user connected; true: one for whom connections are reserved. NULL: all are. */
	bool (*peer)(void *context, int fd, uint32_t *user);
};

/*
 * Listens at `path`, accessible to the owner (and to `group`, unless empty). A stale socket is replaced; one that a
 * program answers on is EADDRINUSE. `calls` must outlive the control. `patience` is in milliseconds: CONTROL_PATIENCE,
 * less for tests. NULL with errno and a reason.
 */
NODISCARD struct control *control_open(struct event_base *base, const char *path, const char *group, unsigned patience,
    const struct control_calls *calls, void *context, char error[CONTROL_ERROR]);
/*
 * Queues data for a client whose answer is CONTROL_STREAM. False when too much is queued already, or out of memory:
 * then none of it was queued. Never calls back.
 */
bool control_stream(struct control *control, const void *client, const void *bytes, size_t length);
/* Drops all clients and removes the socket, where that is allowed. NULL is fine. */
void control_close(struct control *control);

#endif
