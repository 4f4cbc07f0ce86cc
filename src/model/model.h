/* SPDX-License-Identifier: ISC */
/*
 * The services and servers that live in this director: what the settings said, plus health, administrative state,
 * neighbor and counters. Settings come and go with a reload; what stayed keeps its slot, and with it health, flows and
 * counters. The data plane never reads the model: it reads the snapshot that sched/fwdtab.h compiles from it.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "flow/conn.h"
#include "flow/measure.h"
#include "flow/rate.h"
#include "model/admin.h"
#include "model/eject.h"
#include "model/health.h"
#include "model/listen_state.h"
#include "model/settings.h"

#define IFACE_NONE UINT16_MAX

/* What the data plane writes about a server. Lives as long as the server's slot is its own. */
struct server_run {
	uint64_t packets; /* forwarded to it */
	uint64_t connections;
	uint64_t bytes;   /* of whole frames */
	uint32_t active;  /* flows that carry data */
	uint32_t inactive;
	int64_t wrr_credit; /* smooth weighted round robin's running credit */
	struct measure measure; /* of its TCP connections */
};

/* How fast it goes: model_tick(). */
struct server_rates {
	struct rate connections;
	struct rate packets;
	struct rate bytes;     /* in: from clients */
	struct rate responses; /* bytes out, straight to clients, as these acknowledge them */
};

/* Where scheduler lblc keeps a VIP. */
struct service_local {
	uint16_t vip; /* its number */
	struct server_ref server;
};

#define SERVICE_LOCALS 16

/* What the data plane writes about a service. */
struct service_run {
	uint16_t number;  /* the service's own, as long as it lives: persistence stores it */
	uint32_t rr_next; /* round robin's position */
	uint64_t random;  /* state of service_random() */
	struct service_local local[SERVICE_LOCALS];
};

/* What an operator is told: health under the administrative state. */
enum server_state {
	SERVER_UNKNOWN = 0,
	SERVER_UP,
	SERVER_DOWN,
	SERVER_DRAINING, /* weight 0: its flows go on, new ones go elsewhere */
	SERVER_DISABLED
};

/* What clients' segments say about a server's answers, of the last minute: flow/lost.h. */
struct server_lost {
	enum lost_verdict verdict;
	struct lost_share own;   /* of handshakes, or of answers where the verdict is about these */
	struct lost_share peers;
	struct addr client;      /* the last one that got no answer; unset without a verdict */
};

/* What the VIP probe says of a server (vipcheck/vipcheck.h). */
enum vip_state {
	VIP_TRUSTED = 0, /* nobody asks, or nobody must */
	VIP_UNKNOWN,     /* not found out yet: no traffic */
	VIP_ACCEPTED,    /* also when nothing could be found out */
	VIP_PARTLY,      /* some of the service's VIPs or ports are refused */
	VIP_REFUSED      /* no traffic */
};

/* Whether frames can be addressed to the server at all. */
enum server_place {
	PLACE_ON_LINK = 0, /* or nothing is known against it */
	PLACE_SELF,        /* its address is one of the director's own: it stays down */
	PLACE_FAR          /* its address is in no network of the interface to it: down, unless it answers ARP there */
};

struct server {
	struct server_settings settings; /* `mac` zero: asked by ARP */
	struct service *service;
	struct server_ref ref;
	struct admin admin;
	struct health health;         /* of all checks together */
	struct server_check *checks;  /* one for each of the service's checks */
	size_t check_count;
	enum vip_state vip_state;
	struct vip_fault *vip_faults; /* what the VIP check found wrong; NULL: nothing. Its memory is the VIP check's */
	enum server_ports ports;      /* server_update_ports() */
	struct server_lost lost;
	struct eject eject;
	bool conflicts;      /* it tells the network of a VIP, and `vip-conflict = remove` (vipcheck/conflict.h): no traffic */
	uint16_t iface;      /* where its frames leave; IFACE_NONE until model_place() */
	enum server_place place; /* likewise */
	bool no_link;        /* the director's own interface there is down: nothing can be said of the server */
	struct mac mac;      /* zero while unknown: no traffic */
	struct server *beside; /* the next one at the same address, whose MAC is asked for once; the director's */
	struct server_run *run;
	struct server_rates rates;
	enum server_state logged; /* the state that the log had last */
	uint64_t changes;         /* of that state, since the director started */
	uint32_t ports_logged;    /* which ports were out then; 0: none */
	enum server_state told; /* the state that watchers know of */
	enum server_state settled; /* the state as of model_settle() */
	uint64_t since;            /* when that began */
	bool stays;          /* scratch of model_apply() */
	struct server_check *planned; /* likewise */
};

struct service {
	struct service_settings settings; /* its own copy, servers excepted: those are below */
	struct server **servers;          /* in the order of the file */
	size_t server_count;
	uint16_t iface;                   /* where its VIPs live */
	struct service_run *run;
	struct server_rates rates;        /* of its servers together */
	uint64_t past_connections;        /* of servers that are gone */
	bool quorum_lost;                 /* model_settle() */
	bool quorum_logged;               /* the log had that it is lost */
	bool quorum_met;                  /* it has been, so that `recover` counts when it is lost */
	enum health_state told;           /* the state that watchers know of */
	bool stays;                       /* scratch of model_apply() */
};

