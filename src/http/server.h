/* SPDX-License-Identifier: ISC */
/*
 * An HTTP/1.1 server with one request for each connection, for the control socket (ctl/control.h) and the HTTP listener
 * (web/web.h). Everything has a bound: connections, bytes of a request, time, and the share of the director's time that
 * answers take. libevent's evhttp (2.1) bounds neither the number of connections nor the time of a whole request.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "http/place.h"

#define HTTP_FIELDS_MOST 512

struct event_base;
struct http_server;
struct sockaddr;

/* What a listener is, and what each of its clients may cost. */
struct http_policy {
	struct http_places places;
	size_t head;         /* bytes of a request's head */
	size_t request;      /* bytes of a parsed request */
	unsigned accepts;    /* connections accepted in a tenth of a second */
	unsigned patience;   /* milliseconds to send the request, and again to take the answer */
	unsigned work;       /* milliseconds an answer may take; 0: `patience` is for everything */
	unsigned rest;       /* an answer that took 1 ms is followed by so many without */
	bool in_turn;        /* clients take turns at answers that need more than one call; else one after the other */
	bool half_close;     /* a client that says it sends no more may still get its answer */
	const char *allow;   /* methods, for 405 */
	const char *fields;  /* lines in every answer */
	const char *refusal; /* lines in answers of the server itself */
};

enum http_step {
	HTTP_DONE = 0, /* `out` is the whole body */
	HTTP_MORE,     /* to be called again, as soon as frames had their turn */
	HTTP_WAIT,     /* to be called again in a tenth of a second */
	HTTP_STREAM    /* what http_server_stream() gets from now on is the answer, until the client leaves */
};

/* A call for an answer. `client` is the same in all calls for one request, and not that of another. */
struct http_call {
	const void *request;
	const void *client;
	int fd;
	size_t number; /* of this call for the request, from 0 */
	bool last;     /* the time is up: HTTP_WAIT is no answer any more */
};

struct http_reply {
	unsigned status;
	const char *type;
	char fields[HTTP_FIELDS_MOST]; /* lines, each with CR LF */
};

struct http_calls {
	/* Who connected. NULL: everyone is privileged. */
	void (*peer)(void *context, int fd, const struct sockaddr *address, struct http_peer *peer);
	/* Parses a complete head to `request`. 0, or an HTTP status with a sentence in `*why`. */
	unsigned (*parse)(void *context, int fd, const char *head, size_t length, void *request, const char **why);
	/* Writes the answer, or more of it. Must not block. With HTTP_DONE and HTTP_STREAM, `reply` is filled. */
	enum http_step (*answer)(void *context, const struct http_call *call, FILE *out, struct http_reply *reply);
	/* The client left before its answer was complete, or its stream has ended. May be NULL. */
	void (*gone)(void *context, const void *client);
};

/*
 * Bytes that wait for a client that takes a stream, beside what the system holds; and seconds it may take none of
 * them.
 */
#define HTTP_STREAM_MOST (1U << 20)
#define HTTP_STREAM_PATIENCE 60

/*
 * Serves on `fd`, which is bound and nonblocking, and closed by http_server_close(), or when this returns NULL (out of
 * memory, or errno of listen(2)). `policy` is copied; its strings, and `calls`, must outlive the server.
 */
NODISCARD struct http_server *http_server_open(struct event_base *base, int fd, const struct http_policy *policy,
    const struct http_calls *calls, void *context);
/* More of a stream. False when too much waits already, or memory is out: nothing of it was taken. Never calls back. */
bool http_server_stream(struct http_server *server, const void *client, const void *bytes, size_t length);
/* Drops all clients. NULL is fine. */
void http_server_close(struct http_server *server);

#endif
