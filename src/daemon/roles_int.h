/* SPDX-License-Identifier: ISC */
/* The inside of roles.c and roles_rival.c. */
#ifndef DAEMON_ROLES_INT_H
#define DAEMON_ROLES_INT_H

#include "base/duration.h"
#include "daemon/roles.h"
#include "forward/responder.h"
#include "model/settings.h"

struct group {
	struct role_status status;
	struct role_settings settings;
	enum role_event said;     /* what the source said last */
	uint64_t due;             /* of its timer; 0: none */
	enum role_event due_event;
	bool contested;           /* a peer took over in the first seconds of this director's being active */
	uint64_t claim_seen;      /* the latest claim that was dealt with */
	uint64_t reminded;
	uint64_t asked;
	/* As directors that are connected know it: role/word.h. */
	uint64_t epoch;           /* of this director's being active */
	uint64_t known;           /* the highest of all */
	char yielded_to[NAME_MOST]; /* empty: to none that is connected */
	char outlives[NAME_MOST]; /* a peer that is active as well, and will yield */
};

struct roles {
	struct director *director;
	struct interfaces *interfaces;
	struct group groups[ROLE_GROUPS];
	struct role_status statuses[ROLE_GROUPS]; /* copies, one behind the other, for reports */
	size_t count;
	bool given;               /* a role is configured */
	uint64_t looked;          /* 0: not yet */
	uint64_t next;
	char no_table[ROLE_REASON];
	char ready_file[ROLE_PATH];
	int ready_said;           /* -1: nothing yet */
	void (*ticked)(void *context); /* may be NULL */
	void *context;
};

/* The event, and what follows from it. `reason` is for people, and for the log. */
void roles_take(struct roles *roles, size_t index, enum role_event event, const char *reason, uint64_t now);
void roles_announce(struct roles *roles, size_t index, enum announce how, uint64_t now);
/* roles_rival.c: what other directors claim, by ARP and neighbor discovery. */
void roles_hear_claims(struct roles *roles, size_t index, uint64_t now);

#endif
