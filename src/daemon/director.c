/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/director.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/vipchecking.h"
#include "doctor/diagnosis.h"
#include "model/status.h"
#include "offload/cache.h"

static void
log_lost(const struct server *server, const struct neigh *neigh, const char *interface, const char *before)
{
	const struct diagnose_facts facts = { .own = neigh->addr, .interface = interface };
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], ask[REMEDY_TEXT];

	log_warning("neighbor-lost server=%s address=%s interface=%s before=%s reason=\"no answer to %s: the server gets no "
	    "traffic\" fix=\"is it switched on, and in this network? %s\"", server_name(server, name),
	    addr_format(&neigh->addr, addr), interface, before,
	    neigh->addr.family == ADDR_IPV6 ? "neighbor solicitations" : "ARP requests",
	    remedy_fill("{ask-own}", &facts, ask));
}

static void
log_neighbor(const struct director *director, enum neigh_event event, const struct server *server,
    const struct neigh *neigh, const struct mac *before)
{
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], mac[MAC_TEXT], old[MAC_TEXT];

	server_name(server, name);
	addr_format(&neigh->addr, addr);
	mac_format(&neigh->mac, mac);
	mac_format(before, old);
	switch (event) {
	case NEIGH_FOUND:
		log_notice("neighbor-found server=%s address=%s mac=%s interface=%s", name, addr, mac,
		    director->ifaces[neigh->iface].name);
		break;
	case NEIGH_CHANGED:
		log_notice("neighbor-changed server=%s address=%s mac=%s before=%s interface=%s", name, addr, mac, old,
		    director->ifaces[neigh->iface].name);
		break;
	case NEIGH_GONE:
		log_lost(server, neigh, director->ifaces[neigh->iface].name, mac_is_zero(before) ? "none" : old);
		break;
	}
}

static void
director_neighbor(void *context, enum neigh_event event, const struct neigh *neigh, const struct mac *before)
{
	struct director *director = context;

	for (struct server *server = neigh->servers; server != NULL; server = server->beside) {
		server->mac = neigh->mac;
		log_neighbor(director, event, server, neigh, before);
		if (server->place == PLACE_FAR)
			director_log_state(director, server, "its address answers, although the director has no address in its network",
			    "neighbor");
	}
	director->stale = true;
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
	probing_init(director);
	director->model = model_new();
	if (director->model != NULL)
		director->nothing = fwdtab_compile(director->model, director->ifaces, director->iface_count, director->now);
	director->table = director->nothing;
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

/* Every server whose MAC the settings do not give is a neighbor to be resolved. */
static int
want_neighbors(struct director *director, uint64_t now)
{
	struct neigh_table *neighbors = director->forwarder.neighbors;
	int result = 0;

	neigh_begin(neighbors);
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i], **servers;
		const struct mac *mac;

		if (server == NULL || server->iface == IFACE_NONE || !mac_is_zero(&server->settings.mac))
			continue;
		if (neigh_want(neighbors, server->iface, &server->settings.addr, now) == -1) {
			result = -1;
			server->mac = mac_zero;
			continue;
		}
		servers = neigh_servers(neighbors, server->iface, &server->settings.addr);
		server->beside = *servers;
		*servers = server;
		mac = neigh_mac(neighbors, server->iface, &server->settings.addr);
		server->mac = mac != NULL ? *mac : mac_zero;
	}
	neigh_end(neighbors);
	return result;
}

static int
announce(struct director *director, const struct fwdtab *before, uint64_t now)
{
	int result = 0;

	for (size_t i = 0; i < director->model->vip_count; i++) {
		const struct vip *vip = &director->model->vips[i];

		if (vip->iface == IFACE_NONE || (before != NULL && fwdtab_vip(before, vip->iface, &vip->addr) != NULL))
			continue;
		if (announcer_add(director->forwarder.announcer, vip->iface, &vip->addr, now) == -1)
			result = -1;
	}
	return result;
}

int
director_announce(struct director *director, uint64_t now)
{
	return announce(director, NULL, now);
}

/*
 * What is behind an interface without link is no fault of the servers: their state is unknown, not down. An address that
 * frames cannot be sent to takes its server down.
 */
