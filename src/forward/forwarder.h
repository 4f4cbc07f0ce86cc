/* SPDX-License-Identifier: ISC */
/* What forward_frame() and its stages read and write, and the verdict that they give. */
#ifndef FORWARD_FORWARDER_H
#define FORWARD_FORWARDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/iface.h"
#include "flow/conn.h"
#include "flow/stats.h"
#include "flow/flood.h"
#include "flow/fragment.h"
#include "flow/source.h"
#include "forward/neigh.h"
#include "forward/next_hop.h"
#include "forward/responder.h"
#include "forward/routers.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "role/claim.h"
#include "role/role.h"
#include "sched/fwdtab.h"
#include "vipcheck/conflict.h"
#include "vipcheck/probe_addr.h"
#include "vipcheck/vipcheck.h"

enum verdict {
	VERDICT_PASS = 0, /* not for a VIP: the host's own stack has its copy, nothing to do */
	VERDICT_CONSUMED, /* an ARP frame, neighbor discovery or ping: answered, or learned from */
	VERDICT_FORWARD,  /* emitted, re-addressed to `server` */
	VERDICT_HOLD,     /* a fragment that waits for its first one */
	VERDICT_DROP      /* for a VIP, and not forwarded because of `reason` */
};

/* The decision, for explanations. The pointers are valid until the next table. */
struct decision {
	enum verdict verdict;
	enum drop_reason reason;
	const struct fwd_service *service; /* NULL when it was not found out */
	const struct fwd_server *server;
	bool new_flow;
	enum conn_state state;             /* of the flow, after this frame */
};

struct offload_cache;

#define FORWARD_PEER_MACS 64

struct forwarder {
	/* Set by the owner, which may replace them between two frames. */
	const struct fwdtab *table;
	const struct iface *ifaces; /* frame->iface is an index into them */
	size_t iface_count;
	struct frame_tx tx;
	struct offload_cache *offload; /* flows that the kernel carries, or NULL: offload/cache.h */
	/*
	 * With `offload`: calls forward_learn() for all frames that the kernel has forwarded so far and that were not
	 * learned yet; returns whether there were any. May be NULL.
	 */
	bool (*learn)(void *context);
	void *learn_context;
	const struct role_config *roles; /* of the table; NULL: no other directors are known */
	uint8_t duties[ROLE_GROUPS]; /* ROLE_ANSWERS, ROLE_FORWARDS: for the VIPs of each group. All at first */
	bool shared;    /* other directors may have flows of any VIP: it has peers */
	uint64_t began; /* when it went into service, for flows that are older than it; 0: it never was without them */
	uint64_t lost;         /* as in struct vipcheck_tx */
	uint64_t unread_since; /* as there */

	/* The forwarder's, from forwarder_init() to forwarder_clear(). */
	struct conn_table *conns;
	struct conn_table *persist; /* clients that go to the same server again: keys without ports */
	struct fragment_table *fragments;
	struct limit_table *limits; /* clients of services with `limit-new` */
	struct neigh_table *neighbors;
	struct next_hops next_hops;
	struct announcer *announcer;
	struct vipcheck_table *vipchecks;
	struct ping_limit pings;
	struct routers routers;
	struct mac peer_macs[FORWARD_PEER_MACS]; /* that other directors have named as their own */
	size_t peer_mac_count;
	struct role_claim peers[ROLE_GROUPS];   /* other directors' claims of a group's VIPs */
	/* claims by any other host, while this director does not answer for them */
	struct role_claim others[ROLE_GROUPS];
	struct probe_addrs probe_addrs;
	struct conflict_table conflicts;
	struct craft *craft;
	struct ping_limit tunnel_errors; /* ICMP errors about packets in tunnels that are looked at */
	bool paths_changed; /* a path's MTU was learned: a new table is due. The owner resets it */
	struct ping_limit too_bigs; /* answers to packets that no tunnel takes */
	struct ping_limit icmp_by_hash; /* errors about unknown flows, by VIP */
	uint8_t *wrapped; /* room for a frame and the header of a tunnel */
	uint8_t *scratch; /* room for one segment, or an answer with a VLAN tag */
	struct forward_stats stats;
	uint64_t begun;       /* SYNs and datagrams of unknown flows */
	struct flood flood;   /* of these */
};

#endif
