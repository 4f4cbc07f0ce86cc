/* SPDX-License-Identifier: ISC */
/*
 * What the data plane reads: a flat snapshot of the model, never changed once compiled. The control plane compiles a
 * new one after each change and swaps the pointer between two bursts. Only the `run` structs behind it are written to.
 */
#ifndef SCHED_FWDTAB_H
#define SCHED_FWDTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "base/iface.h"
#include "encap/encap.h"
#include "flow/conn.h"
#include "model/model.h"
#include "proto/quic.h"
#include "sched/maglev.h"
#include "sched/scheduler.h"
#include "sched/select.h"

struct fwd_server {
	struct server_ref ref;
	struct mac mac;     /* zero while unknown */
	struct mac own_mac; /* of the interface that leads there; behind the other, as in a frame */
	uint16_t iface;     /* that interface, or IFACE_NONE */
	bool takes_flows;   /* up, enabled, weight above 0, MAC known */
	bool reachable;     /* MAC and interface known: flows it has may go on */
	bool local;         /* this host itself: frames go to its own stack */
	bool healthy;       /* not DOWN and not disabled: a client that tries again may stay */
	struct addr addr;
	uint32_t mtu;       /* of the interface, or of the path if that is known to be less, less what the method adds */
	uint32_t iface_mtu; /* of the interface */
	const struct encap *encap; /* NULL with methods mac and local; else of IPv4 packets, and behind it of IPv6 packets */
	uint32_t weight;    /* relative: in hundredths of the settings', less while the server warms up */
	uint32_t capacity;  /* the configured weight, for schedulers that use it as a number of connections */
	uint32_t max_connections; /* 0: no limit */
	struct server_run *run;
	const struct service *service; /* for names only: of the model the table was compiled from */
	const struct server *server;
};

struct fwd_quic_server {
	struct quic_id id;
	struct fwd_server *server;
};

/* How QUIC connection IDs name a service's servers. */
struct fwd_quic {
	uint8_t lengths[QUIC_CONFIGS]; /* for quic_route() */
	size_t count;
	struct fwd_quic_server servers[]; /* sorted: fwd_quic_server() */
};

/*
 * A service, or where servers are out for some of its ports, those of its listens that have the same candidates: as a
 * rule there is one for each service of the model, and all its ports share it and its hash table.
 */
struct fwd_service {
	const struct scheduler *scheduler;
	struct fwd_server **candidates; /* servers that take new flows: the backups only when there is no other */
	size_t candidate_count;
	bool unresolved; /* without candidates, though a healthy server waits for its MAC */
	const struct conn_timeouts *timeouts;
	struct siphash_key hash_key;
	struct select_key select_key; /* the same */
	struct maglev hash; /* over the candidates: for flows that are not remembered */
	struct service_run *run;
	uint32_t *turn;     /* round robin's position: the service's, or `own_turn` */
	uint32_t own_turn;  /* of these candidates alone, when the service's listens have different ones */
	bool selective;     /* a server may take flows without being a candidate: persistence checks */
	bool quorum_lost;   /* then the candidates are backups, or none */
	const struct listen_settings *listen; /* one of those that this stands for */
	const struct service *service;
	struct fwd_quic *quic;    /* NULL: connection IDs are not looked at */
	uint16_t number;          /* struct service_run's */
	uint64_t since;           /* when it began to choose as it does */
	struct fwd_service *past; /* which of it are only the choice, and the servers that there are still; or NULL */
	uint64_t past_until;
};

/* A range of ports; its ends are fwd_port_key()'s. */
struct fwd_port {
	uint32_t first;
	uint32_t last;
	const struct fwd_service *service;
};

struct fwd_vip {
	struct addr addr;
	uint16_t number;
	uint16_t iface;
	uint8_t group; /* its duties are the forwarder's */
	bool routed;   /* `arp = off`: it is not answered for */
	uint8_t dscp; /* of method dscp */
	struct fwd_server *local; /* this host, where it is a server of the VIP; NULL: it is none */
	size_t port_count;
	/* sorted; they do not overlap; behind them one of no service that ends behind all ports */
	struct fwd_port *ports;
};

/* Open addressing over numbers: FWD_EMPTY ends a search. The size is a power of two, at most half of it is full. */
struct fwd_index {
	uint32_t *slots;
	uint32_t mask;
	unsigned shift; /* of a hash, whose highest bits give the start of the search */
};

#define FWD_EMPTY UINT32_MAX

/*
 * How long after a change the choice before it is known. Twice as long as directors need to tell each other about
 * deviating flows: a flow is shared when it is a second old, and they are looked for several times a second
 * (sync/feed.h).
 */
#define FWD_PAST SECONDS(3)

#define FWD_PORTS_FEW 4 /* so many are walked as fast as halved */

/* Private to fwdtab.c and the inline functions below, which run for every frame. */
struct fwdtab {
	struct encap *encaps;       /* two for each slot, or NULL: no server has another method than mac */
	struct fwd_server *servers; /* by slot; a free one is not its server's slot: `ref` belongs to another */
	size_t server_count;
	struct fwd_service **services;
	size_t service_count;
	uint32_t *by_listen; /* of each listen of each service, in the order of the model: its index in `services` */
	struct fwd_vip *vips;
	size_t vip_count;
	struct fwd_port *ports; /* all VIPs' lists, one behind the other */
	struct fwd_index vip_index;
	bool warming;
};

/*
 * Returns NULL when out of memory. The model must outlive the table; `ifaces` are the director's, with the properties
 * passed to model_place(). `now` is for servers that warm up.
 */
NODISCARD struct fwdtab *fwdtab_compile(const struct model *model, const struct iface *ifaces, size_t iface_count,
    uint64_t now);