/* A VIP has a number of its own, which flows store; it stays the same over a reload. */
struct vip {
	struct addr addr;
	uint16_t number;
	uint16_t iface; /* where it is answered for */
};

struct model {
	struct service **services; /* in the order of the file */
	size_t service_count;
	struct vip *vips;
	size_t vip_count;
	struct server **slots;     /* slot -> server or NULL */
	uint16_t *generations;     /* slot -> how often it changed owner; 0: never, so a zero server_ref is nobody's */
	size_t slot_count;
	struct siphash_key hash_key;
	struct addr probe_addresses[PROBE_ADDRESSES];
	uint16_t next_vip_number;
	uint16_t last_service_number;
};

NODISCARD struct model *model_new(void);
void model_free(struct model *model);

/*
 * Makes the model what `settings` say, and takes their contents (`settings` is empty afterwards). A server that has the
 * same service name, name, address and interface as before stays; its weight, MAC and check may change. 0, or -1 with
 * model and settings unchanged when memory is out (or more than 65535 VIPs or servers were asked for).
 *
 * A service without checks has its servers UP at once. A check that the service had before keeps its health; a new one
 * begins with that of the server, and speaks for itself after rise or fall answers in a row.
 *
 * Servers that are gone are freed here: compile a new snapshot and sync the checker before anything else runs.
 */
NODISCARD int model_apply(struct model *model, struct settings *settings, uint64_t now);

/*
 * Finds each VIP's and server's interface among `ifaces`: by name when the settings name one (nothing else will do
 * then), else the one whose longest prefix holds the server's address, else the service's. A service without a name in
 * its settings lives where a prefix holds its VIP. Those that stay without have IFACE_NONE. `iface` is an index into
 * `ifaces`. Call it after each model_apply(), and when interfaces have changed.
 */
void model_place(struct model *model, const struct iface *ifaces, size_t count);
/* How many VIPs live at the interface; with ADDR_NONE those of either family. */
size_t model_vips_at(const struct model *model, size_t iface, enum addr_family family);
/* Whether a VIP lives or a server is reached there. */
bool model_uses(const struct model *model, size_t iface);

/*
 * What model_apply() was given, as it is in force, without what operators changed since; `connections` is the caller's to
 * fill in. Shares the model's contents: holds until it changes. 0, or -1 when memory is out.
 */
NODISCARD int model_settings(const struct model *model, struct settings *settings);
void model_settings_done(struct settings *settings);

/* "web/web1", or NULL when there is no such server. */
struct server *model_find(const struct model *model, const char *name);

/* About once a second: rates, what schedulers are told of latencies, and whose answers get lost. */
/* Says whether a server was ejected or came back, so that a new table is needed. */
bool model_tick(struct model *model, uint64_t now);
/* Part of model_tick(). */
bool model_judge_lost(struct service *service, uint64_t now);
/* No handshake with any of its servers was completed, and some were tried. */
bool service_all_lost(const struct service *service);
/* Notes whose state has changed, whoever changed it: server->since, service->quorum_lost. Before a table is compiled. */
void model_settle(struct model *model, uint64_t now);

/* A number below `below`, for schedulers: the same ones in every run, which suits tests and savefiles. */
uint64_t service_random(struct service_run *run, uint64_t below);

struct server *model_server(const struct model *model, struct server_ref ref); /* NULL when it is gone */
size_t model_server_count(const struct model *model);
/* What checks, VIP probe and watch say together: DOWN when one of them does, UP when all do. */
enum health_state server_health(const struct server *server);
/* The settings of its check `index`. */
const struct check_settings *server_check_settings(const struct server *server, size_t index);
/* Disabled above all; then what server_health() says; draining is an UP server of weight 0. */
enum server_state server_state(const struct server *server);
/*
 * Takes the answer of the server's check `index`: the check's health, the server's, the counters. `came`: what a
 * failure brought back, or NULL. Says whether the server's health, or what is out of its ports, changed.
 */
bool server_report(struct server *server, size_t index, enum health_reason result, const char *came, uint64_t now);
/* UP when it takes new connections; DOWN when it does not, nor can turn out to; else UNKNOWN. */
enum health_state service_state(const struct service *service);
/* The servers that must be up, backups not counted: at least 1. */
size_t service_quorum(const struct service *service);
/* The same, or after the quorum was lost, what brings the service back. */
size_t service_quorum_to_reach(const struct service *service);
/* The servers that count: up, with a MAC address, no backups. */
size_t service_quorum_up(const struct service *service);
/* Fewer than `quorum` are up, or were and `recover` has not been reached: only backups may take new connections. */
bool service_is_below_quorum(const struct service *service);
/* The weight now: what file or operator gave, after what its scripts grant; 0 while it is drained. */
uint32_t server_weight(const struct server *server);
const char *server_state_name(enum server_state state); /* "unknown", "up", ... */
/* "service/server", the name used everywhere. Returns `text`. */
#define SERVER_NAME_TEXT (2 * NAME_MOST)
const char *server_name(const struct server *server, char text[SERVER_NAME_TEXT]);

#endif
