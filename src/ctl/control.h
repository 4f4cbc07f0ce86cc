/* SPDX-License-Identifier: ISC */
/*
 * The control socket: HTTP on a Unix socket, so that dsrctl and `curl --unix-socket` speak to a running director. Not
 * by libevent's evhttp, which (in 2.1) bounds neither the number of connections nor the time of a whole request. Here
 * both are, so that no client, stuck, greedy or lost, keeps the director from forwarding: whatever one sends or leaves
 * unread, it costs a bounded share of memory for a bounded time.
 */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "ctl/http.h"

#define CONTROL_ERROR 512
#define CONTROL_CONNECTIONS 16
/* Milliseconds a client of dsrd has to send its request, and again to take the answer. */
#define CONTROL_PATIENCE 5000
/* Seconds that a command may take. */
#define CONTROL_WORK 20

struct control;
struct event_base;

enum control_result {
	CONTROL_DONE = 0,
	CONTROL_WRONG,   /* done, and what was looked at is not well */
	CONTROL_USAGE,   /* the arguments are wrong: what was written says why, and what is valid */
	CONTROL_UNKNOWN, /* likewise: there is no such service or server */
	CONTROL_REFUSED, /* what was written says why */
	CONTROL_BUSY,    /* likewise: somebody else asks for the same */
	CONTROL_FORBIDDEN, /* likewise: who asks may not have it done */
	CONTROL_WAIT,    /* not yet: ask again soon. Nothing was written */
	CONTROL_MORE,    /* likewise, and ask again as soon as others had their turn */
	CONTROL_STREAM   /* what control_stream() is given from now on is the answer, until the asker leaves */
};

/* Who asks. `asker` is the same in all calls for one request and tells it from others. */
struct control_ask {
	const struct http_request *request;
	const void *asker;
	int fd;    /* of the connection */
	bool first;
	bool last; /* time is over: CONTROL_WAIT is no answer any more */
};

struct control_calls {
	/* Writes the answer. Must not block. */
	enum control_result (*answer)(void *context, const struct control_ask *ask, FILE *out);
	/* The asker left before the answer was there, or its stream has ended. */
	void (*gone)(void *context, const void *asker);
};

/*
 * Listens at `path`, open to the owner (and to `group`, unless empty). A socket that nobody answers on any more is
 * replaced; one that somebody does is EADDRINUSE. `calls` must outlive the control. `patience` is in milliseconds:
 * CONTROL_PATIENCE, less for tests. NULL with errno and a reason.
 */
NODISCARD struct control *control_open(struct event_base *base, const char *path, const char *group, unsigned patience,
    const struct control_calls *calls, void *context, char error[CONTROL_ERROR]);
/* Bytes that wait for one who streams, beside what the system holds for it; and seconds it may take none of them. */
#define CONTROL_STREAM_MOST (1U << 20)
#define CONTROL_STREAM_PATIENCE 60
/*
 * More for one whose answer is CONTROL_STREAM. False when too much waits already, or memory is out: nothing of it was
 * taken. Never calls back.
 */
bool control_stream(struct control *control, const void *asker, const void *bytes, size_t length);
/* Drops all clients and removes the socket, where that is allowed. NULL is fine. */
void control_close(struct control *control);

#endif
