/* SPDX-License-Identifier: ISC */
/*
 * Why a flow goes where it goes: the decision of forward_frame() about a packet that has not come, by the same
 * functions, with nothing changed. What the scheduler would write is written to copies.
 */
#ifndef FORWARD_EXPLAIN_H
#define FORWARD_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "forward/flow_way.h"
#include "forward/forwarder.h"

/* "scheduled": for programs. */
const char *flow_way_name(enum flow_way way);
/* It ends "... goes to the server". */
const char *flow_way_sentence(enum flow_way way);

/* Whether a server takes new flows, and if not, why. */
#define CANDIDACIES(X) \
	X(CANDIDATE, "candidate", "takes new connections") \
	X(WARMING, "warming", "takes new connections, with a smaller weight until `warmup` ends") \
	X(FULL, "full", "has its `max-connections`") \
	X(BACKUP, "backup", "backup: waits until no other server takes connections") \
	X(QUORUM, "quorum", "waits: fewer servers are up than the service's `quorum`") \
	X(PORT_OUT, "port-out", "does not get traffic of this port") \
	X(DRAINING, "draining", "drained, or weight 0: keeps its connections, takes no new ones") \
	X(DISABLED, "disabled", "disabled by an operator") \
	X(DOWN, "down", "its checks fail") \
	X(UNKNOWN, "unknown", "not checked yet") \
	X(VIP_UNKNOWN, "vip-unknown", "whether it accepts the VIP is not known yet") \
	X(VIP_REFUSED, "vip-refused", "it does not accept the VIP") \
	X(CONFLICT, "conflict", "it claims a VIP by ARP or NDP (vip-conflict = remove)") \
	X(NO_INTERFACE, "no-interface", "no interface leads to it") \
	X(NO_NEIGHBOR, "no-neighbor", "its MAC address is unknown: no host answers for its address")

enum candidacy {
#define X(id, name, sentence) CANDIDACY_##id,
	CANDIDACIES(X)
#undef X
};

const char *candidacy_name(enum candidacy candidacy);
const char *candidacy_sentence(enum candidacy candidacy);

struct flow_question {
	uint8_t protocol; /* TCP, UDP or SCTP */
	struct addr client;
	struct addr vip;
	uint16_t client_port;
	uint16_t vip_port;
	uint8_t flags;    /* of TCP; 0: ACK for a flow that is known, else SYN */
};

/* What a table remembers. */
struct remembered {
	bool found;
	enum conn_state state;
	const struct fwd_server *server; /* NULL: not in the configuration any more */
	uint64_t age;                    /* microseconds */
	uint64_t left;                   /* until it is forgotten, if nothing comes; 0: it has expired */
};

struct explanation {
	enum verdict verdict; /* FORWARD, DROP, or PASS: not for a VIP */
	enum drop_reason reason;
	uint8_t flags;        /* that the packet was thought to have */
	const struct fwd_vip *vip;
	const struct fwd_service *service;
	struct remembered flow;
	/* the known flow stays where it is; otherwise it is removed, and the packet begins a new one */
	bool stays;
	struct remembered client;
	enum flow_way way;
	bool full;            /* the flow table has no room for this one */
	const struct fwd_server *server;
	const struct fwd_server *scheduled; /* the scheduler's choice, which is full; else NULL */
	enum conn_state state;              /* of the flow after the packet */
};

/* The pointers are good until the next table. 0, or -1 when memory is out. */
NODISCARD int explain(const struct forwarder *forwarder, const struct flow_question *question, uint64_t now,
    struct explanation *explanation);
enum candidacy explain_candidacy(const struct fwd_service *service, const struct fwd_server *server);

#endif
