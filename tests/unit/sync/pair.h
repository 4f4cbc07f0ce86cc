/* SPDX-License-Identifier: ISC */
/*
 * Two directors in memory with a link between them: what one sends the other receives, unless the test cuts, delays or
 * changes it. Service "web" on TCP and SCTP 80 with servers s1 to s4, "dns" on UDP 53 with s1 and s2.
 */
#ifndef TESTS_UNIT_SYNC_PAIR_H
#define TESTS_UNIT_SYNC_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../scene/scene.h"
#include "sync/link.h"

#define PAIR_PIPE (1U << 20)

struct side {
	struct scene scene;
	struct share *share;
	struct link link;
	struct wire_hello own;
	uint64_t serial;
	uint64_t wall;    /* its clock, seconds */
	bool up;
	enum link_event last;
	/* What is on its way to it. */
	uint8_t *pipe;
	size_t waiting;
	bool reads;       /* false: it takes nothing */
	uint64_t frames;  /* that were sent to it */
	uint64_t bytes;
	unsigned types[WIRE_FRAGMENTS + 1]; /* of the frames it sent, sealed or not */
	unsigned orders;
	unsigned fragments;
};

struct pair {
	struct side sides[2];
	struct session_secret secrets[2];
	unsigned connections; /* so far: each has other nonces */
};

/* The first side begins connections. Neither is connected yet. */
void pair_open(struct pair *pair, const char *scheduler);
void pair_close(struct pair *pair);
void pair_connect(struct pair *pair);
void pair_disconnect(struct pair *pair);
/* Time goes on, in steps of 10 ms, and bytes travel. */
void pair_run(struct pair *pair, uint64_t time);
/* Until both have their bulk, or the test fails. */
void pair_settle(struct pair *pair);
/* Another table on that side. */
void pair_update(struct side *side);
/* Another process takes the side's place: a new boot, empty tables. */
void pair_restart(struct pair *pair, unsigned index, const char *scheduler);
/* TCP connections of the client's ports first.. are opened on the side, with data after half a second. */
void pair_begin_flows(struct side *side, uint16_t first, unsigned count);
/* One more segment of each. */
void pair_use_flows(struct side *side, uint16_t first, unsigned count);
/* The name of the server that the side's table has for the port's flow, or NULL. */
const char *pair_server_of(struct side *side, uint16_t port);
/* The one that a segment of it would reach there: the table's, else the hash's. */
const char *pair_would_reach(struct side *side, uint16_t port);
/* So many of these flows would reach other servers at the second side. */
unsigned pair_count_broken(struct pair *pair, uint16_t first, unsigned count);

#endif
