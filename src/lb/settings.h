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
};

struct settings {
	uint32_t connections; /* size of the flow table */
	struct service_settings *services;
	size_t service_count;
	struct conn_timeouts timeouts;
};

/* The settings' arrays belong to them. The struct itself is the caller's. */
void settings_clear(struct settings *settings);
/* The port a check of this service goes to, or 0 when the service has no TCP port and the check names none. */
uint16_t service_check_port(const struct service_settings *service);

#endif
