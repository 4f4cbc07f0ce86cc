/* SPDX-License-Identifier: ISC */
/*
 * What directors send each other, version 1: a stream of frames, all numbers in network order.
 *
 *	length of the body 4, type 1, zero 3, sequence 8     WIRE_HEADER
 *	body                                                 at most WIRE_BODY
 *	tag                                                  SEAL_TAG, over header and body
 *
 * A body is a list of records of one kind, except of HELLO and STATE, which are one record, and may be longer than this
 * version knows: the rest is ignored. An unknown type ends the connection, unless WIRE_OPTIONAL is set in it; that is how
 * the protocol grows. VIPs, services and servers have numbers of the sender, which it names (VIPS, SERVICES, SERVERS)
 * before it uses them and may name again; addresses are IPv6, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
 *
 * Times are durations, in seconds: clocks need not agree. Only an administrator's order has a date.
 *
 * Pure. No bytes make this code crash, loop, or read outside of them.
 */
#ifndef SYNC_WIRE_H
#define SYNC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/bytes.h"
#include "flow/conn.h"
#include "model/model.h"
#include "role/word.h"
#include "sync/seal.h"

#define WIRE_VERSION 1
#define WIRE_HEADER 16
#define WIRE_BODY 8192 /* some 390 flows: a turn of the event loop handles one frame */
#define WIRE_FRAME (WIRE_HEADER + WIRE_BODY + SEAL_TAG)
#define WIRE_OPTIONAL 0x80

enum wire_type {
	WIRE_HELLO = 1,  /* first, from both sides: session.h */
	WIRE_STATE,      /* several times a second: the sign of life */
	WIRE_RESET,      /* the names that follow replace all from before; no body */
	WIRE_VIPS,
	WIRE_SERVICES,
	WIRE_SERVERS,    /* their names and health; again when these change */
	WIRE_NAMED,      /* all names have been sent; no body */
	WIRE_FLOWS,      /* WIRE_FLOW4 or WIRE_FLOW6 bytes a record */
	WIRE_CLIENTS,    /* of persistence */
	WIRE_ORDERS,     /* of operators */
	WIRE_BULK_END,   /* every flow and client there was has been sent; no body */
	WIRE_FRAGMENTS   /* WIRE_FRAGMENT bytes a record */
};

/* IPVS's are 36 and 72 bytes (struct ip_vs_sync_v4, ip_vs_sync_v6: net/netfilter/ipvs/ip_vs_sync.c). */
#define WIRE_FLOW4 21
#define WIRE_FLOW6 33
#define WIRE_FRAGMENT 25

struct wire_header {
	uint32_t length; /* of the body */
	uint8_t type;
	uint64_t sequence;
};

/* Room to write to. Behind `failed` nothing is written any more. */
struct wire_out {
	uint8_t *at;
	size_t left;
	bool failed;
};

struct wire_flow {
	uint16_t vip;         /* numbers of the sender; so below */
	uint16_t server;
	uint8_t protocol;     /* TCP, UDP or SCTP */
	enum conn_state state;
	uint16_t client_port;
	uint16_t vip_port;
	uint8_t client[16];
	uint32_t age;         /* seconds since it began */
	uint32_t left;        /* seconds until it expires unless it is seen again */
};

struct wire_client {
	uint16_t server;
	uint8_t client[16];   /* or the network's first address */
	uint32_t left;
};

struct wire_vip {
	uint16_t number;
	struct addr addr;
};

/* Parts of a service's configuration that should be the same on all directors: the picture compares a hash of each. */
enum wire_part {
	PART_LISTEN = 0,
	PART_HASH_KEY,
	PART_PERSIST,
	PART_TIMEOUTS,
	PART_CHECKS,
	PART_OTHER,
	PART_COUNT
};

struct wire_service {
	uint16_t number;
	struct addr vip;      /* its first listen identifies the service: the service that has this port at the receiver is the same one */
	uint8_t protocol;
	uint16_t port;
	char name[NAME_MOST];
	char scheduler[NAME_MOST];
	uint32_t parts[PART_COUNT];
	uint64_t candidates; /* a hash of the servers that take new flows, with their weights: share.h */
};

#define WIRE_REASON 96

