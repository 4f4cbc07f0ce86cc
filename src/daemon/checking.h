/* SPDX-License-Identifier: ISC */
/*
 * The checker beside the director: which process it is, and what is wrong with it. The privileged process forks it;
 * where there is none, the director makes all attempts itself.
 */
#ifndef DAEMON_CHECKING_H
#define DAEMON_CHECKING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "check/attempts.h"
#include "os/sandbox.h"

struct checking;
struct event_base;
struct privsep;

/* `privsep` is not NULL. NULL when memory is out. */
NODISCARD struct checking *checking_new(struct event_base *base, struct privsep *privsep);
/* NULL is fine, here and below. */
void checking_free(struct checking *checking);
struct attempts *checking_attempts(const struct checking *checking);
/* False: there is none now, or it has not confined itself yet. */
bool checking_process(const struct checking *checking, pid_t *pid, const struct os_sandbox **sandbox);
/* Since when no attempt can be made; 0: one can, or that is about to change. */
uint64_t checking_stalled(const struct checking *checking, uint64_t now);
/* How many of these processes have ended within ATTEMPTS_MEMORY. */
unsigned checking_losses(const struct checking *checking);
/* What happened last, or why no process could be started; empty: nothing. */
const char *checking_reason(const struct checking *checking);

#endif
