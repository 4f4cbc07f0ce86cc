/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"
#include "offload/cache.h"
#include "sched/scheduler.h"

void
report_version(struct writer *writer)
{
	writer_fact(writer, "version", "dsrd", PACKAGE_VERSION);
}

const char *
report_port(const struct addr *vip, uint8_t protocol, uint16_t port, char text[PORT_TEXT])
{
	const char *name = protocol_name(protocol);
	char addr[ADDR_TEXT];

	snprintf(text, PORT_TEXT, "%s %s/%u", addr_format(vip, addr), name != NULL ? name : "?", port);
	return text;
}

const char *
report_why(const struct server *server, struct server_status *status)
{
	server_status(server, status);
	return status->plain ? "" : status->sentence;
}

static enum mood
state_mood(const struct server *server)
{
	switch (server_state(server)) {
	case SERVER_UP:
		return mac_is_zero(&server->mac) ? MOOD_BAD : server->ports == PORTS_ALL ? MOOD_GOOD : MOOD_WARN;
	case SERVER_DOWN:
		return MOOD_BAD;
	case SERVER_UNKNOWN:
	case SERVER_DRAINING:
	case SERVER_DISABLED:
		break;
	}
	return MOOD_WARN;
}

static enum mood
health_mood(enum health_state state)
{
	switch (state) {
	case HEALTH_UP:
		return MOOD_GOOD;
	case HEALTH_DOWN:
		return MOOD_BAD;
	case HEALTH_UNKNOWN:
		break;
	}
	return MOOD_WARN;
}

static uint64_t
seconds_since(uint64_t now, uint64_t then)
{
	return now > then ? (now - then) / SECONDS(1) : 0;
}

/* Whole seconds are precise enough for an age. */
static const char *
report_age(uint64_t now, uint64_t then, char text[DURATION_TEXT])
{
	return text_format_duration(SECONDS(seconds_since(now, then)), text);
}

/* "192.0.2.10 tcp/80 tcp/443, 2001:db8::10 tcp/80-99" */
static void
listens_text(const struct service_settings *settings, char *text, size_t size)
{
	const struct addr *last = NULL;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < settings->listen_count && used < size; i++) {
		const struct listen_settings *listen = &settings->listens[i];
		char addr[ADDR_TEXT], ports[PORTS_TEXT];

		if (last == NULL || !addr_equal(last, &listen->vip))
			used += (size_t)snprintf(text + used, size - used, "%s%s", last == NULL ? "" : ", ",
			    addr_format(&listen->vip, addr));
		if (used < size)
			used += (size_t)snprintf(text + used, size - used, " %s", listen_ports(listen, ports));
		last = &listen->vip;
	}
}

static void
show_folded(struct writer *writer, const struct report_facts *facts)
{
	char text[128];
	size_t well = 0;

	for (size_t i = 0; i < facts->model->service_count; i++)
		for (size_t j = 0; j < facts->model->services[i]->server_count; j++)
			well += report_is_well(facts->model->services[i]->servers[j]);
	snprintf(text, sizeof(text), "%zu servers are up and as configured (dsrctl show SERVICE, or --all, lists them)",
	    well);
	if (report_folds(facts) && !facts->only_problems && well > 0)
		writer_fact(writer, "note", "not listed", text);
}

static enum mood
service_mood(enum service_state state)
{
	switch (state) {
	case SERVICE_UP:
		return MOOD_GOOD;
	case SERVICE_DOWN:
		return MOOD_BAD;
	case SERVICE_UNKNOWN:
	case SERVICE_DEGRADED:
		break;
	}
	return MOOD_WARN;
}

static void
show_services(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "service", "SERVICE", false }, { "state", "STATE", false },
		{ "reason", NULL, false }, { "why", NULL, false },
		{ "servers_up", "UP", true }, { "servers", "OF", true }, { "quorum", NULL, true },
		{ "quorum_lost", NULL, false }, { "limit_new", NULL, true }, { "limited", NULL, true },
		{ "scheduler", "SCHEDULER", false },
		{ "interface", "INTERFACE", false }, { "listen", "LISTENS ON", false },
		REPORT_SERVICE_RATES };

	writer_table(writer, "services", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->model->service_count; i++) {
		const struct service *service = facts->model->services[i];
		struct service_status status;
		char listens[512];

		if (!report_lists_service(facts, service))
			continue;
		service_status(service, &status);
		listens_text(&service->settings, listens, sizeof(listens));
		writer_row(writer);
		writer_cell(writer, service->settings.name);
		writer_cell_mood(writer, service_state_name(status.state), service_mood(status.state));
		writer_cell(writer, status.name);
		writer_cell(writer, status.sentence);
		writer_cell_number(writer, status.up);
		writer_cell_number(writer, status.servers);
		writer_cell_number(writer, status.quorum);
		writer_cell_flag(writer, status.quorum_lost);
		writer_cell_number(writer, service->settings.limit_new.service);
		writer_cell_number(writer, service->run->limited);
		writer_cell(writer, service->settings.scheduler->name);
		writer_cell(writer, service->settings.iface);
		writer_cell(writer, listens);
		report_service_rates(writer, service);
	}
	writer_table_end(writer);
}

