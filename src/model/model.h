/* SPDX-License-Identifier: ISC */
/*
 * The services and servers of this director: their settings plus health, administrative state, neighbor and counters. A
 * reload replaces the settings; a server that stays keeps its slot, and with it health, flows and counters. The data
 * plane never reads the model: it reads the snapshot that sched/fwdtab.h compiles from it.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "base/route.h"
#include "flow/conn.h"
#include "flow/measure.h"
#include "flow/stats.h"
#include "model/admin.h"
#include "model/eject.h"
#include "model/health.h"
#include "model/listen_state.h"
#include "model/settings.h"
#include "proto/icmp.h"

#define IFACE_NONE UINT16_MAX

/* What ICMP errors about tunnel packets say of the way to a server. They were proven: see forward/stage_outer.c. */
struct server_path {
	uint32_t mtu;            /* of whole packets; 0: no router has named one that holds still */
	uint64_t mtu_until;      /* when it is forgotten */
	enum icmp_cause cause;   /* of the last error; ICMP_CAUSE_NONE: there was none */
	uint64_t at;             /* when that came */
	struct addr from;        /* from whom */
	uint64_t errors;
};

/* What the data plane writes about a server. Valid as long as the server owns its slot. */
struct server_run {
	uint64_t packets; /* forwarded to it */
	uint64_t connections;
	uint64_t bytes;   /* of whole frames */
	uint32_t active;  /* flows that carry data */
	uint32_t inactive;
	uint32_t unproven; /* of these */
	int64_t wrr_credit; /* smooth weighted round robin's running credit */
	struct measure measure; /* of its TCP connections */
	struct server_path path;
};

/* One flow in `state` more, or with -1 less. */
static inline void
account_flow(struct server_run *run, enum conn_state state, int change)
{
	if (conn_is_active(state))
		run->active += (uint32_t)change;
	else
		run->inactive += (uint32_t)change;
	if (!conn_is_proven(state))
		run->unproven += (uint32_t)change;
}

/* Flows that are proven (flow/unproven.h). */
static inline uint32_t
proven_flows(const struct server_run *run)
{
	return run->active + run->inactive - run->unproven;
}

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
	uint16_t number;  /* identifies the service for its lifetime: persistence stores it */
	uint32_t rr_next; /* round robin's position */
	uint64_t random;  /* state of service_random() */
	struct service_local local[SERVICE_LOCALS];
	struct limit_bucket limit; /* `limit-new` */
	uint64_t limited;          /* new connections that it has dropped */
	uint64_t limited_at;       /* when it dropped the last one, in microseconds */
};

/* The state shown to an operator: administrative state over health. */
enum server_state {
	SERVER_UNKNOWN = 0,
	SERVER_UP,
	SERVER_DOWN,
	SERVER_DRAINING, /* weight 0: its flows go on, new ones go elsewhere */
	SERVER_DISABLED
};

/* Lost answers of the last minute, from the clients' segments: flow/lost.h. */
struct server_lost {
	enum lost_verdict verdict;
	struct lost_share own;   /* of handshakes, or of answers where the verdict is about these */
	struct lost_share peers;
	struct addr client;      /* the last one that got no answer; unset without a verdict */
};

/* The VIP check's verdict on a server (vipcheck/vipcheck.h). */
enum vip_state {
	VIP_TRUSTED = 0, /* not checked, or need not be */
	VIP_UNKNOWN,     /* not found out yet: no traffic */
	VIP_ACCEPTED,    /* also when nothing could be found out */
	VIP_PARTLY,      /* some of the service's VIPs or ports are refused */
	VIP_REFUSED      /* no traffic */
};

/* Whether frames can be addressed to the server at all. */
enum server_place {
	PLACE_ON_LINK = 0, /* or nothing is known against it */
	PLACE_SELF,        /* its address is one of the director's own: it stays down */
	PLACE_FAR,         /* its address is in no network of the interface to it: down, unless it answers ARP there */
	/* neither a network nor a route of the director leads there (other methods than mac): down */
	PLACE_NO_ROUTE,
	PLACE_NO_SOURCE    /* the interface has no address of the tunnel's IP version to send from: down */
};

