/* SPDX-License-Identifier: ISC */
/*
 * The configuration of services as plain values without state. conf/ reads it from a file, tests build it by hand,
 * model/model.h creates the running objects from it.
 */
#ifndef MODEL_SETTINGS_H
#define MODEL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "announce/announce.h"
#include "base/addr.h"
#include "base/iface.h"
#include "encap/encap.h"
#include "flow/conn.h"
#include "flow/limit.h"
#include "proto/quic.h"
#include "role/role.h"

#define NAME_MOST 33 /* a service's or server's name, with its end: [A-Za-z0-9_.-]{1,32} */

#define SETTINGS_FILE 64 /* bytes of a file's name that are kept for messages */

#define WEIGHT_MOST 65535
/*
 * VIPs of all services together, each counted once. A flow stores a VIP's number in 16 bits, and while a reload is
 * planned the old ones and the new ones have different numbers.
 */
#define VIPS_MOST 32767
#define SERVERS_MOST 65535 /* of all services together: a flow stores a server in 16 bits */

#define QUIC_IDS 4 /* of a server: one for each length that configurations have, while the servers change to another */

struct server_settings {
	char name[NAME_MOST];
	struct addr addr;
	struct mac mac;         /* zero: resolve by ARP or NDP */
	char iface[IFACE_NAME]; /* empty: found by address, else the service's */
	uint32_t weight;        /* 0 drains: no new connections */
	bool backup;            /* used only when no other server can be */
	uint32_t max_connections; /* 0: as many as come */
	enum encap_method method; /* how packets reach it; ENCAP_METHODS, until the whole file is read: as the service says */
	struct addr gateway;    /* the router on the way there; ADDR_NONE: the service's, else as the host's routes say */
	char file[SETTINGS_FILE]; /* where the configuration has it: the end of the file's name; empty: in none */
	uint32_t line;
	struct quic_id quic_ids[QUIC_IDS]; /* by which connection IDs name it: `quic_lengths` of the service */
	uint8_t quic_id_count;
};

/* One stretch of ports of one protocol on one VIP. */
struct listen_settings {
	struct addr vip;
	uint8_t protocol; /* one with a protocol_name() */
	uint16_t first;
	uint16_t last;
	uint8_t dscp; /* by which a server with method dscp knows the VIP; 0: none. The same in all listens of a VIP */
};

enum check_kind {
	CHECK_TCP = 0,
	CHECK_HTTP,
	CHECK_HTTPS,
	CHECK_ICMP,
	CHECK_DNS,
	CHECK_UDP,
	CHECK_SCRIPT
};
#define CHECK_KINDS 7

#define CHECK_TEXT 200   /* more than a line of the configuration can hold, so every text fits */
#define HTTP_STATUS_FINE_FIRST 200 /* without `expect` */
#define HTTP_STATUS_FINE_LAST 399
#define CHECK_STATUSES 8 /* ranges in `expect=200-299,401` */

/* Any bytes, also zeroes. */
struct check_bytes {
	bool given;
	uint8_t length;
	uint8_t bytes[CHECK_TEXT];
};

struct check_status {
	uint16_t first;
	uint16_t last;
};

/* How to check a server. Plain values; options that a type does not have are zero. */
struct check_settings {
	enum check_kind kind;
	uint16_t port;             /* 0: service_check_port() */
	struct check_bytes send;   /* tcp, udp */
	struct check_bytes expect; /* tcp, udp: must come; http, https: must be in the body */
	char path[CHECK_TEXT];     /* http, https */
	char host[CHECK_TEXT];     /* http, https: of the Host field; empty: the server's address */
	struct check_status statuses[CHECK_STATUSES];
	uint8_t status_count;
	char sni[CHECK_TEXT];      /* https: the server name to send and verify; empty: `host` */
	bool no_verify;            /* https */
	char ca[CHECK_TEXT];       /* https: a file of trusted certificates; empty: the system's */
	char name[CHECK_TEXT];     /* dns */
	uint16_t type;             /* dns: of the question */
	uint8_t rcode;             /* dns: the expected answer, ... */
	struct addr answer;        /* ... and, when set, an address it must have */
	char servers[CHECK_TEXT];  /* the names of those it is for, with commas between; empty: all that no check names */
	char command[CHECK_TEXT];  /* script: program and arguments, a NUL behind each */
	uint8_t command_words;
};

