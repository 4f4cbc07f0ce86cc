/* SPDX-License-Identifier: ISC */
/*
 * The probes of `dsrctl doctor` besides the VIP check (vipcheck/vipcheck.h): which hosts answer ARP for the VIP, for
 * the server's own address and for unused addresses, and where the server sends answers to clients of other networks.
 * The own address is requested twice: without a sender address, which is answered whatever the server's routes are,
 * then from the director's, which a server that treats the director's network as local does not answer. Pure: frames
 * leave by a frame_tx and arrive by examine_hear(). There are two rounds, some tenths of a second apart: answers after
 * the first are to broadcasts, answers after the second to unicasts to the server.
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

#define EXAMINE_MOST 512  /* pairs of server and VIP: more are not examined */
#define EXAMINE_UNUSED 2  /* addresses that no host has; all must be answered for */

/* One server and one of its VIPs, and the answers. */
struct subject {
	struct server_ref ref;
	struct addr vip;
	struct addr own;
	struct mac mac;         /* the server's: known before, or learned in the first round */
	uint16_t iface;
	uint16_t port;          /* of the service, TCP; 0: it has none */
	struct addr unused[EXAMINE_UNUSED];
	struct addr far;        /* a client in another network */
	uint16_t far_port;
	uint32_t far_sequence;

	bool first;             /* of this machine: only this one runs the probes that do not depend on the VIP */
	bool asks_from_far;     /* a probe from `far` finds the machine's gateway for the VIP's family */
	bool requested_as;          /* `own` was requested with the director's address as sender ... */
	bool answered_as;       /* ... and answered */
	bool present;           /* `mac` answered for `own`, to any sender */
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
	unsigned round;         /* 1 or 2; 0: not started */
	uint64_t random;        /* set by the caller: makes addresses and ports unguessable */
};

/* Adds the server with each of its service's VIPs. False when there is no more room. */
bool examine_add(struct examination *examination, const struct server *server, const struct iface *ifaces,
    size_t iface_count);
/* True if no request for the server's own address was answered. Valid after the second round only. */
bool examine_is_silent(const struct examination *examination, const struct subject *subject);
/* Sends the next round. */
void examine_ask(struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx);
void examine_hear(struct examination *examination, const struct frame *frame, const struct model *model,
    const struct iface *ifaces, size_t iface_count);
/* Takes back what was begun with servers. */
void examine_end(const struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx);

#endif