/*
 * The services remember how `before`, which fwdtab_free() is about to free, chose by hash: fwd_service_before(). Of it
 * only that is left then.
 */
void fwdtab_inherit(struct fwdtab *table, struct fwdtab *before, uint64_t now);
/* Does a server's share still grow? Then a new table is due about once a second. */
bool fwdtab_is_warming(const struct fwdtab *table);
void fwdtab_free(struct fwdtab *table);

/* Has it its whole weight, or does it still warm up? */
bool fwd_server_is_warm(const struct fwd_server *server);
/* All slots and VIPs, for callers that copy the table. A free slot is NULL. */
size_t fwdtab_slots(const struct fwdtab *table);
const struct fwd_server *fwdtab_slot(const struct fwdtab *table, size_t slot);
size_t fwdtab_services(const struct fwdtab *table);
const struct fwd_service *fwdtab_service_at(const struct fwdtab *table, size_t index);
size_t fwdtab_vips(const struct fwdtab *table);
const struct fwd_vip *fwdtab_vip_at(const struct fwdtab *table, size_t index);
/* The candidate that a scheduler by hash chooses; `vip` may be NULL unless by SELECT_DESTINATION. Not by SELECT_NOT. */
struct fwd_server *fwd_service_select(const struct fwd_service *service, enum select_by by, const struct fwd_vip *vip,
    const struct conn_key *key);
/* The candidate that consistent hashing chooses for `key`: always the same one while the candidates are the same. */
struct fwd_server *fwd_service_hash(const struct fwd_service *service, const struct conn_key *key);
/* The same with the scheduler's own hash, if it has one: of a flow whose beginning is not known, or not remembered. */
struct fwd_server *fwd_service_by_hash(const struct fwd_service *service, const struct fwd_vip *vip,
    const struct conn_key *key);
/*
 * What that was before the last change, for FWD_PAST after it, if the server is still there and healthy: it may take no
 * new flows any more. NULL otherwise.
 */
struct fwd_server *fwd_service_before(const struct fwd_service *service, const struct fwd_vip *vip,
    const struct conn_key *key, uint64_t now);

/* Private to fwdtab.c: -1 when memory is out. `made` is NULL without `quic-lb`. */
NODISCARD int fwd_quic_new(struct fwdtab *table, const struct service *service, struct fwd_quic **made);
/* The server with that ID, if it is healthy and reachable; it may take no new flows. NULL otherwise. */
struct fwd_server *fwd_quic_server(const struct fwd_quic *quic, const struct quic_id *id);

/* For every frame, so inline. */

/*
 * Only the operator chooses what is hashed here, so a multiplication is enough; the highest bits of the product depend
 * on all others (Knuth, TAOCP 6.4).
 */
static inline uint32_t
fwd_index_begin(const struct fwd_index *index, uint64_t word)
{
	return (uint32_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> index->shift);
}

/* Of IPv6 both halves count, wherever in them an operator's addresses differ. */
static inline uint32_t
fwdtab_addr_begin(const struct fwdtab *table, const struct addr *addr)
{
	uint64_t words[2];
	uint32_t word;

	if (addr->family == ADDR_IPV4) {
		memcpy(&word, addr->bytes, sizeof(word));
		return fwd_index_begin(&table->vip_index, word);
	}
	memcpy(words, addr->bytes, sizeof(words));
	return fwd_index_begin(&table->vip_index, words[0] ^ (words[1] << 32 | words[1] >> 32));
}

/* NULL unless `addr` is a VIP on that interface. */
static inline const struct fwd_vip *
fwdtab_vip(const struct fwdtab *table, uint16_t iface, const struct addr *addr)
{
	const struct fwd_index *index = &table->vip_index;

	for (uint32_t at = fwdtab_addr_begin(table, addr); index->slots[at] != FWD_EMPTY; at = (at + 1) & index->mask) {
		const struct fwd_vip *vip = &table->vips[index->slots[at]];

		if (vip->iface == iface && addr_equal(&vip->addr, addr))
			return vip;
	}
	return NULL;
}

/* The VIP of that address, on whatever interface; NULL: it is none. */
static inline const struct fwd_vip *
fwdtab_vip_anywhere(const struct fwdtab *table, const struct addr *addr)
{
	const struct fwd_index *index = &table->vip_index;

	for (uint32_t at = fwdtab_addr_begin(table, addr); index->slots[at] != FWD_EMPTY; at = (at + 1) & index->mask)
		if (addr_equal(&table->vips[index->slots[at]].addr, addr))
			return &table->vips[index->slots[at]];
	return NULL;
}

/* Protocol and port as one number, for one comparison. */
static inline uint32_t
fwd_port_key(uint8_t protocol, uint16_t port)
{
	return (uint32_t)protocol << 16 | port;
}

/* Few ports, as most VIPs have them, are walked, and many are halved before. */
static inline const struct fwd_service *
fwd_vip_service(const struct fwd_vip *vip, uint8_t protocol, uint16_t port)
{
	const uint32_t key = fwd_port_key(protocol, port);
	const struct fwd_port *range = vip->ports;

	for (size_t count = vip->port_count; count > FWD_PORTS_FEW; count -= count / 2)
		if (range[count / 2 - 1].last < key)
			range += count / 2;
	while (range->last < key)
		range++;
	return range->first <= key ? range->service : NULL;
}

/* NULL when the server is gone. */
static inline struct fwd_server *
fwdtab_server(const struct fwdtab *table, struct server_ref ref)
{
	struct fwd_server *server = &table->servers[ref.slot];

	return ref.slot < table->server_count && server_ref_equal(server->ref, ref) ? server : NULL;
}

#endif