#define NOTIFY_PATH 200 /* more than a line can hold */

/* A program to run when states change: for the servers it names, else for all that none names, and the service. */
struct notify_settings {
	char program[NOTIFY_PATH]; /* empty: none is run */
	char servers[CHECK_TEXT];  /* as those of a check */
};

/* What happens to the flows of a server that went DOWN. */
enum on_down {
	ON_DOWN_KEEP = 0, /* they stay: it may be a false alarm, and a client that reconnects gets another server */
	ON_DOWN_MOVE      /* they move to another server, which resets connections that it does not know */
};

/* A server's duty beyond its checks: to accept packets for the VIP. */
enum vip_check {
	VIP_CHECK_REQUIRE = 0, /* else it is DOWN */
	VIP_CHECK_WARN,        /* else it is named in the log */
	VIP_CHECK_OFF
};

/* Reaction to another host that claims a VIP. Conflicts are logged and counted in any case. */
enum vip_conflict {
	VIP_CONFLICT_LOG = 0,
	VIP_CONFLICT_ANNOUNCE, /* announce the VIP again */
	VIP_CONFLICT_REMOVE    /* that too, and a server that does it is DOWN until it is quiet */
};

/* What to do with a server whose answers do not reach clients (flow/lost.h). */
enum outlier_policy {
	OUTLIER_WARN = 0, /* it is named */
	OUTLIER_OFF,      /* nothing is judged */
	OUTLIER_EJECT     /* it gets no new connections for a time: model/eject.h */
};
#define OUTLIER_MAX 10U /* percent, by default */

/* Whether another MAC is believed to have a server's address: forward/neigh.h. */
enum neighbor_policy {
	NEIGHBOR_PROVE = 0, /* when the known one no longer answers */
	NEIGHBOR_PIN,       /* never: an operator sets it */
	NEIGHBOR_FOLLOW     /* at once */
};

/* Which flows of a service a peer is sent (sync/share.h). */
enum sync_policy {
	SYNC_AUTO = 0, /* those that it would send to another server by itself */
	SYNC_ALL,
	SYNC_OFF
};

/* The number of servers of a service that must be up: absolute, or in percent. */
struct quorum {
	uint16_t number;
	bool percent;
};

struct service_settings {
	char name[NAME_MOST];
	char iface[IFACE_NAME]; /* the interface of the VIPs */
	const struct scheduler *scheduler;
	struct listen_settings *listens;
	size_t listen_count;
	struct server_settings *servers;
	size_t server_count;
	struct check_settings *checks; /* all must succeed; none: servers are not checked */
	size_t check_count;
	struct notify_settings *notifies; /* none: the director's own program */
	size_t notify_count;
	uint64_t interval; /* between two checks, microseconds */
	uint64_t timeout;  /* of one check */
	uint32_t rise;     /* successes in a row that bring a DOWN server UP */
	uint32_t fall;     /* failures in a row that take an UP server DOWN */
	uint64_t retry;    /* between a failed check of a server that is not DOWN, and the next; 0: `interval` */
	enum outlier_policy outlier;
	uint8_t outlier_max;   /* percent of the servers that may be ejected at a time, one at least; 0: OUTLIER_MAX */
	struct quorum quorum;  /* with fewer servers the service is down; 0: one */
	struct quorum recover; /* with so many it comes back; 0: as `quorum` */
	enum vip_check vip_check;
	enum vip_conflict vip_conflict;
	enum neighbor_policy neighbor;
	struct check_bytes vip_payload; /* UDP: the probe sent to a VIP's port; empty: the host is probed instead */
	struct conn_timeouts timeouts;
	enum on_down on_down;
	bool one_packet;         /* UDP: every datagram is a flow of its own, nothing is remembered */
	uint64_t persist;        /* a client goes to its last server for this long after its last new flow; 0: not */
	uint8_t persist_prefix4; /* bits of the client's address that make "a client": 1 to 32 */
	uint8_t persist_prefix6; /* 1 to 128 */
	struct limit limit_new;  /* of new connections; `service` 0: there is none */
	enum sync_policy sync;
	uint64_t warmup;         /* after coming UP a server's share grows for this long */
	char group_name[ROLE_GROUP];
	uint8_t group;           /* its number in `roles` of the settings */
	bool routed;             /* `arp = off`: routers send frames for the VIPs to the director's own address */
	enum encap_method method; /* of servers that name none */
	struct addr gateway;     /* of servers that name none; ADDR_NONE: as the host's routes say */
	uint8_t quic_lengths[QUIC_CONFIGS]; /* of the servers' IDs in connection IDs, by configuration; all 0: not used */
};

