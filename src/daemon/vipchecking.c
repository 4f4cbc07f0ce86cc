/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/vipchecking.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "doctor/diagnosis.h"

#define DETAIL_TEXT (ADDR_TEXT + 32)

/* "vip tcp 192.0.2.10:80", in the way of the checks' details. */
static const char *
describe(const struct vipcheck *path, char text[DETAIL_TEXT])
{
	const bool v6 = path->vip.family == ADDR_IPV6;
	char vip[ADDR_TEXT];

	addr_format(&path->vip, vip);
	if (path->port == 0)
		snprintf(text, DETAIL_TEXT, "vip icmp %s", vip);
	else
		snprintf(text, DETAIL_TEXT, "vip %s %s%s%s:%u", path->protocol == PROTOCOL_TCP ? "tcp" : "udp", v6 ? "[" : "",
		    vip, v6 ? "]" : "", path->port);
	return text;
}

/* How loud. Most of it the server's state tells, once rise and fall have had their say. */
typedef void say(const char *format, ...) PRINTF_LIKE(1, 2);

static say *
loudness(const struct vipcheck *path, enum vipcheck_verdict before)
{
	switch (vipcheck_verdict_class(path->verdict)) {
	case VIPCHECK_GOOD:
		return path->verdict == VIPCHECK_ACCEPTED ? log_info : log_notice;
	case VIPCHECK_BAD:
		if (path->server->service->settings.vip_check == VIP_CHECK_WARN)
			return log_warning;
		/* It is down already, and the reason is another one now. */
		if (path->server->logged == SERVER_DOWN && vipcheck_verdict_class(before) == VIPCHECK_BAD)
			return log_notice;
		return log_info;
	case VIPCHECK_UNSURE:
		/* Of a server that had a verdict before, the checks will have more to say. */
		return path->health.state == HEALTH_UNKNOWN ? log_warning : log_info;
	}
	return log_info;
}

static void
on_path(void *context, const struct vipcheck *path, enum vipcheck_verdict before)
{
	struct director *director = context;
	char detail[DETAIL_TEXT], name[SERVER_NAME_TEXT];

	describe(path, detail);
	if (path->verdict != before)
		loudness(path, before)("vip-check server=%s verdict=%s reason=\"%s\" check=\"%s\"",
		    server_name(path->server, name), vipcheck_verdict_name(path->verdict), vipcheck_verdict_sentence(path->verdict),
		    detail);
	director_log_state(director, path->server, vipcheck_verdict_sentence(VIPCHECK_ACCEPTED), detail);
}

void
probing_init(struct director *director)
{
	vipcheck_table_on_news(director->forwarder.paths, on_path, director);
}

static bool
is_probed(const struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++)
		if (model->services[i]->settings.vip_check != VIP_CHECK_OFF)
			return true;
	return false;
}

static void
tell_of_source(struct director *director)
{
	const struct addr *addrs = director->model->probe_addresses;

	if (director->source_told || !is_probed(director->model) || addr_is_set(&addrs[0]) || addr_is_set(&addrs[1]))
		return;
	director->source_told = true;
	/* dsrctl doctor --all says what that leaves unseen. */
	log_info("probe-address result=none reason=\"VIPs are checked from the director's own addresses\"");
}

int
probing_sync(struct director *director, uint64_t now)
{
	if (director->probes) {
		probe_addr_set(&director->forwarder.claims, director->model->probe_addresses, director->ifaces,
		    director->iface_count, now);
		tell_of_source(director);
	}
	return vipcheck_sync(director->forwarder.paths, director->model, director->probes, now);
}

static void
tell_claims(struct director *director)
{
	const struct probe_addr *claim;
	char addr[ADDR_TEXT], mac[MAC_TEXT];

	while ((claim = probe_addr_news(&director->forwarder.claims)) != NULL) {
		const char *name = director->ifaces[claim->iface].name;

		addr_format(&claim->addr, addr);
		if (claim->state == CLAIM_OURS)
			log_notice("probe-address result=ok address=%s interface=%s", addr, name);
		else if (claim->state == CLAIM_TAKEN)
			log_warning("probe-address result=taken address=%s interface=%s mac=%s reason=\"another host has it: give "
			    "dsrd an address that is nobody's; until then servers are asked from the director's own\"", addr, name,
			    mac_format(&claim->holder, mac));
	}
}

void
probing_run(struct director *director, uint64_t now)
{
	if (!director->probes)
		return;
	director->now = now;
	forward_vipcheck(&director->forwarder, now);
	tell_claims(director);
}

const struct server *
probing_owner(const struct director *director, const struct mac *mac)
{
	for (size_t i = 0; i < director->model->slot_count; i++)
		if (director->model->slots[i] != NULL && mac_equal(&director->model->slots[i]->mac, mac))
			return director->model->slots[i];
	return NULL;
}

