/* SPDX-License-Identifier: ISC */
/*
 * Schedulers: which server gets a new flow. schedulers.c has them and their list. A scheduler sees
 * only candidates, servers that can take a flow now, so it need not check.
 */
#ifndef SCHED_SCHEDULER_H
#define SCHED_SCHEDULER_H

#include "flow/conn.h"
#include "sched/select.h"

struct fwd_server;
struct fwd_service;
struct fwd_vip;

struct scheduler {
	const char *name;
	const char *use_when; /* one sentence for the manual */
	enum select_by by_hash; /* chooses by the flow and the candidates alone: the middle of a flow as its beginning */
	/* `service` has at least one candidate. Never NULL. */
	struct fwd_server *(*pick)(const struct fwd_service *service, const struct fwd_vip *vip,
	    const struct conn_key *key);
};

/* Names here and in the configuration. The list is also the order of the manual. */
#define SCHEDULERS(X) \
	X(rr, "rr") X(wrr, "wrr") X(lc, "lc") X(wlc, "wlc") X(sed, "sed") X(nq, "nq") X(sh, "sh") X(maglev, "maglev") \
	X(twos, "twos") X(fo, "fo") X(ovf, "ovf") X(lblc, "lblc") X(dh, "dh") X(random, "random") \
	X(least_latency, "least-latency")

#define X(name, text) extern const struct scheduler pick_##name;
SCHEDULERS(X)
#undef X

/* NULL when no scheduler has that name. */
const struct scheduler *scheduler_find(const char *name);
/* All names, NULL at the end. */
const char *const *scheduler_names(void);

#endif
