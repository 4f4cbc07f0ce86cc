/* SPDX-License-Identifier: ISC */
/*
 * Schedulers: which server gets a new flow. One vtable, one file a family; pick.c has the list. A scheduler sees only
 * candidates, servers that can take a flow now, so that it never has to ask.
 */
#ifndef LB_PICK_H
#define LB_PICK_H

#include "lb/conn.h"

struct fwd_server;
struct fwd_service;

struct scheduler {
	const char *name;
	const char *use_when; /* one sentence for the manual */
	/* `service` has at least one candidate. Never NULL. */
	struct fwd_server *(*pick)(const struct fwd_service *service, const struct conn_key *key);
};

extern const struct scheduler pick_rr;
extern const struct scheduler pick_wrr;
extern const struct scheduler pick_lc;
extern const struct scheduler pick_wlc;

/* NULL when there is none of that name. */
const struct scheduler *scheduler_find(const char *name);
/* All names, NULL at the end. */
const char *const *scheduler_names(void);

#endif
