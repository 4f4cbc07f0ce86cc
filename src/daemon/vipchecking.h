/* SPDX-License-Identifier: ISC */
/*
 * The VIP check and the search for conflicts in a running director: when they run, what the log says of them, and what
 * they make of servers' states. What they decide is in vipcheck/.
 */
#ifndef DAEMON_VIPCHECKING_H
#define DAEMON_VIPCHECKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "forward/forward.h"
#include "model/model.h"

/* The server's state may have changed; director_changed() explains the texts. */
typedef void vipchecking_changed(void *context, struct server *server, const char *cause, const char *detail);

struct vipchecking {
	struct forwarder *forwarder;
	bool probes;      /* send VIP checks and conflict probes: when live, not when observing */
	bool source_logged; /* the lack of a probe address has been logged */
	vipchecking_changed *changed;
	void *context;
};

/* Once, after forwarder_init(). It stays where it is. */
void vipchecking_init(struct vipchecking *vipchecking, struct forwarder *forwarder, vipchecking_changed *changed,
    void *context);
/* After each change of the model. -1 when memory is out. */
NODISCARD int vipchecking_sync(struct vipchecking *vipchecking, struct model *model, uint64_t now);
/* Sends what is due; forward_vipcheck_due() gives the next time. */
void vipchecking_run(struct vipchecking *vipchecking, uint64_t now);
/* Once a second: probes for conflicts, logs findings, reacts. */
void vipchecking_tick(struct vipchecking *vipchecking, struct model *model, bool announces, uint64_t now);

#endif