/* Whether this host can be one of the servers itself (`local`), and what is in the way: down. */
enum server_local {
	LOCAL_READY = 0,
	LOCAL_UNSUPPORTED,  /* on this system */
	LOCAL_NOT_OWN,      /* the server's address is none of this host */
	LOCAL_NO_VIP,       /* the host lacks one of the VIPs */
	LOCAL_VIP_EXPOSED,  /* it has one on another interface than the loopback */
	LOCAL_ANSWERS_ARP,  /* its kernel answers ARP for one */
	LOCAL_REVERSE_PATH, /* its kernel drops what comes by the loopback interface from clients */
	LOCAL_NOT_WITHHELD  /* its kernel sees the frames for other servers as well, and would reset them */
};

struct server {
	struct server_settings settings; /* `mac` zero: resolved by ARP or NDP */
	struct service *service;
	struct server_ref ref;
	struct admin admin;
	struct health health;         /* of all checks together */
	struct server_check *checks;  /* one for each of the service's checks */
	size_t check_count;
	enum vip_state vip_state;
	struct vip_fault *vip_faults; /* what the VIP check found wrong; NULL: nothing. Owned by the VIP check */
	enum server_ports ports;      /* server_update_ports() */
	struct server_lost lost;
	struct eject eject;
	bool conflicts;      /* it claims a VIP by ARP or NDP, and `vip-conflict = remove`: no traffic */
	uint16_t iface;      /* where its frames leave; IFACE_NONE until model_place() */
	enum server_place place; /* set with it, as the next two */
	struct addr hop;         /* frames to the server have its MAC: the server's own address, or a gateway's */
	struct addr source;      /* of tunnel packets: the director's address on that interface */
	enum server_local local; /* settings.method ENCAP_LOCAL: daemon/local_server.h sets it */
	struct addr local_vip;   /* the VIP that it is about */
	bool no_link;        /* the director's own interface there is down: the server's state is unknown */
	struct mac mac;      /* zero while unknown: no traffic */
	struct mac mac_rival; /* another one that claims the server's address, and is not believed; zero: none does */
	struct server *same_addr; /* the next one at the same address, whose MAC is resolved once; the director's */
	struct server_run *run;
	struct server_rates rates;
	enum server_state state;  /* the state last published: server_note_state() */
	uint64_t since;           /* when that began */
	uint64_t changes;         /* of it, since the director started; those by a reload do not count */
	/* the set of ports without traffic last published, as a number: server_note_ports() */
	uint32_t ports_out;
	bool stays;          /* scratch of model_apply() */
	struct server_check *planned; /* used during model_apply() only, as above */
};

struct service {
	struct service_settings settings; /* its own copy, servers excepted: those are below */
	struct server **servers;          /* in the order of the file */
	size_t server_count;
	uint16_t iface;                   /* the interface of its VIPs */
	struct service_run *run;
	struct server_rates rates;        /* of its servers together */
	uint64_t past_connections;        /* of servers that are gone */
	bool quorum_lost;                 /* model_settle() */
	bool quorum_published;            /* `quorum_lost`, as last published: service_note_quorum() */
	bool quorum_met;                  /* it was met once, so that `recover` counts when it is lost */
	enum health_state state;          /* the state last published */
	bool stays;                       /* scratch of model_apply() */
};

/* A VIP has a number of its own, which flows store; it stays the same over a reload. */
struct vip {
	struct addr addr;
	uint16_t number;
	uint16_t iface; /* where it is answered for */
	uint8_t group;  /* whose role says whether it is, and whether its frames are forwarded */
	bool silent;    /* another director answers for it, or none does */
	bool routed;    /* `arp = off`: none does */
	uint8_t dscp;   /* struct listen_settings */
};

struct model {
	struct service **services; /* in the order of the file */
	size_t service_count;
	struct vip *vips;
	size_t vip_count;
	struct server **slots;     /* slot -> server or NULL */
	/* by slot: how often it changed owner; 0: never, so a zero server_ref matches no server */
	uint16_t *generations;
	size_t slot_count;
	struct siphash_key hash_key;
	struct addr probe_addresses[PROBE_ADDRESSES];
	struct role_config roles;
	struct announce_settings announces[ROLE_GROUPS]; /* by group */
	struct ip_route *routes;      /* model_set_routes() */
	size_t route_count;
	uint16_t next_vip_number;
	uint16_t last_service_number;
};

NODISCARD struct model *model_new(void);
void model_free(struct model *model);

