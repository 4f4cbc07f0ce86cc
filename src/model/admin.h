/* SPDX-License-Identifier: ISC */
/*
 * Administrative changes made at run time, kept apart from the configuration. They take effect immediately and survive
 * a reload, with one exception: a weight that changed in the configuration replaces one set at run time. A server that
 * is removed from the configuration and added again starts without them.
 */
#ifndef MODEL_ADMIN_H
#define MODEL_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

struct server;

enum admin_state {
	ADMIN_ENABLED = 0, /* as the file has it */
	ADMIN_DRAINED,     /* its flows go on, new ones go elsewhere */
	ADMIN_DISABLED     /* as if it were down: what happens to its flows is `on-down` */
};

#define ADMIN_NAME 33 /* bytes, with the end: useradd(8) allows 32 */

/* The user who made a change with dsrctl, and the time. */
struct admin_author {
	int64_t user;  /* the user ID; -1: not available on this system */
	char name[ADMIN_NAME]; /* and name, from [A-Za-z0-9_.-]; empty when it is not known */
	uint64_t when; /* seconds since 1970; 0: no one has */
};

struct admin {
	enum admin_state admin;
	struct admin_author admin_by;  /* of the last change of `admin`; so below of `weight` */
	struct admin_author weight_by;
	bool weighted;        /* `weight` stands for the file's */
	uint32_t weight;
	uint64_t drain_began; /* of ADMIN_DRAINED: when, in microseconds, ... */
	uint32_t drain_flows; /* ... and how many flows it had */
	uint64_t drain_until; /* then the server is disabled, in microseconds; 0: the drain goes on */
	bool overruled;       /* model_apply() has just taken `weight` back */
};

/* Both return whether anything changes. Setting the configured weight removes the override. */
bool admin_admin(struct server *server, enum admin_state admin, uint64_t now);
bool admin_weight(struct server *server, uint32_t weight);
/* The configured weight is now `weight`, and was settings.weight before. */
void admin_reload(struct server *server, uint32_t weight);

/* True if anything differs from the configuration. */
bool admin_differs(const struct server *server);
/* The operator's weight, else the file's; whether it is drained or not. */
uint32_t admin_given_weight(const struct server *server);
/* The flows it has, active or not. */
uint32_t admin_flows(const struct server *server);
/*
 * How long a drain will go on if flows leave as they did since it began, microseconds; 0 when none is left, UINT64_MAX
 * when none has left yet.
 */
uint64_t admin_drain_estimate(const struct server *server, uint64_t now);
/*
 * The author of an order that is given now, after the one that is known of the server: its date is later, whatever the
 * clocks of directors say, so that it wins wherever it is sent.
 */
struct admin_author admin_author_after(const struct admin_author *author, const struct admin_author *known);
/* Takes a name that is one; leaves the author without a name otherwise. */
void admin_author_set_name(struct admin_author *author, const char *name);
/* The name, or "-", for a line of the log. */
const char *admin_author_name(const struct admin_author *author);
/* "by root (uid 0) at 2026-11-30T09:06:12Z"; "by an operator", where nothing is known. Returns `text`. */
#define AUTHOR_TEXT 128
const char *admin_author_text(const struct admin_author *author, char text[AUTHOR_TEXT]);
const char *admin_state_name(enum admin_state admin); /* "enabled", "drained", "disabled" */

#endif
