/* SPDX-License-Identifier: ISC */
/* What `dsrctl top` shows of a director: the part of its report that a screen has room for. */
#ifndef CLI_SNAPSHOT_H
#define CLI_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define SNAPSHOT_NAME 72
#define SNAPSHOT_WHY 128

/* A service, or a server "service/server". */
struct top_line {
	size_t position;    /* in the report */
	bool hidden;        /* by the filter */
	char name[SNAPSHOT_NAME];
	char state[16];
	char scheduler[24]; /* of services; so the next two */
	uint64_t servers_up;
	uint64_t servers;
	char why[SNAPSHOT_WHY]; /* of servers; so all below but rates */
	uint64_t weight;
	uint64_t active;
	uint64_t inactive;
	uint64_t handshake;     /* microseconds; 0: unknown */
	uint64_t connections;   /* a second; so the other three */
	uint64_t packets;
	uint64_t in;
	uint64_t out;
};

struct top_lines {
	struct top_line *rows;
	size_t count;
	size_t shown; /* the first so many; the filter hides the others */
	size_t room;
};

struct snapshot {
	char version[32];
	uint64_t uptime;
	uint64_t flows;
	uint64_t flow_capacity;
	uint64_t dropped; /* frames, for all reasons */
	bool observe;
	struct top_lines services;
	struct top_lines servers;
	bool failed;      /* memory is out */
};

/* Reads the JSON of `show`. 0, or -1: it is none, or memory is out. snapshot_clear() in any case. */
NODISCARD int snapshot_read(struct snapshot *snapshot, const char *json, size_t length);
void snapshot_clear(struct snapshot *snapshot);

enum snapshot_order {
	ORDER_FILE = 0, /* as in the configuration */
	ORDER_OUT,
	ORDER_CONNECTIONS,
	ORDER_ACTIVE,
	ORDER_HANDSHAKE,
	ORDER_STATE,    /* what is not up first */
	ORDER_COUNT
};

#define SNAPSHOT_FILTER 64
struct snapshot_arrangement {
	enum snapshot_order order;
	bool reversed;
	/* part of a name, a state or a reason, or a pattern of names; empty: everything */
	char filter[SNAPSHOT_FILTER];
};

/*
 * Puts what the filter hides last, and sorts the servers; equal ones stay as in the report. Of services those that
 * are not up stand first.
 */
void snapshot_arrange(struct snapshot *snapshot, const struct snapshot_arrangement *arrangement);
const char *snapshot_order_name(enum snapshot_order order);

#endif
