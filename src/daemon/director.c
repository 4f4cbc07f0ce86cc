/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/director.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/neighbor_log.h"
#include "daemon/state_log.h"
#include "model/status.h"
#include "offload/cache.h"
#include "offload/publish.h"

static void
director_neighbor(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other)
{
	struct director *director = context;

	for (struct server *server = neigh->servers; server != NULL; server = server->same_addr) {
		server->mac = neigh->mac;
		server->mac_rival = neigh->rival.mac;
		neighbor_log(event, reason, server, neigh, other, director->ifaces[neigh->iface].name);
		if (server->place == PLACE_FAR)
			director_changed(director, server, "its address answers, although the director has no address "
			    "in its network",
			    "neighbor");
	}
	director->stale = true;
}

static void
director_on_vip_state(void *context, struct server *server, const char *cause, const char *detail)
{
	director_changed(context, server, cause, detail);
}

/* The table is compiled before the next burst; director_use_table() passes it to the forwarder and the offload. */
static void
director_mark_stale(void *context, const struct state_change *change UNUSED)
{
	struct director *director = context;

	director->stale = true;
}

static void
director_sync_vip_checks(struct director *director)
{
	if (vipchecking_sync(&director->vipchecking, director->model, director->now) == -1)
		log_error("vip-check result=failed reason=\"out of memory: servers are used unchecked\"");
}

int
director_init(struct director *director, uint32_t connections, const struct siphash_key *key,
    const struct frame_tx *tx, char *error, size_t size)
{
	memset(director, 0, sizeof(*director));
	if (forwarder_init(&director->forwarder, connections, key, director_neighbor, director, error, size) == -1)
		return -1;
	director->forwarder.tx = *tx;
	director->forwarder.ifaces = director->ifaces;
	vipchecking_init(&director->vipchecking, &director->forwarder, director_on_vip_state, director);
	change_subscribe(&director->changes, director_mark_stale, director);
	change_subscribe(&director->changes, state_log_change, NULL);
	director->model = model_new();
	if (director->model != NULL)
		director->nothing = fwdtab_compile(director->model, director->ifaces, director->iface_count,
		    director->now);
	director->table = director->nothing;
	director->table_serial = 1;
	if (director->table == NULL) {
		snprintf(error, size, "out of memory");
		director_clear(director);
		return -1;
	}
	director->forwarder.table = director->table;
	return 0;
}

void
director_clear(struct director *director)
{
	forwarder_clear(&director->forwarder);
	if (director->table != director->nothing)
		fwdtab_free(director->table);
	fwdtab_free(director->nothing);
	model_free(director->model);
	director->table = director->nothing = NULL;
	director->model = NULL;
}

uint16_t
director_iface(struct director *director, const char *name)
{
	struct iface *iface;

	for (size_t i = 0; i < director->iface_count; i++)
		if (strcmp(director->ifaces[i].name, name) == 0)
			return (uint16_t)i;
	if (director->iface_count == IFACES_MOST)
		return IFACE_NONE;
	iface = &director->ifaces[director->iface_count];
	memset(iface, 0, sizeof(*iface));
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->mtu = IFACE_MTU_DEFAULT;
	director->forwarder.iface_count = ++director->iface_count;
	return (uint16_t)(director->iface_count - 1);
}

/* Every server without a configured MAC is a neighbor to be resolved. */
static int
director_want_neighbors(struct director *director, uint64_t now)
{
	struct neigh_table *neighbors = director->forwarder.neighbors;
	int result = 0;

	neigh_begin(neighbors);
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i], **servers;
		const struct neigh *neigh;

		if (server == NULL)
			continue;
		server->mac_rival = mac_zero;
		if (server->iface == IFACE_NONE || !mac_is_zero(&server->settings.mac) ||
		    server->settings.method == ENCAP_LOCAL)
			continue;
		if (neigh_want(neighbors, server->iface, &server->hop, server->service->settings.neighbor, now) == -1) {
			result = -1;
			server->mac = mac_zero;
			continue;
		}
		servers = neigh_servers(neighbors, server->iface, &server->hop);
		server->same_addr = *servers;
		*servers = server;
		neigh = neigh_get(neighbors, server->iface, &server->hop);
		server->mac = neigh->mac;
		server->mac_rival = neigh->rival.mac;
	}
	neigh_end(neighbors);
	return result;
}

