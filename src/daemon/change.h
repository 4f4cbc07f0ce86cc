/* SPDX-License-Identifier: ISC */
/*
 * The event sent to subscribers when the state of a server or a service, the ports that a server serves, or a quorum
 * changes, whatever the cause: a check, the VIP check, a conflict, a link, an operator, clients' segments, a reload.
 * The director detects changes in one place, and the model keeps what was last published.
 */
#ifndef DAEMON_CHANGE_H
#define DAEMON_CHANGE_H

#include <stddef.h>

struct server;
struct service;

enum change_kind {
	CHANGE_STATE = 0, /* of the server or service */
	CHANGE_PORTS,     /* which ports of an UP server get no traffic */
	CHANGE_QUORUM     /* the service lost its quorum or reached it again */
};

struct state_change {
	enum change_kind kind;
	const struct service *service;
	struct server *server; /* NULL: it is about the service */
	/* The rest is for CHANGE_STATE only. */
	const char *from;
	const char *to;
	const char *reason; /* of the new state: server_status(), service_status() */
	const char *cause;  /* what ended the previous state; NULL: a new configuration */
	const char *detail; /* what was checked, or who made the change; meaningless without a cause */
};

typedef void change_subscriber(void *context, const struct state_change *change);

#define CHANGE_SUBSCRIBERS 4

struct change_feed {
	struct {
		change_subscriber *call;
		void *context;
	} subscribers[CHANGE_SUBSCRIBERS];
	size_t count;
};

/* Subscribers are called in the order of their subscriptions. No more than CHANGE_SUBSCRIBERS. */
void change_subscribe(struct change_feed *feed, change_subscriber *call, void *context);
void change_emit(const struct change_feed *feed, const struct state_change *change);

#endif
