/* SPDX-License-Identifier: ISC */
/*
 * What all peers of a director have in common: its tables, where each flow came from, which flows a peer needs, and this
 * director as records describe it.
 *
 * A peer needs a flow when its own table would send the flow to another server. Directors that have the same servers and
 * `hash-key` place the middle of a connection alike, by consistent hash, so with a scheduler that goes by hash nothing is
 * sent while no server comes or goes.
 *
 * Pure.
 */
#ifndef SYNC_SHARE_H
#define SYNC_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "flow/conn.h"
#include "flow/fragment.h"
#include "model/model.h"
#include "sched/fwdtab.h"
#include "sync/wire.h"

#define SHARE_PEERS 7 /* eight directors in all: each sends to each */

/* The two tables whose entries are shared. */
enum share_table {
	SHARE_FLOWS = 0,
	SHARE_CLIENTS, /* of persistence */
	SHARE_TABLES
};

/* The entry of that number has changed, or is about to be removed. Must not change the table. */
typedef void share_news(void *context, enum share_table which, uint32_t number, bool removed);

struct share_watcher {
	share_news *news; /* NULL: free */
	void *context;
};

/* Is this director the one that clients' frames for the VIP reach? */
typedef bool share_active(void *context, const struct fwd_vip *vip);

/*
 * First fragments that wait for feeds, and how many of a second are shared: as many as a table of fragments remembers.
 * Anyone can forge more of them.
 */
#define SHARE_FRAGMENTS 1024
#define SHARE_FRAGMENT_RATE 4096

struct share_fragment {
	struct fragment_key key;
	struct server_ref server;
};

/* A peer's first fragment went to that server here; `key` has the number of the VIP here. */
typedef void share_take_fragment(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now);

struct share {
	struct model *model;
	struct conn_table *tables[SHARE_TABLES];
	share_active *active; /* NULL: always */
	void *context;
	/* Of the table in force; by numbers of VIPs and services. */
	const struct fwdtab *table;
	uint64_t serial;
	size_t iface_count;
	const struct fwd_vip **vips;
	const struct service **services;
	uint64_t *candidates;
	uint64_t configuration; /* a hash of what wire_service and wire_server have of it */
	/* Who sent a flow, by its number: 0 no one, else an identity that share_source() gave. */
	uint8_t *origins[SHARE_TABLES];
	uint32_t held[UINT8_MAX + 1]; /* flows, by that identity */
	bool live[UINT8_MAX + 1]; /* by identity: that peer is connected, and has what it sent */
	uint8_t last_source;
	struct wire_self self;  /* what this director says about itself */
	uint64_t self_serial;   /* grows when its roles or MAC addresses are others */
	struct fragment_table *fragment_table; /* NULL: fragments are not shared */
	struct share_fragment *fragments; /* a ring */
	uint64_t fragment_count; /* so far: the last SHARE_FRAGMENTS are in the ring */
	uint64_t fragment_second;
	uint32_t fragment_rate; /* in that second */
	uint64_t fragments_unshared; /* because there were too many */
	/* May be NULL. There is something to send at once; and a peer's fragment. */
	void (*urgent)(void *context);
	share_take_fragment *take_fragment;
	void *fragment_context;
	bool taking; /* an intake is changing the tables: no news for peers */
	struct share_watcher watchers[SHARE_PEERS + 1]; /* a connection that takes the place of another */
};

/*
 * NULL when memory is out. Tables and model must outlive it. While it exists it has conn_table_on_change() of both tables.
 */
NODISCARD struct share *share_new(struct model *model, struct conn_table *conns, struct conn_table *persist);
void share_free(struct share *share);
/* Another table is in force: `serial` differs from all before. Before anything else after each change. */
void share_update(struct share *share, const struct fwdtab *table, uint64_t serial, size_t iface_count);

/* Up to SHARE_PEERS + 1 at a time. */
void share_watch(struct share *share, share_news *news, void *context);
void share_unwatch(struct share *share, const void *context);

/* First fragments of the table are shared, and those of peers handed to `take`. `table` must outlive the share. */
void share_set_fragments(struct share *share, struct fragment_table *table, share_take_fragment *take,
    void (*urgent)(void *context), void *context);
/* What this director says about itself; bytes that are not used must be zero. True: peers need to know at once. */
bool share_set_self(struct share *share, const struct wire_self *self);

/* An identity for what a process of a peer sends. */
uint8_t share_source(struct share *share);
/* The entry came from there. */
void share_set_origin(struct share *share, enum share_table which, const struct conn *conn, uint8_t source);
void share_set_live(struct share *share, uint8_t source, bool live);
/* Did a connected peer send it, and no frame of it was seen here since? Then every peer has it. */
bool share_is_theirs(const struct share *share, enum share_table which, const struct conn *conn);
bool share_is_active(const struct share *share, const struct fwd_vip *vip);

/* Frames of this flow would go to another server if the flow were not in the table. */
bool share_deviates(const struct fwd_vip *vip, const struct fwd_service *service, const struct conn *conn);

/* This director's records. */
void share_service(const struct share *share, const struct service *service, struct wire_service *record);
void share_server(const struct server *server, struct wire_server *record);

#endif