static void
place_servers(struct director *director)
{
	for (size_t i = 0; i < director->model->slot_count && director->announces; i++) {
		struct server *server = director->model->slots[i];
		bool no_link;

		if (server == NULL)
			continue;
		no_link = server->iface != IFACE_NONE && !director->ifaces[server->iface].up;
		if (no_link == server->no_link) {
			director_log_state(director, server, "its address is in a network of the director", "address");
			continue;
		}
		server->no_link = no_link;
		director_log_state(director, server, no_link ? "the director's interface to it has no link" :
		    "the director's interface to it has a link again", "link");
	}
}

int
director_place(struct director *director, uint64_t now)
{
	int result;

	director->now = now;
	model_place(director->model, director->ifaces, director->iface_count);
	director->forget = true;
	director->stale = true;
	result = want_neighbors(director, now);
	place_servers(director);
	return result;
}

/* What a reload changed is no news of a server, but that the file has overruled an operator is. */
static void
settle_server(struct server *server)
{
	char name[SERVER_NAME_TEXT];

	server->logged = server_state(server);
	if (server->admin.overruled)
		log_notice("steer server=%s action=weight weight=%" PRIu32 " reason=\"the file has a new weight, which "
		    "overrules the operator's\"", server_name(server, name), server->settings.weight);
	server->admin.overruled = false;
}

static void
use_table(struct director *director, struct fwdtab *table)
{
	if (director->table != director->nothing)
		fwdtab_free(director->table);
	director->table = table;
	director->forwarder.table = table;
	if (director->forwarder.offload != NULL)
		offload_refresh(director->forwarder.offload, director->table, director->ifaces, director->forget,
		    director->model->probe_addresses, PROBE_ADDRESSES);
	director->forget = false;
}

