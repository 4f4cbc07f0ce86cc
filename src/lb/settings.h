/* SPDX-License-Identifier: ISC */
/*
 * What an operator wants balanced, as the configuration said it: plain values without state. conf/ makes it from a file,
 * tests make it by hand, lb/model.h turns it into things that live.
 */
#ifndef LB_SETTINGS_H
#define LB_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/iface.h"
#include "lb/conn.h"

#define NAME_MOST 33 /* a service's or server's name, with its end: [A-Za-z0-9_.-]{1,32} */

#define WEIGHT_MOST 65535
#define SERVERS_MOST 65535 /* of all services together: a flow stores a server in 16 bits */

struct server_settings {
	char name[NAME_MOST];
	struct addr addr;
	struct mac mac;         /* zero: ask by ARP */
	char iface[IFACE_NAME]; /* empty: found by address, else the service's */
	uint32_t weight;        /* 0 drains: no new connections */
	bool backup;            /* used only when no other server can be */
	uint32_t max_connections; /* 0: as many as come */
};

/* One stretch of ports of one protocol on one VIP. */
struct listen_settings {
	struct addr vip;
	uint8_t protocol; /* PROTOCOL_TCP or PROTOCOL_UDP */
	uint16_t first;
	uint16_t last;
};

enum check_kind {
	CHECK_NONE = 0, /* trust the server without asking */
	CHECK_TCP
};

struct check_settings {
	enum check_kind kind;
	uint16_t port; /* 0: the service's first TCP port */
};

/* What happens to the flows of a server that went DOWN. */
enum on_down {
	ON_DOWN_KEEP = 0, /* they stay: it may have been a false alarm, and a client that begins anew goes elsewhere */
	ON_DOWN_MOVE      /* they go to another server at once, which will reset what it does not know */
};

struct service_settings {
	char name[NAME_MOST];
	char iface[IFACE_NAME]; /* where the VIPs live */
	const struct scheduler *scheduler;
	struct listen_settings *listens;
	size_t listen_count;
	struct server_settings *servers;
	size_t server_count;
	struct check_settings check;
	uint64_t interval; /* between two checks, microseconds */
	uint64_t timeout;  /* of one check */
	uint32_t rise;     /* successes in a row that bring a DOWN server UP */
	uint32_t fall;     /* failures in a row that take an UP server DOWN */
	struct conn_timeouts timeouts;
	enum on_down on_down;
	bool one_packet;         /* UDP: every datagram is a flow of its own, nothing is remembered */
	uint64_t persist;        /* a client goes to its last server for this long after its last new flow; 0: not */
	uint8_t persist_prefix4; /* bits of the client's address that make "a client": 1 to 32 */
	uint8_t persist_prefix6; /* 1 to 128 */
	uint64_t warmup;         /* after coming UP a server's share grows for this long */
};

struct settings {
	uint32_t connections; /* size of the flow table */
	struct service_settings *services;
	size_t service_count;
	struct siphash_key hash_key; /* of consistent hashing: directors that have the same choose alike */
};

/* The settings' arrays belong to them. The struct itself is the caller's. */
void settings_clear(struct settings *settings);
/* The port a check of this service goes to, or 0 when the service has no TCP port and the check names none. */
uint16_t service_check_port(const struct service_settings *service);

#endif