static int
director_announce_new(struct director *director, const struct fwdtab *before, uint64_t now)
{
	int result = 0;

	for (size_t i = 0; i < director->model->vip_count; i++) {
		const struct vip *vip = &director->model->vips[i];

		if (vip->iface == IFACE_NONE || vip->silent || (before != NULL &&
		    fwdtab_vip(before, vip->iface, &vip->addr) != NULL))
			continue;
		if (announcer_add(director->forwarder.announcer, vip->iface, &vip->addr, ANNOUNCE_TAKEOVER, now) == -1)
			result = -1;
	}
	return result;
}

int
director_announce(struct director *director, uint64_t now)
{
	return director_announce_new(director, NULL, now);
}

/* Publishes the server's state if it differs from the last one published. */
static bool
director_publish_server(struct director *director, struct server *server, const char *cause, const char *detail)
{
	enum server_state before;
	struct server_status status;

	if (!server_note_state(server, director->now, &before))
		return false;
	server->changes += cause != NULL;
	server_status(server, &status);
	change_emit(&director->changes, &(const struct state_change) { .service = server->service, .server = server,
	    .from = server_state_name(before), .to = server_state_name(status.state), .reason = status.sentence,
	    .cause = cause, .detail = detail });
	return true;
}

void
director_changed(struct director *director, struct server *server, const char *cause, const char *detail)
{
	(void)director_publish_server(director, server, cause, detail);
	if (server_note_ports(server))
		change_emit(&director->changes, &(const struct state_change) { .kind = CHANGE_PORTS,
		    .service = server->service, .server = server });
}

/*
 * An interface without link is not the fault of the servers behind it: their state is unknown, not down. An address
 * that frames cannot be sent to takes its server down.
 */
static void
director_place_servers(struct director *director)
{
	for (size_t i = 0; i < director->model->slot_count && director->live; i++) {
		struct server *server = director->model->slots[i];
		bool no_link;

		if (server == NULL)
			continue;
		no_link = server->iface != IFACE_NONE && !director->ifaces[server->iface].up;
		if (no_link == server->no_link) {
			director_changed(director, server, "its address is in a network of the director", "address");
			continue;
		}
		server->no_link = no_link;
		director_changed(director, server, no_link ? "the director's interface to it has no link" :
		    "the director's interface to it has a link again", "link");
	}
}

/* A route for each server that needs one; memory that runs out leaves the old ones. */
static size_t
director_find_routes(const struct director *director, struct ip_route *routes)
{
	size_t count = 0;

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];

		if (server != NULL && server->settings.method != ENCAP_MAC &&
		    server->settings.method != ENCAP_LOCAL && !addr_is_set(&server->settings.gateway) &&
		    director->find_route(&server->settings.addr, &routes[count]) == 0)
			count++;
	}
	return count;
}

bool
director_routes_changed(struct director *director)
{
	struct model *model = director->model;
	struct ip_route *routes;
	size_t count;
	bool changed;

	if (director->find_route == NULL || !model_needs_routes(model))
		return false;
	routes = calloc(model->slot_count + 1, sizeof(*routes));
	if (routes == NULL)
		return false;
	count = director_find_routes(director, routes);
	changed = count != model->route_count ||
	    (count > 0 && memcmp(routes, model->routes, count * sizeof(*routes)) != 0);
	if (changed && model_set_routes(model, routes, count) == -1)
		changed = false;
	free(routes);
	return changed;
}

int
director_place(struct director *director, uint64_t now)
{
	int result;

	director->now = now;
	(void)director_routes_changed(director);
	model_place(director->model, director->ifaces, director->iface_count);
	director->forget = true;
	director->stale = true;
	result = director_want_neighbors(director, now);
	director_place_servers(director);
	return result;
}