int
director_apply(struct director *director, struct settings *settings, uint64_t now)
{
	director->now = now;
	if (model_apply(director->model, settings, now) == -1)
		return -1;
	director->incomplete = director_place(director, now) == -1;
	if (director->announces && announce(director, director->table, now) == -1)
		director->incomplete = true;
	conflict_begin(&director->forwarder.watch, now);
	director_refresh(director);
	/* The table that was in force leads to servers that are gone. */
	if (director->stale)
		use_table(director, director->nothing);
	for (size_t i = 0; i < director->model->slot_count; i++)
		if (director->model->slots[i] != NULL)
			settle_server(director->model->slots[i]);
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
		log_notice("drain-timeout server=%s active=%" PRIu32 " inactive=%" PRIu32 " reason=\"%s\"", server_name(server, name),
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
log_ejections(struct director *director)
{
	director->stale = true;
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		char text[STATUS_TEXT];

		if (server == NULL || server->logged == server_state(server) || server_health(server) != HEALTH_UP)
			continue;
		server_lost_text(server, text);
		director_log_state(director, server, server->eject.until != 0 ?
		    "ejected: clients get no answer from it" : "its ejection ended", server->eject.until != 0 ? text : "outlier");
	}
}

void
director_tick(struct director *director, uint64_t now)
{
	director->now = now;
	if (director->incomplete)
		director->incomplete = director_place(director, now) == -1 ||
		    (director->announces && director_announce(director, now) == -1);
	forward_tick(&director->forwarder, now);
	if (director->forwarder.offload != NULL)
		offload_tick(director->forwarder.offload, now);
	if (model_tick(director->model, now))
		log_ejections(director);
	probing_tick(director, now);
	director_end_drains(director);
	director->stale |= fwdtab_is_warming(director->table);
}

/* Tells of what changed since the last time, whoever changed it: checks, a reload, an operator. */
static void
tell_server(struct director *director, const struct service *service, struct server *server)
{
	const enum server_state before = server->told;
	struct server_status status;

	if (before == server_state(server))
		return;
	server_status(server, &status);
	server->told = status.state;
	director->changed(director->changed_context, &(const struct state_change) { service, server,
	    server_state_name(before), server_state_name(status.state), status.sentence });
}

static void
tell_service(struct director *director, struct service *service)
{
	const enum health_state before = service->told, now = service_state(service);
	struct service_status status;

	if (now == HEALTH_UNKNOWN || now == before)
		return;
	service_status(service, &status);
	service->told = now;
	director->changed(director->changed_context, &(const struct state_change) { service, NULL,
	    health_state_name(before), health_state_name(now), now == HEALTH_UP ? "a server is up" : status.sentence });
}

static void
tell_changes(struct director *director)
{
	for (size_t i = 0; i < director->model->service_count; i++) {
		struct service *service = director->model->services[i];

		for (size_t j = 0; j < service->server_count; j++)
			tell_server(director, service, service->servers[j]);
		tell_service(director, service);
	}
}

/* A service that loses its quorum has servers, and gets no traffic all the same: that has a line of its own. */
static void
log_quorums(struct director *director)
{
	for (size_t i = 0; i < director->model->service_count; i++) {
		struct service *service = director->model->services[i];
		const bool lost = service_is_below_quorum(service) && service_state(service) != HEALTH_UNKNOWN;

		if (lost == service->quorum_logged)
			continue;
		service->quorum_logged = lost;
		if (lost)
			log_warning("service-quorum service=%s result=lost up=%zu required=%zu reason=\"%s\"",
			    service->settings.name, service_quorum_up(service), service_quorum_to_reach(service),
			    service_state(service) == HEALTH_UP ? "only the backup servers take new connections" :
			    "the service takes no new connections");
		else
			log_notice("service-quorum service=%s result=reached up=%zu required=%zu",
			    service->settings.name, service_quorum_up(service), service_quorum(service));
	}
}

void
director_refresh(struct director *director)
{
	struct fwdtab *table;

	if (!director->stale)
		return;
	if (probing_sync(director, director->now) == -1)
		log_error("vip-check result=failed reason=\"out of memory: servers are trusted\"");
	model_settle(director->model, director->now);
	log_quorums(director);
	if (director->changed != NULL)
		tell_changes(director);
	table = fwdtab_compile(director->model, director->ifaces, director->iface_count, director->now);
	if (table == NULL) {
		if (!director->no_memory)
			log_error("table result=failed reason=\"out of memory: what has changed takes effect when there is some\"");
		director->no_memory = true;
		return;
	}
	director->no_memory = false;
	director->stale = false;
	use_table(director, table);
}

/* A script may grant a part of the weight; one that says nothing of it grants all. */
static void
take_weight(struct director *director, struct server *server, size_t index, const struct check_report *report)
{
	struct server_check *check = &server->checks[index];
	const uint8_t percent = report->weight == PROBE_NO_WEIGHT ? 100 : (uint8_t)report->weight;
	char name[SERVER_NAME_TEXT], said[LOG_TEXT];

	if (report->reason != HEALTH_REASON_NONE || check->percent == percent)
		return;
	check->percent = percent;
	director->stale = true;
	log_notice("server-weight server=%s weight=%u percent=%u check=\"%s\"", server_name(server, name),
	    server_weight(server), percent, log_escape(report->detail, said));
}

/* The director's own trouble changes no health, so it must be told, but not in every interval. */
static void
tell_trouble(struct server *server, size_t index, const struct check_report *report)
{
	const bool troubled = report->reason == HEALTH_REASON_LOCAL;
	char name[SERVER_NAME_TEXT], said[LOG_TEXT];

	if (troubled && !server->checks[index].troubled)
		log_warning("check-trouble server=%s reason=\"%s: the server's state stays what it is\" check=\"%s\"",
		    server_name(server, name), health_reason_text(report->reason),
		    log_escape(report->detail, said));
	server->checks[index].troubled = troubled;
}

#define PORTS_OUT_TEXT 200

/* "tcp/443 tcp/8443", as far as there is room. Returns a number for the set, 0 for none. */
static uint32_t
list_ports_out(const struct server *server, char text[PORTS_OUT_TEXT])
{
	const struct service_settings *service = &server->service->settings;
	uint32_t set = 0;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; server->ports != PORTS_ALL && i < service->listen_count; i++) {
		const struct listen_settings *listen = &service->listens[i];
		char range[PORTS_TEXT];

		if (server_listen_state(server, listen) < LISTEN_REFUSED)
			continue;
		set = (set ^ (uint32_t)(i + 1)) * 0x9e3779b1;
		if (used < PORTS_OUT_TEXT)
			used += (size_t)snprintf(text + used, PORTS_OUT_TEXT - used, "%s%s", used == 0 ? "" : " ",
			    listen_ports(listen, range));
	}
	return set;
}

