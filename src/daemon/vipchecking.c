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
	const char *protocol = path->protocol == PROTOCOL_TCP ? "tcp" : "udp";
	char vip[ADDR_PORT_TEXT];

	if (path->port == 0)
		snprintf(text, DETAIL_TEXT, "vip icmp %s", addr_format(&path->vip, vip));
	else
		snprintf(text, DETAIL_TEXT, "vip %s %s", protocol, addr_format_port(&path->vip, path->port, vip));
	return text;
}

/* The log level. Most of it appears in the server's state, once rise and fall are reached. */
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
		if (path->server->state == SERVER_DOWN && vipcheck_verdict_class(before) == VIPCHECK_BAD)
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
	const struct vipchecking *vipchecking = context;
	char detail[DETAIL_TEXT], name[SERVER_NAME_TEXT];

	describe(path, detail);
	if (path->verdict != before)
		loudness(path, before)("vip-check server=%s verdict=%s reason=\"%s\" check=\"%s\"",
		    server_name(path->server, name), vipcheck_verdict_name(path->verdict), vipcheck_verdict_sentence(path->verdict),
		    detail);
	vipchecking->changed(vipchecking->context, path->server, vipcheck_verdict_sentence(VIPCHECK_ACCEPTED), detail);
}

void
vipchecking_init(struct vipchecking *vipchecking, struct forwarder *forwarder, vipchecking_changed *changed, void *context)
{
	*vipchecking = (struct vipchecking) { .forwarder = forwarder, .changed = changed, .context = context };
	vipcheck_table_on_news(forwarder->paths, on_path, vipchecking);
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
log_source(struct vipchecking *vipchecking, const struct model *model)
{
	const struct addr *addrs = model->probe_addresses;

	if (vipchecking->source_logged || !is_probed(model) || addr_is_set(&addrs[0]) || addr_is_set(&addrs[1]))
		return;
	vipchecking->source_logged = true;
	/* dsrctl doctor --all says what that leaves unseen. */
	log_info("probe-address result=none reason=\"VIPs are checked from the director's own addresses\"");
}

int
vipchecking_sync(struct vipchecking *vipchecking, struct model *model, uint64_t now)
{
	struct forwarder *forwarder = vipchecking->forwarder;

	if (vipchecking->probes) {
		probe_addr_set(&forwarder->claims, model->probe_addresses, forwarder->ifaces, forwarder->iface_count, now);
		log_source(vipchecking, model);
	}
	return vipcheck_sync(forwarder->paths, model, vipchecking->probes, now);
}

static void
tell_claims(struct forwarder *forwarder)
{
	const struct probe_addr *claim;
	char addr[ADDR_TEXT], mac[MAC_TEXT];

	while ((claim = probe_addr_news(&forwarder->claims)) != NULL) {
		const char *name = forwarder->ifaces[claim->iface].name;

		addr_format(&claim->addr, addr);
		if (claim->state == CLAIM_OURS)
			log_notice("probe-address result=ok address=%s interface=%s", addr, name);
		else if (claim->state == CLAIM_TAKEN)
			log_warning("probe-address result=taken address=%s interface=%s mac=%s reason=\"another host has it: give "
			    "dsrd an unused address; until then VIP checks use the director's own\"", addr, name,
			    mac_format(&claim->holder, mac));
	}
}

void
vipchecking_run(struct vipchecking *vipchecking, uint64_t now)
{
	forward_vipcheck(vipchecking->forwarder, now);
	tell_claims(vipchecking->forwarder);
}

static bool
is_known(const void *context, const struct finding *finding)
{
	return model_server_by_mac(context, finding->iface, &finding->mac) != NULL;
}

static void
tell_finding(const struct forwarder *forwarder, const struct model *model, const struct finding *finding)
{
	const char *interface = forwarder->ifaces[finding->iface].name;
	const struct server *server = model_server_by_mac(model, finding->iface, &finding->mac);
	const struct diagnose_facts facts = { .vip = finding->vip, .mac = finding->mac, .foreign = finding->mac,
		.interface = interface };
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT], fix[REMEDY_LINE];

	log_warning("vip-conflict kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64 " reason=\"%s\" fix=\"%s\"",
	    conflict_kind_name(finding->kind), addr_format(&finding->vip, vip), mac_format(&finding->mac, mac),
	    server != NULL ? server_name(server, name) : "unknown", interface, finding->count,
	    conflict_kind_sentence(finding->kind), remedy_line(diagnose_conflict(finding->kind, server != NULL), &facts, fix));
}

static void
tell_end(const struct forwarder *forwarder, const struct model *model, const struct finding *finding)
{
	const struct server *server = model_server_by_mac(model, finding->iface, &finding->mac);
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT];

	if (conflict_was_told(finding))
		log_notice("vip-conflict-end kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64,
		    conflict_kind_name(finding->kind), addr_format(&finding->vip, vip), mac_format(&finding->mac, mac),
		    server != NULL ? server_name(server, name) : "unknown", forwarder->ifaces[finding->iface].name,
		    finding->count);
}

static void
announce_for(struct forwarder *forwarder, const struct finding *finding, uint64_t now)
{
	if (announcer_add(forwarder->announcer, finding->iface, &finding->vip, now) == -1)
		log_error("announce result=failed reason=\"out of memory\"");
}

static void
update_conflicts(const struct vipchecking *vipchecking, struct model *model, uint64_t now)
{
	for (size_t i = 0; i < model->slot_count; i++) {
		struct server *server = model->slots[i];

		if (server == NULL)
			continue;
		server->conflicts = conflict_removes(&vipchecking->forwarder->watch, server, now);
		vipchecking->changed(vipchecking->context, server, "it no longer claims the VIP", "watch");
	}
}

void
vipchecking_tick(struct vipchecking *vipchecking, struct model *model, bool announces, uint64_t now)
{
	struct forwarder *forwarder = vipchecking->forwarder;
	struct watch *watch = &forwarder->watch;
	struct finding *finding;

	if (vipchecking->probes)
		forwarder->stats.vip_questions += conflict_tick(watch, model, forwarder->craft, forwarder->ifaces, &forwarder->tx,
		    now);
	while ((finding = conflict_news(watch, is_known, model, now)) != NULL)
		tell_finding(forwarder, model, finding);
	for (size_t i = 0; i < watch->count; i++)
		if (conflict_reacts(&watch->findings[i], model, now))
			announce_for(forwarder, &watch->findings[i], now);
	while ((finding = watch_ended(watch, now)) != NULL) {
		tell_end(forwarder, model, finding);
		if (announces && conflict_misled(finding) && fwdtab_vip(forwarder->table, finding->iface, &finding->vip) != NULL)
			announce_for(forwarder, finding, now);
	}
	if (watch->count > 0)
		update_conflicts(vipchecking, model, now);
}