/* A reload's own changes are not logged as events, except when the file overrides an operator. */
static void
director_settle_server(struct server *server)
{
	char name[SERVER_NAME_TEXT];

	if (server->admin.overruled)
		log_notice("admin server=%s action=weight weight=%" PRIu32 " reason=\"the file has a new weight, which "
		    "overrules the operator's\"", server_name(server, name), server->settings.weight);
	server->admin.overruled = false;
}

/* New settings may change the state of a server that stays, without another cause, and so may its place. */
static void
director_note_settings(struct director *director)
{
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];

		if (server != NULL && server->iface != IFACE_NONE)
			(void)director_publish_server(director, server, NULL, NULL);
	}
}

/* While servers are found healthy one after the other, no table is what others choose by. */
static bool
director_is_settled(const struct director *director)
{
	const uint64_t began = director->forwarder.began;

	return director->table != director->nothing && director->now - began >= ROLE_WARM_MOST;
}

/* As a bit for each. */
static uint32_t
director_forwarded_groups(const struct director *director)
{
	uint32_t groups = 0;

	for (unsigned i = 0; i < ROLE_GROUPS; i++)
		if ((director->forwarder.duties[i] & ROLE_FORWARDS) != 0)
			groups |= UINT32_C(1) << i;
	return groups;
}

static void
director_use_table(struct director *director, struct fwdtab *table)
{
	if (director->table != director->nothing)
		fwdtab_free(director->table);
	director->table = table;
	director->table_serial++;
	director->forwarder.table = table;
	if (director->forwarder.offload != NULL)
		offload_serve_groups(director->forwarder.offload, director_forwarded_groups(director));
	if (director->forwarder.offload != NULL)
		offload_refresh(director->forwarder.offload, director->table, director->ifaces, director->forget,
		    director->model->probe_addresses, PROBE_ADDRESSES, director->now);
	director->forget = false;
}

/* The service's own state follows from its servers'. It has no log line. */
static void
director_settle_service(struct director *director, struct service *service)
{
	const enum health_state before = service->state, now = service_state(service);
	struct service_status status;

	if (now == HEALTH_UNKNOWN || now == before)
		return;
	service_status(service, &status);
	service->state = now;
	change_emit(&director->changes, &(const struct state_change) { .service = service,
	    .from = health_state_name(before), .to = health_state_name(now),
	    .reason = now == HEALTH_UP ? "a server is up" : status.sentence });
}

/* Publishes changes of quorums, of the servers' states by new settings, and then of the services'. */
static void
director_settle_states(struct director *director)
{
	for (size_t i = 0; i < director->model->service_count; i++) {
		struct service *service = director->model->services[i];

		if (service_note_quorum(service))
			change_emit(&director->changes, &(const struct state_change) { .kind = CHANGE_QUORUM,
			    .service = service });
		for (size_t j = 0; j < service->server_count; j++)
			director_publish_server(director, service->servers[j], NULL, NULL);
		director_settle_service(director, service);
	}
}

bool
director_is_stale(struct director *director)
{
	director->stale |= director->forwarder.paths_changed;
	director->forwarder.paths_changed = false;
	return director->stale;
}

void
director_refresh(struct director *director)
{
	struct fwdtab *table;

	if (!director_is_stale(director))
		return;
	director_sync_vip_checks(director);
	model_settle(director->model);
	director_settle_states(director);
	table = fwdtab_compile(director->model, director->ifaces, director->iface_count, director->now);
	if (table == NULL) {
		if (!director->no_memory)
			log_error("table result=failed reason=\"out of memory: changes take effect when memory is "
			    "available\"");
		director->no_memory = true;
		return;
	}
	director->no_memory = false;
	director->stale = false;
	if (director_is_settled(director))
		fwdtab_inherit(table, director->table, director->now);
	director_use_table(director, table);
}