/*
 * Makes the model match `settings`, and takes over their contents (`settings` is empty afterwards). A server with the
 * same service name, name, address and interface as before stays; its weight, MAC and check may change. Returns 0, or
 * -1 with model and settings unchanged when out of memory (or for more than 65535 VIPs or servers).
 *
 * The servers of a service without checks are UP immediately. A check that the service had before keeps its health; a
 * new one starts with the server's health, and its own results count after rise or fall answers in a row.
 *
 * Removed servers are freed here: compile a new snapshot and sync the checker before anything else runs.
 */
NODISCARD int model_apply(struct model *model, struct settings *settings, uint64_t now);

/*
 * Finds each VIP's and server's interface among `ifaces`: by name if the settings name one (no other will do), else the
 * one whose longest prefix contains the server's address, else the service's. A service without an interface name uses
 * the interface whose prefix contains its VIP. If there is none, it is IFACE_NONE. `iface` is an index into `ifaces`.
 * Call it after each model_apply(), and when interfaces have changed.
 */
void model_place(struct model *model, const struct iface *ifaces, size_t count);
/*
 * The host's routes, of which the model keeps a copy: the way to servers that are not on a segment, unless a gateway is
 * configured. Call model_place() afterwards. 0, or -1 with the old ones kept when memory is out.
 */
NODISCARD int model_set_routes(struct model *model, const struct ip_route *routes, size_t count);
/* Is there a server whose way only a route can tell? */
bool model_needs_routes(const struct model *model);
/* Is this host one of the servers? */
bool model_has_local(const struct model *model);
/* Is there a router between the director and the server? */
bool server_is_routed(const struct server *server);
/* The number of VIPs on the interface; ADDR_NONE counts both families. */
size_t model_vips_at(const struct model *model, size_t iface, enum addr_family family);
/* True if the interface has a VIP or leads to a server. */
bool model_uses(const struct model *model, size_t iface);

/*
 * What model_apply() was given, as it is in force, without what operators changed since; `connections` is the caller's
 * to fill in. Shares the model's contents: holds until it changes. 0, or -1 when memory is out.
 */
NODISCARD int model_settings(const struct model *model, struct settings *settings);
void model_settings_done(struct settings *settings);

/* "web/web1", or NULL when the server does not exist. */
struct server *model_find(const struct model *model, const char *name);

/* About once a second: rates, the latencies that schedulers use, and lost answers. */
/* Returns whether a server was ejected or came back, or a path's MTU was forgotten, so that a new table is needed. */
bool model_tick(struct model *model, uint64_t now);
/* Part of model_tick(). */
bool model_judge_lost(struct service *service, uint64_t now);
/* No handshake with any of its servers was completed, and some were tried. */
bool service_all_lost(const struct service *service);
/* Which services have lost their quorum: service->quorum_lost. Before a table is compiled. */
void model_settle(struct model *model);
/*
 * Compares the server's current state with the one last published. False: it is the same. Otherwise records the new
 * one, since `now`, and sets `*before` to the old one.
 */
bool server_note_state(struct server *server, uint64_t now, enum server_state *before);
/* The same for the ports of an UP server that get no traffic; a server that is not UP has none. */
bool server_note_ports(struct server *server);
/* The same for whether the service lacks its quorum. */
bool service_note_quorum(struct service *service);

/* A number below `below`, for schedulers: the same ones in every run, which suits tests and savefiles. */
uint64_t service_random(struct service_run *run, uint64_t below);

/* The server with this MAC on that interface, else one with it on any other; NULL: there is none. */
const struct server *model_server_by_mac(const struct model *model, uint16_t iface, const struct mac *mac);
bool service_listens_on(const struct service *service, const struct addr *vip);
struct server *model_server(const struct model *model, struct server_ref ref); /* NULL when it is gone */
size_t model_server_count(const struct model *model);
/* Checks, VIP check and conflict detection combined: DOWN when one of them is, UP when all are. */
enum health_state server_health(const struct server *server);
/* The settings of its check `index`. */
const struct check_settings *server_check_settings(const struct server *server, size_t index);
/* Disabled takes precedence; then server_health(); an UP server of weight 0 is draining. */
enum server_state server_state(const struct server *server);
/*
 * Processes the answer of the server's check `index`: the check's health, the server's, the counters. `got`: what a
 * failed check received, or NULL. Returns whether the server's health, or its set of closed ports, changed.
 */
bool server_report(struct server *server, size_t index, enum health_reason result, const char *got, uint64_t now);
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