static bool
is_known(const void *context, const struct finding *finding)
{
	return probing_owner(context, &finding->mac) != NULL;
}

static void
tell_finding(const struct director *director, const struct finding *finding)
{
	const struct server *server = probing_owner(director, &finding->mac);
	const struct diagnose_facts facts = { .vip = finding->vip, .mac = finding->mac, .foreign = finding->mac,
		.interface = director->ifaces[finding->iface].name };
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT], fix[REMEDY_LINE];

	log_warning("vip-conflict kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64 " reason=\"%s\" fix=\"%s\"",
	    conflict_kind_name(finding->kind), addr_format(&finding->vip, vip), mac_format(&finding->mac, mac),
	    server != NULL ? server_name(server, name) : "unknown", director->ifaces[finding->iface].name, finding->count,
	    conflict_kind_sentence(finding->kind), remedy_line(diagnose_conflict(finding->kind, server != NULL), &facts, fix));
}

static bool
listens_on(const struct service *service, const struct addr *vip)
{
	for (size_t i = 0; i < service->settings.listen_count; i++)
		if (addr_equal(&service->settings.listens[i].vip, vip))
			return true;
	return false;
}

/* Of all services on the VIP, the one that wants most has its way. */
static enum vip_conflict
reaction_to(const struct director *director, const struct finding *finding)
{
	enum vip_conflict most = VIP_CONFLICT_LOG;

	for (size_t i = 0; i < director->model->service_count; i++) {
		const struct service *service = director->model->services[i];

		if (service->settings.vip_conflict > most && listens_on(service, &finding->vip))
			most = service->settings.vip_conflict;
	}
	return most;
}

/* Also with `remove`: a server that was taken out still has the clients that believed it. */
static void
react(struct director *director, struct finding *finding, uint64_t now)
{
	if (finding->kind == WATCH_SENDS_BACK || reaction_to(director, finding) == VIP_CONFLICT_LOG ||
	    !conflict_may_announce(finding, now))
		return;
	if (announcer_add(director->forwarder.announcer, finding->iface, &finding->vip, now) == -1)
		log_error("announce result=failed reason=\"out of memory\"");
}

/*
 * Those who believed the other one may go on doing so until their caches forget it, and it is not there any more: they hear
 * the truth at once, whatever `vip-conflict` says.
 */
static void
end_conflict(struct director *director, const struct finding *finding, uint64_t now)
{
	const struct server *server = probing_owner(director, &finding->mac);
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT];

	if (finding->told >= finding->first)
		log_notice("vip-conflict-end kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64,
		    conflict_kind_name(finding->kind), addr_format(&finding->vip, vip), mac_format(&finding->mac, mac),
		    server != NULL ? server_name(server, name) : "unknown", director->ifaces[finding->iface].name, finding->count);
	if (finding->kind != WATCH_SENDS_BACK && director->announces &&
	    fwdtab_vip(director->table, finding->iface, &finding->vip) != NULL &&
	    announcer_add(director->forwarder.announcer, finding->iface, &finding->vip, now) == -1)
		log_error("announce result=failed reason=\"out of memory\"");
}

/* A server that announces the VIP now and then must be silent for longer before it is trusted again. */
static bool
keeps_out(const struct finding *finding, uint64_t now)
{
	return finding->kind == WATCH_ANSWERS ? !conflict_has_ended(finding, now) : now - finding->last < WATCH_QUIET;
}

static bool
is_in_conflict(const struct director *director, const struct server *server, uint64_t now)
{
	const struct watch *watch = &director->forwarder.watch;

	if (server->service->settings.vip_conflict != VIP_CONFLICT_REMOVE || mac_is_zero(&server->mac))
		return false;
	for (size_t i = 0; i < watch->count; i++)
		if (mac_equal(&watch->findings[i].mac, &server->mac) && keeps_out(&watch->findings[i], now) &&
		    listens_on(server->service, &watch->findings[i].vip))
			return true;
	return false;
}

static void
update_conflicts(struct director *director, uint64_t now)
{
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];

		if (server == NULL)
			continue;
		server->conflicts = is_in_conflict(director, server, now);
		director_log_state(director, server, "it no longer tells the network of the VIP", "watch");
	}
}

void
probing_tick(struct director *director, uint64_t now)
{
	struct forwarder *forwarder = &director->forwarder;
	struct watch *watch = &forwarder->watch;
	struct finding *finding;

	if (director->probes)
		forwarder->stats.vip_questions += conflict_tick(watch, director->model, forwarder->craft, director->ifaces,
		    &forwarder->tx, now);
	while ((finding = conflict_news(watch, is_known, director, now)) != NULL)
		tell_finding(director, finding);
	for (size_t i = 0; i < watch->count; i++)
		react(director, &watch->findings[i], now);
	while ((finding = watch_ended(watch, now)) != NULL)
		end_conflict(director, finding, now);
	if (watch->count > 0)
		update_conflicts(director, now);
}