#define PROBE_ADDRESSES 2 /* one of each family */

struct settings {
	uint32_t connections; /* size of the flow table */
	struct addr probe_addresses[PROBE_ADDRESSES]; /* vipcheck/probe_addr.h; ADDR_NONE: unused */
	struct service_settings *services;
	size_t service_count;
	struct siphash_key hash_key; /* of consistent hashing: directors that have the same choose alike */
	struct role_config roles;
	struct announce_settings announces[ROLE_GROUPS]; /* by group */
};

/* Is one of its servers this host (`local`)? */
bool service_settings_have_local(const struct service_settings *service);
/* Does any service with this VIP have such a server? Then the host must hold the VIP. */
bool settings_serve_locally(const struct settings *settings, const struct addr *vip);

const char *neighbor_policy_name(enum neighbor_policy policy); /* as the configuration has it */
/* Protocols that a service can have: PROTOCOL_TCP is "tcp", also UDP and SCTP. NULL for any other. */
const char *protocol_name(uint8_t protocol);

/* The settings' arrays belong to them. The struct itself is the caller's. */
void settings_clear(struct settings *settings);
/*
 * The port of this check of the service: the one it names; else the well-known port of its type (http 80, https 443,
 * dns 53), if the service has it; else the first that is not part of `*`. 0 when there is none, or the type has no
 * ports.
 */
uint16_t service_check_port(const struct service_settings *service, const struct check_settings *check);
/* The protocol of a check's port; 0 for types without ports. */
uint8_t check_protocol(const struct check_settings *check);
#define PORTS_TEXT 24
/* "tcp/443", "udp/8000-8099", "tcp/" and a star for all. Returns `text`. */
const char *listen_ports(const struct listen_settings *listen, char text[PORTS_TEXT]);
bool listen_has_port(const struct listen_settings *listen, uint8_t protocol, uint16_t port);
/* Is this check of the service for the server of that name? */
bool check_is_for(const struct service_settings *service, const struct check_settings *check, const char *server);
/* The program that is run when the server's state changes (`server` NULL: the service's). NULL: the director's own. */
const char *service_notify(const struct service_settings *service, const char *server);
/* Does the check name that server? */
bool check_names(const struct check_settings *check, const char *server);
/* Orders checks: below 0, 0 (equal, ports aside), above 0. */
int check_compare(const struct check_settings *a, const struct check_settings *b);
const char *check_kind_name(enum check_kind kind); /* as the configuration and the log have it */
/* "http 192.0.2.11:80 /healthz", "icmp 2001:db8::1", "script /usr/local/libexec/check-db". Returns `text`. */
#define CHECK_LABEL 320
const char *check_label(const struct check_settings *check, const struct addr *addr, uint16_t port,
    char text[CHECK_LABEL]);

#endif
