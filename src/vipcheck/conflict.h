/* SPDX-License-Identifier: ISC */
/*
 * Who else tells the network of a VIP. The director alone may: a real server that answers for the VIP, announces it, or
 * puts it into its own ARP requests draws clients to itself, past the director, at moments that nobody can foresee. So the
 * director asks for its own VIPs, as if it did not know, and listens to what others say.
 *
 * A finding is one kind of misdeed, of one MAC address, about one VIP. It stays readable until the same place is needed
 * for another.
 */
#ifndef VIPCHECK_CONFLICT_H
#define VIPCHECK_CONFLICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "base/iface.h"
#include "model/model.h"
#include "proto/arp.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/ndp.h"

#define WATCH_FINDINGS 64           /* anybody can forge MAC addresses: the oldest finding gives way */
#define WATCH_QUIET SECONDS(60)     /* so long silent, and it counts as over */
#define WATCH_UNANSWERED 3          /* who answers for the VIP and leaves so many questions in a row unanswered has stopped */

enum conflict_kind {
	WATCH_ANSWERS = 0, /* ARP replies and solicited advertisements */
	WATCH_ANNOUNCES,   /* unasked for, or asks whether the VIP is free to take */
	WATCH_ASKS_AS,     /* asks for others in the VIP's name, which teaches just as well */
	WATCH_SENDS_BACK,  /* sends the VIP's packets back to the director */
	WATCH_KIND_COUNT
};

struct finding {
	enum conflict_kind kind;
	struct addr vip;
	struct mac mac;
	uint16_t iface;
	uint64_t first;
	uint64_t last;
	uint64_t count;
	uint64_t told;     /* when it was last logged; 0: not yet */
	uint64_t answered; /* when the VIP was last announced because of it */
	uint64_t asked;    /* when the VIP was last asked for, since it was heard */
	unsigned unanswered;
	bool ended;        /* watch_ended() has returned it */
};

struct watch {
	struct finding findings[WATCH_FINDINGS];
	size_t count;
	uint64_t total;    /* of all that was heard */
	uint64_t next_ask;
	size_t next_vip;
	unsigned rounds;
	uint64_t next_follow_up;
};

/* All the VIPs are asked for anew, as at a start. */
void conflict_begin(struct watch *watch, uint64_t now);
/*
 * Asks for VIPs when it is time, and every other second for those that another host answers for, to notice the end: call it
 * about once a second. The number of frames.
 */
size_t conflict_tick(struct watch *watch, const struct model *model, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now);

/* What others say; `mac` is none of ours. `sender` or `target` is a VIP on that interface. */
void conflict_receive_arp(struct watch *watch, uint16_t iface, const struct arp *arp, bool to_all, uint64_t now);
void conflict_receive_ndp(struct watch *watch, uint16_t iface, const struct ndp *ndp, const struct mac *mac, uint64_t now);
void conflict_receive_bounce(struct watch *watch, uint16_t iface, const struct addr *vip, const struct mac *mac, uint64_t now);

/*
 * The next finding that somebody should be told of: new, or still going on an hour after it was told last. Each once.
 * `known`: is it a server's MAC? A new one that is not is held back for a moment, until servers' MACs are known.
 */
struct finding *conflict_news(struct watch *watch, bool (*known)(const void *context, const struct finding *finding),
    const void *context, uint64_t now);
bool conflict_has_ended(const struct finding *finding, uint64_t now);
/* The next finding that has ended. Each once. */
struct finding *watch_ended(struct watch *watch, uint64_t now);
/* Is it time to announce the VIP because of it? Not more often than RFC 5227 section 2.4 lets a host defend itself. */
bool conflict_may_announce(struct finding *finding, uint64_t now);

const char *conflict_kind_name(enum conflict_kind kind); /* "answers": for programs */
const char *conflict_kind_sentence(enum conflict_kind kind);

#endif