struct wire_server {
	uint16_t number;
	uint16_t service;
	struct addr addr;
	char name[NAME_MOST];
	uint32_t file_weight;
	uint32_t weight;      /* now: 0 while it is drained; of an operator or a check, else of the file */
	enum server_state state;
	char reason[WIRE_REASON]; /* of the state, for people; may be cut */
};

/* An operator's drain, disable, enable or weight. */
struct wire_order {
	uint16_t server;
	bool weight;          /* else `value` is an enum admin_state */
	uint32_t value;
	uint32_t file_weight; /* the override counts only where the file has this one */
	uint32_t drain_left;  /* seconds until the drain disables the server; 0: it does not */
	struct admin_author author;
};

struct wire_hello {
	uint8_t lowest;       /* versions that the sender speaks */
	uint8_t highest;
	bool begins;          /* the sender opened the connection */
	uint8_t boot[16];     /* random, of the process */
	uint8_t nonce[16];    /* random, of the connection */
	char name[NAME_MOST];
};

/* The first fragment of a datagram, and where it went: the others may reach another director. */
struct wire_fragment {
	uint16_t vip;
	uint16_t server;
	uint8_t protocol;     /* IPv4; in IPv6 0: a later fragment does not have it */
	uint8_t client[16];
	uint32_t id;
};

#define WIRE_MACS 16
#define WIRE_ROUTERS 8

/* A host that clients' frames come from. Interfaces have the numbers of their order in the configuration. */
struct wire_router {
	uint8_t iface;
	struct mac mac;
};

/* What a director says about itself, to all its peers alike. */
struct wire_self {
	uint8_t role_count;
	uint8_t mac_count;
	uint8_t router_count;
	struct role_word roles[ROLE_GROUPS];
	struct mac macs[WIRE_MACS];
	struct wire_router routers[WIRE_ROUTERS];
};

struct wire_state {
	uint64_t wall;        /* seconds since 1970 */
	uint32_t stamp;       /* milliseconds of the sender's clock, wraps */
	uint32_t echo;        /* the last stamp that it received ... */
	uint32_t echo_age;    /* ... so many milliseconds ago */
	uint64_t configuration; /* a hash of all services' parts and servers */
	uint32_t flows;       /* in its table */
	uint32_t shared;      /* flows that it keeps up to date at the receiver */
	char version[NAME_MOST]; /* of dsrd */
	struct wire_self self;
};

void wire_out_init(struct wire_out *out, uint8_t *bytes, size_t room);
void wire_put_header(uint8_t bytes[WIRE_HEADER], const struct wire_header *header);
/* False when the header is none: too long, or its zeros are not. */
bool wire_get_header(const uint8_t bytes[WIRE_HEADER], struct wire_header *header);

/*
 * Writers write the whole record, or nothing and set `failed`. Readers return false, with nothing of use in the record,
 * when the bytes are too few or a value cannot be right.
 */
void wire_put_flow(struct wire_out *out, const struct wire_flow *flow);
bool wire_get_flow(struct cursor *in, struct wire_flow *flow);
void wire_put_client(struct wire_out *out, const struct wire_client *client);
bool wire_get_client(struct cursor *in, struct wire_client *client);
void wire_put_fragment(struct wire_out *out, const struct wire_fragment *fragment);
bool wire_get_fragment(struct cursor *in, struct wire_fragment *fragment);
void wire_put_vip(struct wire_out *out, const struct wire_vip *vip);
bool wire_get_vip(struct cursor *in, struct wire_vip *vip);
void wire_put_service(struct wire_out *out, const struct wire_service *service);
bool wire_get_service(struct cursor *in, struct wire_service *service);
void wire_put_server(struct wire_out *out, const struct wire_server *server);
bool wire_get_server(struct cursor *in, struct wire_server *server);
void wire_put_order(struct wire_out *out, const struct wire_order *order);
bool wire_get_order(struct cursor *in, struct wire_order *order);
void wire_put_hello(struct wire_out *out, const struct wire_hello *hello);
bool wire_get_hello(struct cursor *in, struct wire_hello *hello);
void wire_put_state(struct wire_out *out, const struct wire_state *state);
bool wire_get_state(struct cursor *in, struct wire_state *state);

#endif
