/* SPDX-License-Identifier: ISC */
/* What one way of asking a server (TCP connect, later others) gives to the prober, which knows when to ask. */
#ifndef PROBE_KIND_H
#define PROBE_KIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/addr.h"
#include "base/attr.h"
#include "lb/health.h"

struct event_base;

/* Tells the prober the answer; once for each `begin`, unless `destroy` came before. May come from within `begin`. */
typedef void probe_answer(void *check, enum health_reason result);

/* Whom to ask. Does not change as long as the asker lives. */
struct probe_target {
	struct addr addr;
	uint16_t port;
	struct timeval timeout;
	struct event_base *base;
	probe_answer *answer;
	void *check; /* the argument of `answer` */
};

struct probe_kind {
	const char *name; /* as the configuration and the log have it */
	/* An asker, or NULL when memory is out. */
	void *(*create)(const struct probe_target *target);
	/* Gives up what is under way. */
	void (*destroy)(void *asker);
	/* Never called while an answer is outstanding. */
	void (*begin)(void *asker);
};

extern const struct probe_kind probe_tcp;

/* What connect() and SO_ERROR mean for a server's health: 0 is success. */
enum health_reason probe_reason_of(int error);

#endif
