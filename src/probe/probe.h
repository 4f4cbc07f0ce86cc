/* SPDX-License-Identifier: ISC */
/*
 * Health checks on the wire: asks every server of a model, by libevent, and tells the result. Owns its timers and
 * sockets, not the model.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "base/attr.h"
#include "lb/health.h"
#include "lb/model.h"

struct event_base;
struct prober;

/*
 * `detail` is for the log: what was asked, "tcp 192.0.2.11:80". The callback may change the server's health, but must
 * not call the functions below.
 */
typedef void probe_result(void *context, struct server *server, enum health_reason result, const char *detail);

/* NULL when memory is out. `base` must outlive the prober. */
NODISCARD struct prober *prober_new(struct event_base *base, probe_result *result, void *context);
/*
 * Makes the set of checks what `model` says; call it after every model_apply(), before the removed servers' memory
 * could be used. Checks of servers that stayed go on undisturbed. 0, or -1 when memory is out: then some of the new
 * servers are not checked, and a later call may mend it.
 */
NODISCARD int prober_sync(struct prober *prober, const struct model *model);
/* Nothing is called back any more. */
void prober_free(struct prober *prober);

#endif