static const char *
vip_state_name(enum vip_state state)
{
	switch (state) {
	case VIP_TRUSTED:
		return "trusted";
	case VIP_UNKNOWN:
		return "unknown";
	case VIP_ACCEPTED:
		return "accepted";
	case VIP_PARTLY:
		return "partly";
	case VIP_REFUSED:
		break;
	}
	return "refused";
}

/* What was proven of a machine that answers nothing any more, or has no MAC address, holds no longer. */
static enum vip_state
vip_state_now(const struct server *server)
{
	const bool gone = mac_is_zero(&server->mac) || (server->health.state == HEALTH_DOWN &&
	    (server->health.reason == HEALTH_REASON_TIMEOUT || server->health.reason == HEALTH_REASON_UNREACHABLE));

	return gone && server->vip_state == VIP_ACCEPTED ? VIP_UNKNOWN : server->vip_state;
}

/* "tcp/443 tcp/8443": what the server gets no traffic of, though it is up. */
static void
show_ports_out(struct writer *writer, const struct server *server)
{
	const struct service_settings *service = &server->service->settings;
	char text[512] = "";
	size_t used = 0;

	for (size_t i = 0; server->ports == PORTS_PARTLY && i < service->listen_count && used < sizeof(text); i++) {
		char ports[PORTS_TEXT], addr[ADDR_TEXT];

		if (server_listen_state(server, &service->listens[i]) >= LISTEN_REFUSED)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s", used == 0 ? "" : ", ",
			    addr_format(&service->listens[i].vip, addr), listen_ports(&service->listens[i], ports));
	}
	writer_cell(writer, used == 0 ? NULL : text);
}

/* How packets reach it; what routers and the server itself said about that by ICMP. */
static void
show_way(struct writer *writer, const struct server *server)
{
	const struct server_path *path = &server->run->path;
	char gateway[ADDR_TEXT];

	writer_cell(writer, encap_method_name(server->settings.method));
	writer_cell(writer, server_is_routed(server) ? addr_format(&server->hop, gateway) : NULL);
	if (path->mtu != 0)
		writer_cell_number(writer, path->mtu);
	else
		writer_cell(writer, NULL);
	writer_cell(writer, path->cause == ICMP_CAUSE_NONE ? NULL : icmp_cause_name(path->cause));
}

static void
show_server(struct writer *writer, const struct report_facts *facts, const struct server *server)
{
	const struct server_run *run = server->run;
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], mac[MAC_TEXT], since[DURATION_TEXT], difference[DIFFERENCE_TEXT];
	struct server_status status;
	const char *why = report_why(server, &status);

	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell_mood(writer, server_state_name(server_state(server)), state_mood(server));
	writer_cell(writer, report_age(facts->now, server->since, since));
	writer_cell_number(writer, seconds_since(facts->now, server->since));
	writer_cell_number(writer, admin_given_weight(server));
	writer_cell_number(writer, server->settings.weight);
	writer_cell(writer, report_difference(server, difference));
	writer_cell_flag(writer, server->settings.backup);
	writer_cell_number(writer, run->active);
	writer_cell_number(writer, run->inactive);
	writer_cell_number(writer, run->connections);
	writer_cell_number(writer, run->packets);
	writer_cell_number(writer, run->bytes);
	writer_cell_number(writer, server->changes);
	writer_cell_mood(writer, vip_state_name(vip_state_now(server)),
	    server->vip_state == VIP_REFUSED ? MOOD_BAD : server->vip_state == VIP_PARTLY ? MOOD_WARN : MOOD_PLAIN);
	writer_cell(writer, addr_format(&server->settings.addr, addr));
	writer_cell(writer, mac_is_zero(&server->mac) ? NULL : mac_format(&server->mac, mac));
	writer_cell(writer, status.name);
	writer_cell(writer, status_source_name(status.source));
	show_ports_out(writer, server);
	show_way(writer, server);
	writer_cell_mood(writer, why, state_mood(server));
}

