/* SPDX-License-Identifier: ISC */
/* One question to one server on loopback, and its answer. */
#ifndef TESTS_UNIT_CHECK_ASKING_H
#define TESTS_UNIT_CHECK_ASKING_H

#include <stddef.h>
#include <sys/types.h>

#include "check/kind.h"

struct asking {
	struct check_target target; /* fill in before asking_ask() */
	unsigned answers;
	enum health_reason reason;
	int weight;
	char detail[400];
};

/* 127.0.0.1, a timeout of a second. */
void asking_begin(struct asking *asking, enum check_kind kind);
/* An asker that remembers from one question to the next, and its end. */
void *asking_asker(struct asking *asking);
void asking_ask_with(struct asking *asking, void *asker);
void asking_drop(struct asking *asking, void *asker);
/* Asks and waits for the one answer; fails the test when there is none. The asker lives until asking_end(). */
void asking_ask(struct asking *asking);
/* Lets the loop go on for a while. */
void asking_wait(struct asking *asking, unsigned milliseconds);
/* Begins to ask, waits a bit and gives up before the answer. */
void asking_give_up(struct asking *asking, unsigned milliseconds);
void asking_end(struct asking *asking);
void asking_bytes(struct check_bytes *bytes, const char *text);

/* A socket bound to a free port of 127.0.0.1; SOCK_STREAM listens. */
int asking_socket(int type, uint16_t *port);

/* A process of its own that serves `count` connections, each by `serve(fd, context)`. */
pid_t asking_serve(int listener, unsigned count, void (*serve)(int fd, const void *context), const void *context);
/* Its end. */
void asking_unserve(pid_t pid);

#endif
