/* SPDX-License-Identifier: ISC */
/*
 * Health checks on the network: checks every server of a model, with libevent, and reports the results. Owns its
 * timers, sockets and processes, not the model. Equal checks of different services run once, and each gets the result.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/health.h"
#include "model/model.h"

struct attempts;
struct children;
struct event_base;
struct checker;

/*
 * `check` is the check's index in the service. The callback may change the server, but must not call the functions
 * below.
 */
typedef void checker_result(void *context, struct server *server, size_t check, const struct check_report *report);

/* NULL when memory is out. `base` and `children` must outlive the checker. SIGPIPE must be ignored. */
NODISCARD struct checker *checker_new(struct event_base *base, struct children *children, checker_result *result,
    void *context);
/*
 * For a process that may open no raw socket: where it gets one for ICMP, connected to that address. It returns a
 * descriptor, or -1 with errno. Before checker_sync().
 */
typedef int checker_ping(void *context, const struct addr *addr);
void checker_set_ping(struct checker *checker, checker_ping *ping, void *context);
/* From now on `attempts` makes the attempts that parse what networks send. Before checker_sync(). */
void checker_set_attempts(struct checker *checker, struct attempts *attempts);
/*
 * Makes the set of checks match `model`; call it after every model_apply(), before the removed servers' memory can be
 * reused. Checks of servers that stay continue undisturbed. Returns 0, or -1 when out of memory: then some servers are
 * not checked, and a later call may succeed.
 */
NODISCARD int checker_sync(struct checker *checker, const struct model *model);
/* How many checks run on the network: equal ones are one job. */
size_t checker_jobs(const struct checker *checker);
/* Nothing is called back any more. */
void checker_free(struct checker *checker);

/* When the next check of a server starts; pure. */

/*
 * Microseconds from the start of one check to that of the next: the interval plus or minus a thirty-second, and the
 * interval itself on average. `first`: from half an interval to a whole one, so that checks which started together
 * spread out. `noise` is the state of the generator and is updated.
 */
uint64_t pace_next(uint32_t *noise, uint64_t interval, bool first);

#endif
