/* SPDX-License-Identifier: ISC */
/*
 * The roles of a running director: reads where they come from, drives the state machine of each group (role/role.h),
 * and makes the director do what its role says: answer and announce, forward, or be silent.
 *
 *	roles_apply(roles, now);     the model has new settings, before its VIPs are announced
 *	roles_look(roles, now);      first of all, whenever the event loop calls
 *	roles_tick(roles, now);      at roles_due(), and when addresses or links may have changed
 */
#ifndef DAEMON_ROLES_H
#define DAEMON_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "role/status.h"
#include "role/word.h"

struct director;
struct interfaces;
struct roles;

/* Both outlive it. `ready_file` may be empty. NULL when memory is out. */
NODISCARD struct roles *roles_new(struct director *director, struct interfaces *interfaces, const char *ready_file);
/* NULL is fine. Says that this director is not ready. */
void roles_free(struct roles *roles);

void roles_apply(struct roles *roles, uint64_t now);
/*
 * Was the process stopped for so long that another director may have taken over? Then it is silent at once, before any
 * frame or command is looked at, until its role is known again.
 */
void roles_look(struct roles *roles, uint64_t now);
void roles_tick(struct roles *roles, uint64_t now);
/* UINT64_MAX: there is one director, and nothing to watch. */
uint64_t roles_due(const struct roles *roles);

/*
 * An order of a person or program; `by` is for the log. 0; -1 with errno if it is obeyed, and cannot be kept in the
 * file.
 */
NODISCARD int roles_order(struct roles *roles, size_t group, enum role_event order, const char *by, uint64_t now);

/* For the exchange of flows with other directors. */
bool roles_is_active(const struct roles *roles, size_t group);
/* Is the table of flows complete? It is without peers. `why` not: a sentence; it is copied. */
void roles_set_table(struct roles *roles, bool present, const char *why);
/* What this director says about its roles. How many. */
size_t roles_words(const struct roles *roles, struct role_word words[ROLE_GROUPS]);
/* Called after each roles_tick(): the words may be others. */
void roles_on_tick(struct roles *roles, void (*ticked)(void *context), void *context);

/* What a connected peer says about its own. */
struct role_peer {
	const char *name;
	bool wins_ties;          /* this director has the higher boot identity */
	struct mac mac;          /* its first; zero: it has none */
	const struct role_word *words;
	size_t count;
};

void roles_hear(struct roles *roles, const struct role_peer *peer, uint64_t now);

/* For reports. NULL has none. */
size_t roles_count(const struct roles *roles);
const struct role_status *roles_status(const struct roles *roles);

#endif
