/* SPDX-License-Identifier: ISC */
/*
 * What `dsrctl doctor` asks servers beside the VIP probe (vipcheck/vipcheck.h): who answers ARP for the VIP, for the
 * server's own address and for addresses that no host has, and where the server sends answers to clients of other
 * networks. The own address is asked for twice: with no sender's address, which is answered whatever the server's routes
 * are, then with the director's, which a server that takes the director's network for its own does not answer.
 * Pure: frames out by an tx, frames in by examine_hear(). Two rounds of questions, some tenths of a second apart:
 * what comes after the first answers questions to all, what comes after the second those to the server alone.
 */
#ifndef DOCTOR_EXAMINE_H
#define DOCTOR_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "model/model.h"
#include "proto/craft.h"
#include "proto/frame.h"

#define EXAMINE_MOST 512  /* a server and VIP each: more are not asked */
#define EXAMINE_UNUSED 2  /* addresses that no host has; all must be answered for */

/* One server and one of its VIPs, and what was heard of them. */
struct subject {
	struct server_ref ref;
	struct addr vip;
	struct addr own;
	struct mac mac;         /* the server's: known before, or heard in the first round */
	uint16_t iface;
	uint16_t port;          /* of the service, TCP; 0: it has none */
	struct addr unused[EXAMINE_UNUSED];
	struct addr far;        /* a client in another network */
	uint16_t far_port;
	uint32_t far_sequence;

	bool first;             /* of this machine: what does not depend on the VIP is asked for it alone */
	bool asks_from_far;     /* a question from `far` finds the machine's gateway for the VIP's family */
	bool asked_as;          /* `own` was asked for with the director's address as sender ... */
	bool answered_as;       /* ... and answered */
	bool present;           /* `own` was answered for by `mac`, whoever asked */
	struct mac twin;        /* a second MAC that answers for `own` */
	bool arp_broadcast;
	bool arp_unicast;
	struct mac foreign;     /* neither a server's nor ours, and answers for the VIP */
	bool unused_answered[EXAMINE_UNUSED];
	bool gateway;
};

struct examination {
	struct subject subjects[EXAMINE_MOST];
	size_t count;
	unsigned round;         /* 1 or 2; 0: nothing was asked yet */
	uint64_t random;        /* the caller's: makes addresses and ports unguessable */
};

/* The server with each of its service's VIPs. False when there is no more room. */
bool examine_add(struct examination *examination, const struct server *server, const struct iface *ifaces,
    size_t iface_count);
/* Did no answer for the server's own address come, to any question? Only after the second round. */
bool examine_is_silent(const struct examination *examination, const struct subject *subject);
/* Asks the next round. */
void examine_ask(struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx);
void examine_hear(struct examination *examination, const struct frame *frame, const struct model *model,
    const struct iface *ifaces, size_t iface_count);
/* Takes back what was begun with servers. */
void examine_end(const struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx);

#endif