static void
show_servers(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "state", "STATE", false },
		{ "since", "SINCE", true }, { "since_seconds", NULL, true }, { "weight", "WEIGHT", true },
		{ "file_weight", NULL, true }, { "by_operator", NULL, false }, { "backup", NULL, false },
		    { "active", "ACTIVE", true }, { "inactive", "INACTIVE", true },
		{ "connections", "TOTAL", true }, { "packets", NULL, true }, { "bytes", NULL, true },
		{ "state_changes", NULL, true },
		{ "vip", "VIP", false }, { "address", "ADDRESS", false }, { "mac", "MAC", false },
		{ "reason", NULL, false }, { "set_by", NULL, false }, { "ports_out", NULL, false },
		{ "method", NULL, false }, { "gateway", NULL, false }, { "path_mtu", NULL, true },
		{ "path_error", NULL, false }, { "why", "WHY", false } };

	writer_table(writer, "servers", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->model->service_count; i++)
		for (size_t j = 0; j < facts->model->services[i]->server_count; j++)
			if (report_lists(facts, facts->model->services[i]->servers[j]))
				show_server(writer, facts, facts->model->services[i]->servers[j]);
	writer_table_end(writer);
}

static void
show_conflicts(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "kind", NULL, false }, { "vip", "VIP", false },
		{ "mac", "MAC", false }, { "server", "SERVER", false }, { "interface", "INTERFACE", false },
		{ "count", "TIMES", true }, { "last_seconds", NULL, true },
		{ "last", "LAST", true }, { "what", "WHAT IT DOES", false } };
	const struct conflict_table *conflicts = &facts->forwarder->conflicts;

	writer_table(writer, "conflicts", "Other hosts claiming a VIP (see dsrctl doctor):", columns,
	    ARRAY_LEN(columns));
	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];
		const struct server *server = model_server_by_mac(facts->model, conflict->iface, &conflict->mac);
		char name[SERVER_NAME_TEXT], addr[ADDR_TEXT], mac[MAC_TEXT], last[DURATION_TEXT];

		if (conflict_has_ended(conflict, facts->now))
			continue;
		writer_row(writer);
		writer_cell(writer, conflict_kind_name(conflict->kind));
		writer_cell(writer, addr_format(&conflict->vip, addr));
		writer_cell(writer, mac_format(&conflict->mac, mac));
		writer_cell(writer, server == NULL ? NULL : server_name(server, name));
		writer_cell(writer,
		    conflict->iface < facts->iface_count ? facts->ifaces[conflict->iface].iface->name : NULL);
		writer_cell_number(writer, conflict->count);
		writer_cell_number(writer, seconds_since(facts->now, conflict->last));
		writer_cell(writer, report_age(facts->now, conflict->last, last));
		writer_cell_mood(writer, conflict_kind_sentence(conflict->kind), MOOD_BAD);
	}
	writer_table_end(writer);
}

static void
show_interfaces(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "interface", "INTERFACE", false }, { "link", "LINK", false },
		{ "open", "OPEN", false },
		{ "mac", "MAC", false }, { "mtu", "MTU", true }, { "received", "RECEIVED", true },
		{ "capture_dropped", "LOST", true }, { "sent", "SENT", true }, { "not_sent", "NOT SENT", true },
		{ "offload", "OFFLOAD", false }, { "offload_reason", NULL, false } };

	writer_table(writer, "interfaces", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->iface_count; i++) {
		const struct report_iface *iface = &facts->ifaces[i];
		char mac[MAC_TEXT];

		writer_row(writer);
		writer_cell(writer, iface->iface->name);
		writer_cell_mood(writer, iface_link_name(iface->iface), iface->iface->up ? MOOD_PLAIN : MOOD_BAD);
		writer_cell_flag(writer, iface->open);
		writer_cell(writer, mac_format(&iface->iface->mac, mac));
		writer_cell_number(writer, iface->iface->mtu);
		writer_cell_number(writer, iface->received);
		writer_cell_number(writer, iface->capture_dropped);
		writer_cell_number(writer, iface->sent);
		writer_cell_number(writer, iface->not_sent);
		writer_cell(writer, iface->offload);
		writer_cell(writer, iface->offload_reason);
	}
	writer_table_end(writer);
}

