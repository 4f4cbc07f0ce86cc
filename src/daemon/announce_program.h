/* SPDX-License-Identifier: ISC */
/*
 * `announce = program PATH`: runs PATH VIP up|down|drain, with the metric and the group in its environment. One program
 * runs at a time, so that orders come in their sequence; what changes meanwhile is told once, as it is then.
 */
#ifndef DAEMON_ANNOUNCE_PROGRAM_H
#define DAEMON_ANNOUNCE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "announce/announce.h"
#include "base/addr.h"
#include "base/attr.h"

struct announce_program;
struct children;

#define ANNOUNCE_PROGRAM_REASON 200

/* `ended`: the program for `addr` has ended; `reason` NULL: well, else why not. Another one can be started. */
typedef void announce_program_ended(void *context, const struct addr *addr, const char *reason);

/* NULL when memory is out. */
NODISCARD struct announce_program *announce_program_new(struct children *children, announce_program_ended *ended,
    void *context);
/* NULL is fine. */
void announce_program_free(struct announce_program *program);
bool announce_program_is_running(const struct announce_program *program);
/* `metric` 0: the VIP is withdrawn. 0, or -1 with errno. Not while one runs. */
NODISCARD int announce_program_start(struct announce_program *program, const struct announce_settings *settings,
    const struct announce_vip *vip, const struct addr *addr, const char *group);

#endif
