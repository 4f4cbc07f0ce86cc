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
vipchecking_describe(const struct vipcheck *check, char text[DETAIL_TEXT])
{
	const char *protocol = check->protocol == PROTOCOL_TCP ? "tcp" : "udp";
	char vip[ADDR_PORT_TEXT];

	if (check->port == 0)
		snprintf(text, DETAIL_TEXT, "vip icmp %s", addr_format(&check->vip, vip));
	else
		snprintf(text, DETAIL_TEXT, "vip %s %s", protocol, addr_format_port(&check->vip, check->port, vip));
	return text;
}

/* The log level. Most of it appears in the server's state, once rise and fall are reached. */
typedef void say(const char *format, ...) PRINTF_LIKE(1, 2);

static say *
vipchecking_log_level(const struct vipcheck *check, enum vipcheck_verdict before)
{
	switch (vipcheck_verdict_class(check->verdict)) {
	case VIPCHECK_GOOD:
		return check->verdict == VIPCHECK_ACCEPTED ? log_info : log_notice;
	case VIPCHECK_BAD:
		if (check->server->service->settings.vip_check == VIP_CHECK_WARN)
			return log_warning;
		/* It is down already, for another reason now. */
		if (check->server->state == SERVER_DOWN && vipcheck_verdict_class(before) == VIPCHECK_BAD)
			return log_notice;
		return log_info;
	case VIPCHECK_UNSURE:
		/* A server that had a verdict before is checked again soon. */
		return check->health.state == HEALTH_UNKNOWN ? log_warning : log_info;
	}
	return log_info;
}

static void
vipchecking_on_verdict(void *context, const struct vipcheck *check, enum vipcheck_verdict before)
{
	const struct vipchecking *vipchecking = context;
	char detail[DETAIL_TEXT], name[SERVER_NAME_TEXT];

	vipchecking_describe(check, detail);
	if (check->verdict != before)
		vipchecking_log_level(check, before)("vip-check server=%s verdict=%s reason=\"%s\" check=\"%s\"",
		    server_name(check->server, name), vipcheck_verdict_name(check->verdict),
		    vipcheck_verdict_sentence(check->verdict),
		    detail);
	vipchecking->changed(vipchecking->context, check->server, vipcheck_verdict_sentence(VIPCHECK_ACCEPTED), detail);
}

void
vipchecking_init(struct vipchecking *vipchecking, struct forwarder *forwarder, vipchecking_changed *changed,
    void *context)
{
	*vipchecking = (struct vipchecking) { .forwarder = forwarder, .changed = changed, .context = context };
	vipcheck_table_on_news(forwarder->vipchecks, vipchecking_on_verdict, vipchecking);
}

static bool
vipchecking_is_enabled(const struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++)
		if (model->services[i]->settings.vip_check != VIP_CHECK_OFF)
			return true;
	return false;
}

static void
vipchecking_log_source(struct vipchecking *vipchecking, const struct model *model)
{
	const struct addr *addrs = model->probe_addresses;

	if (vipchecking->source_logged || !vipchecking_is_enabled(model) || addr_is_set(&addrs[0]) ||
	    addr_is_set(&addrs[1]))
		return;
	vipchecking->source_logged = true;
	/* dsrctl doctor --all explains what that cannot detect. */
	log_info("probe-address result=none reason=\"VIPs are checked from the director's own addresses\"");
}

int
vipchecking_sync(struct vipchecking *vipchecking, struct model *model, uint64_t now)
{
	struct forwarder *forwarder = vipchecking->forwarder;

	if (vipchecking->probes) {
		probe_addr_set(&forwarder->probe_addrs, model->probe_addresses, forwarder->ifaces,
		    forwarder->iface_count, now);
		vipchecking_log_source(vipchecking, model);
	}
	return vipcheck_sync(forwarder->vipchecks, model, vipchecking->probes, now);
}

static void
vipchecking_log_probe_addrs(struct forwarder *forwarder)
{
	const struct probe_addr *probe_addr;
	char addr[ADDR_TEXT], mac[MAC_TEXT];

	while ((probe_addr = probe_addr_news(&forwarder->probe_addrs)) != NULL) {
		const char *name = forwarder->ifaces[probe_addr->iface].name;

		addr_format(&probe_addr->addr, addr);
		if (probe_addr->state == PROBE_ADDR_OURS)
			log_notice("probe-address result=ok address=%s interface=%s", addr, name);
		else if (probe_addr->state == PROBE_ADDR_TAKEN)
			log_warning("probe-address result=taken address=%s interface=%s mac=%s reason=\"another host "
			    "has it: give "
			    "dsrd an unused address; until then VIP checks use the director's own\"", addr, name,
			    mac_format(&probe_addr->holder, mac));
	}
}