static void
show_drops(struct writer *writer, const struct forward_stats *stats, bool all)
{
	static const struct column columns[] = { { "reason", "DROPPED", false }, { "frames", "FRAMES", true },
		{ "meaning", "WHY", false } };

	writer_table(writer, "drops", NULL, columns, ARRAY_LEN(columns));
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++) {
		if (!all && stats->dropped[reason] == 0)
			continue;
		writer_row(writer);
		writer_cell(writer, drop_reason_name(reason));
		writer_cell_number(writer, stats->dropped[reason]);
		writer_cell(writer, drop_reason_sentence(reason));
	}
	writer_table_end(writer);
}

/* The least urgent numbers stand last. */
static void
show_director(struct writer *writer, const struct report_facts *facts)
{
	show_interfaces(writer, facts);
	show_drops(writer, &facts->forwarder->stats, false);
	writer_gap(writer);
	writer_number(writer, "flows", "flows", conn_table_count(facts->forwarder->conns));
	writer_number(writer, "flows_unproven", "unproven flows", conn_table_unproven(facts->forwarder->conns));
	writer_number(writer, "flows_evicted", "unproven flows evicted", facts->forwarder->stats.unproven_evicted);
	writer_number(writer, "flows_offloaded", "offloaded to the kernel",
	    facts->forwarder->offload != NULL ? offload_count(facts->forwarder->offload) : 0);
	writer_number(writer, "frames_offloaded", NULL, facts->forwarder->stats.offloaded);
	writer_number(writer, "flow_capacity", NULL, conn_table_capacity(facts->forwarder->conns));
}

void
report_show(struct writer *writer, const struct report_facts *facts)
{
	report_version(writer);
	writer_number(writer, "uptime_seconds", NULL, seconds_since(facts->now, facts->started));
	writer_number(writer, "reloads", NULL, facts->reloads);
	writer_flag(writer, "observe", facts->observe);
	if (facts->observe)
		writer_fact(writer, "observing", "mode", "observing: nothing is sent (dsrd --observe)");
	report_roles(writer, facts);
	report_problems(writer, facts);
	show_conflicts(writer, facts);
	show_services(writer, facts);
	show_servers(writer, facts);
	show_folded(writer, facts);
	if (!facts->only_problems || facts->all)
		report_traffic(writer, facts);
	if (facts->all || (!facts->only_problems && report_selects_everything(facts)))
		show_director(writer, facts);
}

/* --- show health --- */

static void
health_row(struct writer *writer, const struct server *server, size_t index)
{
	const struct service_settings *settings = &server->service->settings;
	const struct health *health = &server->checks[index].health;
	char name[SERVER_NAME_TEXT], reason[STATUS_TEXT];

	if (server->checks[index].unused)
		return;
	server_check_reason(server, index, reason);
	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell(writer, check_kind_name(server_check_settings(server, index)->kind));
	writer_cell_number(writer, service_check_port(settings, server_check_settings(server, index)));
	writer_cell_mood(writer, health_state_name(health->state), health_mood(health->state));
	writer_cell_number(writer, health->successes);
	writer_cell_number(writer, health->failures);
	writer_cell(writer, health->failures > 0 ? reason : NULL);
}

static void
health_vipchecks(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "vip", "VIP", false },
		{ "state", "STATE", false }, { "verdict", "VERDICT", false }, { "checked", "CHECKED", true },
		{ "checked_seconds", NULL, true }, { "meaning", "WHAT IT MEANS", false } };
	const struct vipcheck_table *vipchecks = facts->forwarder->vipchecks;

	writer_table(writer, "vip_checks", "The VIPs, as the director finds them on the servers:", columns,
	    ARRAY_LEN(columns));
	for (size_t i = 0; i < vipcheck_count(vipchecks); i++) {
		const struct vipcheck *check = vipcheck_at(vipchecks, i);
		char name[SERVER_NAME_TEXT], port[PORT_TEXT], asked[DURATION_TEXT];

		if (!selection_has(facts->selection, check->server))
			continue;
		writer_row(writer);
		writer_cell(writer, server_name(check->server, name));
		writer_cell(writer, report_port(&check->vip, check->protocol, check->port, port));
		writer_cell_mood(writer, health_state_name(check->health.state), health_mood(check->health.state));
		writer_cell(writer, vipcheck_verdict_name(check->verdict));
		writer_cell(writer, check->settled ? report_age(facts->now, check->last.ended, asked) : NULL);
		writer_cell_number(writer, check->settled ? seconds_since(facts->now, check->last.ended) : 0);
		writer_cell(writer, vipcheck_verdict_sentence(check->verdict));
	}
	writer_table_end(writer);
}