int
director_apply(struct director *director, struct settings *settings, uint64_t now)
{
	director->now = now;
	/* What the kernel counted belongs to servers that may be gone next. */
	if (director->forwarder.offload != NULL)
		offload_sync(director->forwarder.offload, 0, now);
	if (model_apply(director->model, settings, now) == -1)
		return -1;
	if (director->settled != NULL)
		director->settled(director->settled_context, now);
	director_note_settings(director);
	director->incomplete = director_place(director, now) == -1;
	if (director->live && director_announce_new(director, director->table, now) == -1)
		director->incomplete = true;
	conflict_begin(&director->forwarder.conflicts, now);
	director_refresh(director);
	/* The table that was in force leads to servers that are gone. */
	if (director->stale)
		director_use_table(director, director->nothing);
	for (size_t i = 0; i < director->model->slot_count; i++)
		if (director->model->slots[i] != NULL)
			director_settle_server(director->model->slots[i]);
	return 0;
}

/* `drain --timeout`: what has not ended by then is for `on-down`, and UDP moves. */
static void
director_end_drains(struct director *director)
{
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		char name[SERVER_NAME_TEXT];

		if (server == NULL || server->admin.admin != ADMIN_DRAINED || server->admin.drain_until == 0 ||
		    director->now < server->admin.drain_until)
			continue;
		server->admin.drain_until = 0;
		log_notice("drain-timeout server=%s active=%" PRIu32 " inactive=%" PRIu32 " reason=\"%s\"",
		    server_name(server, name),
		    server->run->active, server->run->inactive,
		    admin_flows(server) > 0 ? "the server is disabled" : "it has no flows");
		if (admin_flows(server) > 0) {
			const struct admin_author author = server->admin.admin_by;

			(void)director_set_admin(director, server, ADMIN_DISABLED, &author);
		}
	}
}

/* Of ejected servers, and of those that are in again, the state is another one now. */
static void
director_log_ejections(struct director *director)
{
	director->stale = true;
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		char text[STATUS_TEXT];

		if (server == NULL || server->state == server_state(server) || server_health(server) != HEALTH_UP)
			continue;
		server_lost_text(server, text);
		director_changed(director, server, server->eject.until != 0 ?
		    "ejected: clients get no answer from it" : "its ejection ended", server->eject.until != 0 ? text :
		    "outlier");
	}
}

void
director_tick(struct director *director, uint64_t now)
{
	director->now = now;
	if (director->incomplete)
		director->incomplete = director_place(director, now) == -1 ||
		    (director->live && director_announce(director, now) == -1);
	forward_tick(&director->forwarder, now);
	if (director->forwarder.offload != NULL)
		offload_tick(director->forwarder.offload, now);
	if (model_tick(director->model, now))
		director_log_ejections(director);
	vipchecking_tick(&director->vipchecking, director->model, director->live, now);
	director_end_drains(director);
	director->stale |= fwdtab_is_warming(director->table);
}

/* A script may grant a part of the weight; without such a line it grants all of it. */
static void
director_set_script_weight(struct director *director, struct server *server, size_t index,
    const struct check_report *report)
{
	struct server_check *check = &server->checks[index];
	const uint8_t percent = report->weight == CHECK_NO_WEIGHT ? 100 : (uint8_t)report->weight;
	char name[SERVER_NAME_TEXT], said[LOG_TEXT];

	if (report->reason != HEALTH_REASON_NONE || check->percent == percent)
		return;
	check->percent = percent;
	director->stale = true;
	log_notice("server-weight server=%s weight=%u percent=%u check=\"%s\"", server_name(server, name),
	    server_weight(server), percent, log_escape(report->detail, said));
}

/* The director's own trouble changes no health, so it must be logged, but not in every interval. */
static void
director_log_local_failure(struct server *server, size_t index, const struct check_report *report)
{
	const bool troubled = report->reason == HEALTH_REASON_LOCAL;
	char name[SERVER_NAME_TEXT], said[LOG_TEXT];

	if (troubled && !server->checks[index].troubled)
		log_warning("check-trouble server=%s reason=\"%s: the server's state stays what it is\" check=\"%s\"",
		    server_name(server, name), health_reason_text(report->reason),
		    log_escape(report->detail, said));
	server->checks[index].troubled = troubled;
}

