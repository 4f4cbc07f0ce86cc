/* SPDX-License-Identifier: ISC */
/* One check of one server on loopback, and its result. */
#ifndef TESTS_UNIT_CHECK_BENCH_H
#define TESTS_UNIT_CHECK_BENCH_H

#include <stddef.h>
#include <sys/types.h>

#include "check/runner.h"

struct bench {
	struct check_target target; /* fill in before bench_run() */
	unsigned answers;
	enum health_reason reason;
	int weight;
	char detail[400];
};

/* From now on another process makes the attempts, where that is possible; fixtures. */
void bench_use_checker(void);
void bench_use_none(void);

/* 127.0.0.1, a timeout of a second. */
void bench_begin(struct bench *bench, enum check_kind kind);
/* A runner that keeps its state from one check to the next, and its end. */
void *bench_runner(struct bench *bench);
void bench_run_with(struct bench *bench, void *runner);
/* The same, while this process stands still after the begin. */
void bench_run_held_up(struct bench *bench, void *runner, unsigned milliseconds);
void bench_drop(struct bench *bench, void *runner);
/* Runs the check and waits for its result; fails the test when there is none. The runner lives until bench_end(). */
void bench_run(struct bench *bench);
/* Lets the loop go on for a while. */
void bench_wait(struct bench *bench, unsigned milliseconds);
/* Begins a check and stops it after `milliseconds`, before the result. */
void bench_give_up(struct bench *bench, unsigned milliseconds);
void bench_end(struct bench *bench);
void bench_bytes(struct check_bytes *bytes, const char *text);

/* A socket bound to a free port of 127.0.0.1; SOCK_STREAM listens. */
int bench_socket(int type, uint16_t *port);

/* A process of its own that serves `count` connections, each by `serve(fd, context)`. */
pid_t bench_serve(int listener, unsigned count, void (*serve)(int fd, const void *context), const void *context);
/* Ends it. */
void bench_unserve(pid_t pid);

#endif