/* Ports that went out of a server that is up, or came back. One that is not up says enough by that. */
static void
log_ports(struct director *director, struct server *server)
{
	const bool up = server_health(server) == HEALTH_UP;
	struct server_status status;
	char name[SERVER_NAME_TEXT], out[PORTS_OUT_TEXT], said[LOG_TEXT];
	const uint32_t set = up ? list_ports_out(server, out) : 0;

	if (set == server->ports_logged)
		return;
	server->ports_logged = set;
	director->stale = true;
	if (!up)
		return;
	server_name(server, name);
	server_status(server, &status);
	if (set != 0)
		log_warning("server-ports server=%s out=\"%s\" reason=\"%s\"", name, out, log_escape(status.sentence, said));
	else
		log_notice("server-ports server=%s out=\"\" reason=\"every port gets traffic\"", name);
}

static void
log_down(const struct server *server, const char *name, const char *detail)
{
	char fix[SERVER_NAME_TEXT + 32] = "", said[LOG_TEXT];
	struct server_status status;

	server_status(server, &status);
	/* What a check says is plain; what is wrong with a VIP takes more than a line. */
	if (status.source != STATUS_BY_CHECK)
		(void)snprintf(fix, sizeof(fix), " fix=\"dsrctl doctor %s\"", name);
	log_warning("server-state server=%s from=%s to=%s reason=\"%s\" check=\"%s\"%s", name,
	    server_state_name(server->logged), server_state_name(status.state), log_escape(status.sentence, said), detail,
	    fix);
}

void
director_log_state(struct director *director, struct server *server, const char *success, const char *detail)
{
	const enum server_state state = server_state(server);
	char name[SERVER_NAME_TEXT], said[LOG_TEXT];

	if (state == server->logged) {
		log_ports(director, server);
		return;
	}
	director->stale = true;
	log_escape(detail, said);
	server_name(server, name);
	if (server_health(server) == HEALTH_DOWN)
		log_down(server, name, said);
	else
		log_notice("server-state server=%s from=%s to=%s reason=\"%s\" check=\"%s\"", name,
		    server_state_name(server->logged), server_state_name(state), success, said);
	server->logged = state;
	server->changes++;
	log_ports(director, server);
}

/* The state has its own line; it follows from this one. */
static void
log_steering(struct director *director, struct server *server, const char *action, const struct admin_author *author)
{
	char name[SERVER_NAME_TEXT], reason[48];

	log_notice("steer server=%s action=%s weight=%" PRIu32 " by=uid:%" PRId64, server_name(server, name), action,
	    server_weight(server), author->user);
	director->stale = true;
	(void)snprintf(reason, sizeof(reason), "%s by an operator", action);
	director_log_state(director, server, reason, "dsrctl");
	director_refresh(director);
}

static void
log_restored_steering(const struct server *server)
{
	const struct admin *admin = &server->admin;
	char name[SERVER_NAME_TEXT];

	server_name(server, name);
	if (admin->admin != ADMIN_ENABLED)
		log_notice("steer server=%s action=%s by=uid:%" PRId64 " at=%" PRIu64 " reason=\"restored: it was so before the "
		    "restart\"", name, admin_state_name(admin->admin), admin->admin_by.user, admin->admin_by.when);
	if (admin->weighted)
		log_notice("steer server=%s action=weight weight=%" PRIu32 " by=uid:%" PRId64 " at=%" PRIu64 " reason=\"restored: it "
		    "was so before the restart\"", name, admin->weight, admin->weight_by.user, admin->weight_by.when);
}

void
director_restored(struct director *director)
{
	director->stale = true;
	director_refresh(director);
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];

		if (server == NULL)
			continue;
		log_restored_steering(server);
		director_log_state(director, server, "restored: it was up before the restart, and is verified now", "restored");
		settle_server(server);
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
	log_steering(director, server, admin_state_name(admin), author);
	return true;
}

bool
director_weigh(struct director *director, struct server *server, uint32_t weight, const struct admin_author *author)
{
	if (!admin_weight(server, weight))
		return false;
	server->admin.weight_by = *author;
	log_steering(director, server, "weight", author);
	return true;
}

void
director_health(struct director *director, struct server *server, size_t index, const struct check_report *report,
    uint64_t now)
{
	if (server->no_link)
		return;
	tell_trouble(server, index, report);
	take_weight(director, server, index, report);
	if (!server_report(server, index, report->reason, report->came, now))
		return;
	director->stale = true;
	director_log_state(director, server, "check succeeded", report->detail);
}
