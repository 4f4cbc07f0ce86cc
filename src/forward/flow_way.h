/* SPDX-License-Identifier: ISC */
/* The ways to find a flow's server: policy.c decides by which, explain.h has functions for the texts. */
#ifndef FORWARD_FLOW_WAY_H
#define FORWARD_FLOW_WAY_H

/* How a server is found. The sentence ends "... goes to the server". */
#define FLOW_WAYS(X) \
	X(NONE, "none", "no server gets it") \
	X(KNOWN, "known", "the flow is known and stays where it is") \
	X(PERSISTENT, "persistent", "the client was there last, and persistence sends it there again") \
	X(SCHEDULED, "scheduled", "the scheduler chooses it for a new flow") \
	X(HASHED, "hashed", "consistent hash chooses it: the beginning of the flow was not seen, or not remembered") \
	X(PREVIOUS, "previous-table", "the servers have just changed, and consistent hash chooses it as before the " \
	    "change: the beginning of the flow was not seen")

enum flow_way {
#define X(id, name, sentence) FLOW_WAY_##id,
	FLOW_WAYS(X)
#undef X
};

#endif
