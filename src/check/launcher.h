/* SPDX-License-Identifier: ISC */
/*
 * The process that starts programs. It is forked when the daemon starts and is small; the daemon sends it requests and
 * never waits: neither for fork(), which copies the page tables of the flow table, nor for exec(), which waits for the
 * file system that the program is on. It has no descriptor but its end of the socket, gives up root when it is asked
 * to, and ends with all programs when the daemon is gone.
 *
 * A task is a function of dsrd that takes a program's place: what may have to wait for a file system, and so must not
 * run in the daemon.
 */
#ifndef CHECK_LAUNCHER_H
#define CHECK_LAUNCHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

#define LAUNCHER_MESSAGE 16384 /* bytes: the request with all words; the longest command is much shorter */
#define LAUNCHER_REASON 256

#define LAUNCHER_ORDER 256
#define LAUNCHER_OUTCOME 512

/*
 * Gives up root and what else a program must not have. `order` and `outcome` are the daemon's business: bytes from it
 * and to it, aligned as malloc() aligns. 0, or -1 with a reason.
 */
typedef int launcher_become(const void *order, void *outcome, char reason[LAUNCHER_REASON]);

/* In a process of its own. argv[0] is the task's name, output goes to STDOUT_FILENO, the result is the exit status. */
typedef int launcher_task(const char *const *argv);
/* The launcher's own task: writes the file at argv[1]; its exit status is errno, 0: it was read. */
#define LAUNCHER_READ "read"

struct launcher {
	pid_t pid;
	int fd; /* readable: an answer, or the end of the launcher */
};

/* Another way to get one: from a process that may fork it. 0, or -1 with errno. */
typedef int launcher_opener(void *context, struct launcher *launcher);

enum launcher_result {
	LAUNCHER_FAILED, /* `value`: errno of the program that did not start */
	LAUNCHER_ENDED   /* `value`: as waitpid() has it */
};

struct launcher_answer {
	uint32_t result;
	uint32_t id;
	int32_t value;
};

/*
 * Forks. With `become` it starts nothing before launcher_confine(). `task` has the tasks beside LAUNCHER_READ; NULL:
 * there are none. 0, or -1 with errno.
 */
NODISCARD int launcher_open(struct launcher *launcher, launcher_become *become, launcher_task *task);
/* Kills what it has started. */
void launcher_close(struct launcher *launcher);
/*
 * Before the first program. Waits for the answer, as a daemon that starts may. 0, or -1 with a reason. `outcome` has
 * room for LAUNCHER_OUTCOME bytes.
 */
NODISCARD int launcher_confine(struct launcher *launcher, const void *order, size_t size, void *outcome,
    char reason[LAUNCHER_REASON]);
/*
 * argv[0] is an absolute path, or the name of a task; both lists end with NULL. `out`: where its standard output
 * goes; -1: nowhere. Each program leads a process group. 0, or -1 with errno: nothing was started.
 */
NODISCARD int launcher_start(struct launcher *launcher, uint32_t id, const char *const *argv,
    const char *const *environment, int out);
/*
 * To the program's group. After SIGTERM its end is reported only when SIGKILL was sent too: until then the number of
 * its group cannot become another's.
 */
NODISCARD int launcher_signal(struct launcher *launcher, uint32_t id, int number);
/* 1: an answer; 0: none is there; -1: the launcher has ended. */
NODISCARD int launcher_answer(struct launcher *launcher, struct launcher_answer *answer);

#endif
