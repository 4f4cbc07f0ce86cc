/* SPDX-License-Identifier: ISC */
/*
 * What is decided about a flow, apart from what is done about it: stage_flow.c acts on these answers, explain.c tells of
 * them, so that an explanation cannot differ from what happens. Nothing here changes anything, but for what the scheduler
 * keeps about its own turn: whoever only wants to know gives a copy of the service (explain.c). Private to these files.
 *
 * Of the passage they read `packet` (protocol and addresses), `flags`, `vip` and `key`.
 */
#ifndef LB_FLOW_H
#define LB_FLOW_H

#include "lb/explain.h"
#include "lb/passage.h"

/* How a flow that nobody knows gets its server. */
struct flow_plan {
	struct fwd_server *server;    /* NULL: none, because of `reason` */
	struct fwd_server *scheduled; /* the scheduler's choice, though it is full and another one serves; else NULL */
	enum flow_way way;
	enum drop_reason reason;
	enum conn_state state;        /* the flow's first */
	bool remembered;              /* it is worth a place in the flow table */
};

/* Sets `key` from packet and VIP. */
void flow_name(struct passage *passage);
/* TCP's flags, or SCTP's chunk as the flags that do the same to a connection; 0 of UDP. */
uint8_t flow_flags(const struct passage *passage);
enum conn_state flow_next_state(const struct passage *passage, enum conn_state state);
/* May this flow, whose server is `server` (NULL: gone), stay where it is? */
bool flow_stays(const struct passage *passage, enum conn_state state, const struct fwd_server *server);
/* Is the client's last server asked, if the service has persistence? */
bool flow_may_persist(const struct passage *passage, const struct fwd_service *service);
/* A client as persistence sees it: its network, on any port of the service. */
void flow_persist_key(const struct passage *passage, const struct fwd_service *service, struct conn_key *key);
/* `last`: the server that persistence remembers, or NULL. */
struct flow_plan flow_plan(const struct passage *passage, const struct fwd_service *service, struct fwd_server *last);
/* The same, when the flow cannot be remembered: by consistent hash. */
struct fwd_server *flow_by_hash(const struct passage *passage, const struct fwd_service *service);
bool flow_has_room(const struct fwd_server *server);

#endif