void
vipchecking_run(struct vipchecking *vipchecking, uint64_t now)
{
	forward_vipcheck(vipchecking->forwarder, now);
	vipchecking_log_probe_addrs(vipchecking->forwarder);
}

static bool
vipchecking_is_server_mac(const void *context, const struct conflict *conflict)
{
	return model_server_by_mac(context, conflict->iface, &conflict->mac) != NULL;
}

static void
vipchecking_log_conflict(const struct forwarder *forwarder, const struct model *model, const struct conflict *conflict)
{
	const char *interface = forwarder->ifaces[conflict->iface].name;
	const struct server *server = model_server_by_mac(model, conflict->iface, &conflict->mac);
	const struct diagnose_facts facts = { .vip = conflict->vip, .mac = conflict->mac, .foreign = conflict->mac,
		.interface = interface };
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT], fix[REMEDY_LINE];

	log_warning("vip-conflict kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64
	    " reason=\"%s\" fix=\"%s\"",
	    conflict_kind_name(conflict->kind), addr_format(&conflict->vip, vip), mac_format(&conflict->mac, mac),
	    server != NULL ? server_name(server, name) : "unknown", interface, conflict->count,
	    conflict_kind_sentence(conflict->kind), remedy_line(diagnose_conflict(conflict->kind, server != NULL),
	    &facts, fix));
}

static void
vipchecking_log_conflict_end(const struct forwarder *forwarder, const struct model *model,
    const struct conflict *conflict)
{
	const struct server *server = model_server_by_mac(model, conflict->iface, &conflict->mac);
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT];

	if (conflict_was_logged(conflict))
		log_notice("vip-conflict-end kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64,
		    conflict_kind_name(conflict->kind), addr_format(&conflict->vip, vip),
		    mac_format(&conflict->mac, mac),
		    server != NULL ? server_name(server, name) : "unknown", forwarder->ifaces[conflict->iface].name,
		    conflict->count);
}

static void
vipchecking_announce_for(struct forwarder *forwarder, const struct conflict *conflict, uint64_t now)
{
	const struct fwd_vip *vip = fwdtab_vip(forwarder->table, conflict->iface, &conflict->vip);

	/* Another director may serve it by now. */
	if (vip == NULL || vip->routed || (forwarder->duties[vip->group] & ROLE_ANSWERS) == 0)
		return;
	if (announcer_add(forwarder->announcer, conflict->iface, &conflict->vip, ANNOUNCE_TAKEOVER, now) == -1)
		log_error("announce result=failed reason=\"out of memory\"");
}

static void
vipchecking_update_conflicts(const struct vipchecking *vipchecking, struct model *model, uint64_t now)
{
	for (size_t i = 0; i < model->slot_count; i++) {
		struct server *server = model->slots[i];

		if (server == NULL)
			continue;
		server->conflicts = conflict_removes(&vipchecking->forwarder->conflicts, server, now);
		vipchecking->changed(vipchecking->context, server, "it no longer claims the VIP", "conflict");
	}
}

void
vipchecking_tick(struct vipchecking *vipchecking, struct model *model, bool announces, uint64_t now)
{
	struct forwarder *forwarder = vipchecking->forwarder;
	struct conflict_table *conflicts = &forwarder->conflicts;
	struct conflict *conflict;

	if (vipchecking->probes)
		forwarder->stats.conflict_probes += conflict_tick(conflicts, model, forwarder->craft, forwarder->ifaces,
		    &forwarder->tx,
		    now);
	while ((conflict = conflict_news(conflicts, vipchecking_is_server_mac, model, now)) != NULL)
		vipchecking_log_conflict(forwarder, model, conflict);
	for (size_t i = 0; i < conflicts->count; i++)
		if (conflict_reacts(&conflicts->list[i], model, now))
			vipchecking_announce_for(forwarder, &conflicts->list[i], now);
	while ((conflict = conflict_end_news(conflicts, now)) != NULL) {
		vipchecking_log_conflict_end(forwarder, model, conflict);
		if (announces && conflict_misled(conflict) && fwdtab_vip(forwarder->table, conflict->iface,
		    &conflict->vip) != NULL)
			vipchecking_announce_for(forwarder, conflict, now);
	}
	if (conflicts->count > 0)
		vipchecking_update_conflicts(vipchecking, model, now);
}