void
report_health(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "check", "CHECK", false },
		{ "port", "PORT", true }, { "state", "STATE", false }, { "successes", "GOOD", true },
		{ "failures", "BAD", true }, { "last_failure", "LAST FAILURE", false } };

	writer_table(writer, "checks", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->model->service_count; i++) {
		const struct service *service = facts->model->services[i];

		for (size_t j = 0; j < service->server_count; j++)
			for (size_t k = 0; k < service->servers[j]->check_count; k++)
				if (selection_has(facts->selection, service->servers[j]))
					health_row(writer, service->servers[j], k);
	}
	writer_table_end(writer);
	health_vipchecks(writer, facts);
}

/* --- show drops, show neighbors --- */

static void
report_counter_row(void *context, const char *name, const char *text, uint64_t value)
{
	struct writer *writer = context;

	writer_row(writer);
	writer_cell(writer, name);
	writer_cell_number(writer, value);
	writer_cell(writer, text);
}

void
report_drops(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "name", "COUNTER", false }, { "value", "VALUE", true },
		{ "meaning", "WHAT IT COUNTS", false } };

	show_drops(writer, &facts->forwarder->stats, true);
	writer_table(writer, "counters", NULL, columns, ARRAY_LEN(columns));
	forward_stats_each(&facts->forwarder->stats, report_counter_row, writer);
	writer_table_end(writer);
}

static void
name_row(struct writer *writer, const char *name, const char *kind)
{
	writer_row(writer);
	writer_cell(writer, name);
	writer_cell(writer, kind);
}

void
report_names(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "name", "NAME", false }, { "kind", "KIND", false } };
	const struct model *model = facts->model;
	char name[SERVER_NAME_TEXT], addr[ADDR_TEXT];

	writer_table(writer, "names", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < model->service_count; i++) {
		name_row(writer, model->services[i]->settings.name, "service");
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			name_row(writer, server_name(model->services[i]->servers[j], name), "server");
	}
	for (size_t i = 0; i < model->vip_count; i++)
		name_row(writer, addr_format(&model->vips[i].addr, addr), "vip");
	writer_table_end(writer);
}

static const char *
neigh_state_name(enum neigh_state state)
{
	switch (state) {
	case NEIGH_RESOLVING:
		return "resolving";
	case NEIGH_KNOWN:
		return "known";
	case NEIGH_LOST:
		break;
	}
	return "lost";
}

/* Is it the address of a server that is selected? */
static bool
neighbor_is_selected(const struct report_facts *facts, const struct neigh *neigh)
{
	if (report_selects_everything(facts))
		return true;
	for (size_t i = 0; i < facts->model->slot_count; i++) {
		const struct server *server = facts->model->slots[i];

		if (server != NULL && addr_equal(&server->settings.addr, &neigh->addr) &&
		    selection_has(facts->selection, server))
			return true;
	}
	return false;
}

void
report_neighbors(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "address", "ADDRESS", false }, { "interface", "INTERFACE", false },
		{ "state", "STATE", false }, { "mac", "MAC", false }, { "claimed_by", "CLAIMED BY", false },
		{ "decided", "DECIDED", false }, { "claims", "CLAIMS", true }, { "policy", "POLICY", false },
		{ "unanswered", "UNANSWERED", true } };
	const struct neigh_table *table = facts->forwarder->neighbors;

	writer_table(writer, "neighbors", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < neigh_count(table); i++) {
		const struct neigh *neigh = neigh_at(table, i);
		const bool known = neigh->state == NEIGH_KNOWN, disputed = !mac_is_zero(&neigh->rival.mac);
		char addr[ADDR_TEXT], mac[MAC_TEXT], rival[MAC_TEXT];

		if (!neighbor_is_selected(facts, neigh))
			continue;
		writer_row(writer);
		writer_cell(writer, addr_format(&neigh->addr, addr));
		writer_cell(writer, neigh->iface < facts->iface_count ? facts->ifaces[neigh->iface].iface->name : NULL);
		writer_cell_mood(writer, neigh_state_name(neigh->state), known ? MOOD_GOOD : MOOD_BAD);
		writer_cell(writer, known ? mac_format(&neigh->mac, mac) : NULL);
		writer_cell_mood(writer, disputed ? mac_format(&neigh->rival.mac, rival) : NULL, MOOD_BAD);
		writer_cell_mood(writer, disputed ? neigh_reason_name(neigh->rival.reason) : NULL, MOOD_WARN);
		writer_cell_number(writer, neigh->rival.claims);
		writer_cell(writer, neighbor_policy_name(neigh->policy));
		writer_cell_number(writer, neigh->unanswered);
	}
	writer_table_end(writer);
	if (report_selects_everything(facts))
		show_interfaces(writer, facts);
}
