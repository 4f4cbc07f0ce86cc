/* SPDX-License-Identifier: ISC */
/*
 * What the data plane reads: a flat snapshot of the model, never changed once compiled. The control plane compiles a new
 * one after each change and swaps the pointer between two bursts. Only the `run` structs behind it are written to.
 */
#ifndef LB_FWDTAB_H
#define LB_FWDTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "lb/conn.h"
#include "lb/maglev.h"
#include "lb/model.h"
#include "lb/pick.h"

struct fwd_server {
	struct server_ref ref;
	struct mac mac;     /* zero while unknown */
	uint16_t iface;
	uint32_t weight;    /* relative: in hundredths of the settings', less while the server warms up */
	uint32_t capacity;  /* the settings' weight itself, for schedulers that take it for a number of connections */
	uint32_t max_connections; /* 0: no limit */
	bool takes_flows;   /* up, enabled, weight above 0, MAC known */
	bool reachable;     /* MAC and interface known: flows it has may go on */
	bool healthy;       /* not DOWN and not disabled: a client that tries again may stay */
	struct addr addr;
	struct server_run *run;
	const struct service *service; /* for names only: of the model the table was compiled from */
	const struct server *server;
};

struct fwd_service {
	const struct scheduler *scheduler;
	struct fwd_server **candidates; /* those that take new flows: the backups only when there is no other */
	size_t candidate_count;
	bool unresolved; /* without candidates, though a healthy server waits for its MAC */
	const struct conn_timeouts *timeouts;
	struct siphash_key hash_key;
	struct maglev hash; /* over the candidates: for flows that are not remembered */
	struct service_run *run;
	const struct service *service;
};

/* A range of ports; its ends are the protocol in the high half and the port in the low one. */
struct fwd_port {
	uint32_t first;
	uint32_t last;
	const struct fwd_service *service;
};

struct fwd_vip {
	struct addr addr;
	uint16_t number;
	uint16_t iface;
	struct fwd_port *ports; /* sorted; they do not overlap */
	size_t port_count;
};

struct fwdtab;

/* NULL when memory is out. The model must outlive the table. `now` is for servers that warm up. */
NODISCARD struct fwdtab *fwdtab_compile(const struct model *model, uint64_t now);
/* Does a server's share still grow? Then a new table is due about once a second. */
bool fwdtab_is_warming(const struct fwdtab *table);
void fwdtab_free(struct fwdtab *table);

/* NULL unless `addr` is a VIP that lives on that interface. */
const struct fwd_vip *fwdtab_vip(const struct fwdtab *table, uint16_t iface, const struct addr *addr);
const struct fwd_service *fwd_vip_service(const struct fwd_vip *vip, uint8_t protocol, uint16_t port);
/* Has it its whole weight, or does it still warm up? */
bool fwd_server_is_warm(const struct fwd_server *server);
/* All slots and VIPs, for those who copy the table. A slot nobody has is NULL. */
size_t fwdtab_slots(const struct fwdtab *table);
const struct fwd_server *fwdtab_slot(const struct fwdtab *table, size_t slot);
size_t fwdtab_vips(const struct fwdtab *table);
const struct fwd_vip *fwdtab_vip_at(const struct fwdtab *table, size_t index);
/* NULL when the server is gone. */
struct fwd_server *fwdtab_server(const struct fwdtab *table, struct server_ref ref);
/* Did a real server send this though the source address is not its own? Then it forwards what it should accept. */
/* The candidate that consistent hashing chooses for `key`: always the same one while the candidates are the same. */
struct fwd_server *fwd_service_hash(const struct fwd_service *service, const struct conn_key *key);
const struct fwd_server *fwdtab_bouncer(const struct fwdtab *table, const struct mac *source_mac,
    const struct addr *source);

#endif