/* The state has its own line; it follows from this one. */
static void
director_log_admin(struct director *director, struct server *server, const char *action,
    const struct admin_author *author)
{
	char name[SERVER_NAME_TEXT], reason[48];

	log_notice("admin server=%s action=%s weight=%" PRIu32 " by=uid:%" PRId64 " user=%s", server_name(server, name),
	    action, server_weight(server), author->user, admin_author_name(author));
	director->stale = true;
	(void)snprintf(reason, sizeof(reason), "%s by an operator", action);
	director_changed(director, server, reason, "dsrctl");
	director_refresh(director);
}

static void
director_log_restored_admin(const struct server *server)
{
	const struct admin *admin = &server->admin;
	char name[SERVER_NAME_TEXT];

	server_name(server, name);
	if (admin->admin != ADMIN_ENABLED)
		log_notice("admin server=%s action=%s by=uid:%" PRId64 " user=%s at=%" PRIu64 " reason=\"restored: as "
		    "before the "
		    "restart\"", name, admin_state_name(admin->admin), admin->admin_by.user,
		    admin_author_name(&admin->admin_by),
		    admin->admin_by.when);
	if (admin->weighted)
		log_notice("admin server=%s action=weight weight=%" PRIu32 " by=uid:%" PRId64 " user=%s at=%" PRIu64
		    " reason=\"restored: "
		    "as before the restart\"", name, admin->weight, admin->weight_by.user,
		    admin_author_name(&admin->weight_by), admin->weight_by.when);
}

void
director_restored(struct director *director)
{
	director->stale = true;
	director_sync_vip_checks(director);
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		uint64_t since;

		if (server == NULL)
			continue;
		since = server->since;
		director_log_restored_admin(server);
		director_changed(director, server, "restored: it was up before the restart, and is verified now",
		    "restored");
		/* Its warmup has ended. */
		if (server->state == SERVER_UP)
			server->since = since;
		director_settle_server(server);
	}
	director_refresh(director);
}

bool
director_set_admin(struct director *director, struct server *server, enum admin_state admin,
    const struct admin_author *author)
{
	if (!admin_admin(server, admin, director->now))
		return false;
	server->admin.admin_by = *author;
	director_log_admin(director, server, admin_state_name(admin), author);
	return true;
}

bool
director_weigh(struct director *director, struct server *server, uint32_t weight, const struct admin_author *author)
{
	if (!admin_weight(server, weight))
		return false;
	server->admin.weight_by = *author;
	director_log_admin(director, server, "weight", author);
	return true;
}

bool
director_set_mac(struct director *director, struct server *server, const struct mac *mac,
    const struct admin_author *author)
{
	const bool disputed = !mac_is_zero(&server->mac_rival), changes = !mac_equal(&server->mac, mac);
	char name[SERVER_NAME_TEXT], text[MAC_TEXT];

	if (server->iface == IFACE_NONE || (!changes && !disputed))
		return false;
	log_notice("admin server=%s action=neighbor mac=%s by=uid:%" PRId64 " user=%s", server_name(server, name),
	    mac_format(mac, text), author->user, admin_author_name(author));
	(void)neigh_set(director->forwarder.neighbors, server->iface, &server->hop, mac, director->now);
	director_refresh(director);
	return changes;
}

void
director_neighbors(struct director *director, uint64_t now)
{
	director->now = now;
	forward_neighbors(&director->forwarder, now);
}

void
director_vipcheck(struct director *director, uint64_t now)
{
	if (!director->vipchecking.probes)
		return;
	director->now = now;
	vipchecking_run(&director->vipchecking, now);
}

void
director_health(struct director *director, struct server *server, size_t index, const struct check_report *report,
    uint64_t now)
{
	if (server->no_link)
		return;
	director_log_local_failure(server, index, report);
	director_set_script_weight(director, server, index, report);
	/* Silence may mean that the address has moved. */
	if (report->reason == HEALTH_REASON_TIMEOUT || report->reason == HEALTH_REASON_UNREACHABLE)
		neigh_suspect(director->forwarder.neighbors, server->iface, &server->hop, now);
	if (!server_report(server, index, report->reason, report->got, now))
		return;
	director->stale = true;
	director_changed(director, server, "check succeeded", report->detail);
}
