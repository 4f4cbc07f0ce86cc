/* SPDX-License-Identifier: ISC */
/*
 * The single description of this director's role for a group, used by log, dsrctl, status page, JSON, metrics and
 * doctor.
 */
#ifndef ROLE_STATUS_H
#define ROLE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "role/role.h"

#define ROLE_REASON 200

struct role_status {
	char name[ROLE_GROUP];
	char source[ROLE_SOURCE_TEXT]; /* role_source_text() */
	bool given;                    /* there are other directors */
	bool used;                     /* a service is in the group */
	struct role role;
	uint64_t since;                /* clock of the director */
	char reason[ROLE_REASON];      /* of the state: who ordered it, or what happened */
	bool warm;                     /* all was present once */
	bool ready;                    /* it could take over, or is active */
	char unready[ROLE_REASON];     /* why it is not; empty: it is */
	/* another director that claims the VIPs as well, while this one is active or was; zero: none */
	struct mac rival;
	uint64_t rival_seen;
};

#endif
