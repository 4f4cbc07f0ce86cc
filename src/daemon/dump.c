/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/dump.h"

#include <inttypes.h>

#include "base/log.h"
#include "daemon/notify_program.h"
#include "daemon/offloading.h"
#include "daemon/port.h"
#include "daemon/stats.h"

static void
dump_counter(void *context, const char *name, const char *text, uint64_t value)
{
	(void)context;
	if (value > 0)
		log_dump("counter name=%s value=%" PRIu64 " meaning=\"%s\"", name, value, text);
}

static void
dump_drops(const struct forward_stats *stats)
{
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++)
		if (stats->dropped[reason] > 0)
			log_dump("drop reason=%s frames=%" PRIu64 " meaning=\"%s\"", drop_reason_name(reason),
			    stats->dropped[reason], drop_reason_sentence(reason));
}

static void
dump_interfaces(const struct stats_sources *sources)
{
	const struct director *director = sources->director;

	for (size_t i = 0; i < director->iface_count; i++) {
		const struct iface *iface = &director->ifaces[i];
		struct receiver_stats received;
		struct sender_stats sent;
		char mac[MAC_TEXT];

		nic_stats(&sources->nics[i], &received, &sent);
		log_dump("interface interface=%s open=%s mac=%s mtu=%" PRIu32 " received=%" PRIu64 " capture-dropped=%"
		    PRIu64
		    " sent=%" PRIu64 " not-sent=%" PRIu64 " offload=%s", iface->name,
		    nic_is_open(&sources->nics[i]) ? "yes" : "no", mac_format(&iface->mac, mac), iface->mtu,
		    received.received, received.dropped, sent.sent, sent.failed,
		    offloading_state(sources->offloading, i));
	}
}

static void
dump_server(const struct server *server)
{
	const struct server_run *run = server->run;
	char name[SERVER_NAME_TEXT], mac[MAC_TEXT];

	log_dump("server server=%s state=%s weight=%" PRIu32 " mac=%s active=%" PRIu32 " inactive=%" PRIu32
	    " connections=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64 " checks-ok=%" PRIu64 " checks-failed=%"
	    PRIu64,
	    server_name(server, name), server_state_name(server_state(server)), server_weight(server),
	    mac_is_zero(&server->mac) ? "none" : mac_format(&server->mac, mac), run->active, run->inactive,
	    run->connections,
	    run->packets, run->bytes, server->health.successes, server->health.failures);
}

static void
dump_vipcheck(const struct vipcheck *check)
{
	char name[SERVER_NAME_TEXT], vip[ADDR_TEXT];

	log_dump("vip-check server=%s vip=%s protocol=%s port=%u state=%s verdict=%s good=%" PRIu64 " bad=%" PRIu64
	    " reason=\"%s\"", server_name(check->server, name), addr_format(&check->vip, vip),
	    check->protocol == PROTOCOL_TCP ? "tcp" : "udp", check->port, health_state_name(check->health.state),
	    vipcheck_verdict_name(check->verdict), check->health.successes, check->health.failures,
	    vipcheck_verdict_sentence(check->verdict));
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		const struct reply *reply = &check->last.replies[probe];
		char from[ADDR_TEXT], mac[MAC_TEXT];

		/* A good answer needs no evidence. */
		if (reply->answer == ANSWER_NOT_PROBED || check->verdict == VIPCHECK_ACCEPTED)
			continue;
		log_dump("vip-check-answer server=%s vip=%s probe=%s answer=%s from=%s mac=%s hop-limit=%u icmp=%u/%u "
		    "proof=%s", name, vip,
		    probe_name(probe), answer_name(reply->answer), addr_format(&reply->from, from),
		    mac_format(&reply->mac, mac), reply->hop_limit, reply->icmp_type, reply->icmp_code,
		    proof_name(reply->proof));
	}
}

static void
dump_probing(const struct director *director)
{
	const struct vipcheck_table *vipchecks = director->forwarder.vipchecks;
	const struct conflict_table *conflicts = &director->forwarder.conflicts;

	for (size_t i = 0; i < vipcheck_count(vipchecks); i++)
		dump_vipcheck(vipcheck_at(vipchecks, i));
	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];
		const struct server *server = model_server_by_mac(director->model, conflict->iface, &conflict->mac);
		char name[SERVER_NAME_TEXT], vip[ADDR_TEXT], mac[MAC_TEXT];

		log_dump("conflict kind=%s vip=%s mac=%s server=%s interface=%s count=%" PRIu64 " over=%s",
		    conflict_kind_name(conflict->kind), addr_format(&conflict->vip, vip),
		    mac_format(&conflict->mac, mac),
		    server != NULL ? server_name(server, name) : "unknown", director->ifaces[conflict->iface].name,
		    conflict->count, conflict_has_ended(conflict, director->now) ? "yes" : "no");
	}
}

void
dump_to_log(const struct stats_sources *sources, const struct notify_program *notify_program)
{
	const struct director *director = sources->director;
	const struct conn_table *conns = director->forwarder.conns;

	forward_stats_each(&director->forwarder.stats, dump_counter, NULL);
	dump_drops(&director->forwarder.stats);
	dump_interfaces(sources);
	if (notify_program != NULL) {
		const struct notify_program_stats stats = notify_program_stats(notify_program);

		log_dump("notify started=%" PRIu64 " failed=%" PRIu64 " dropped=%" PRIu64, stats.started, stats.failed,
		    stats.dropped);
	}
	log_dump("flows count=%" PRIu32 " capacity=%" PRIu32, conn_table_count(conns), conn_table_capacity(conns));
	dump_probing(director);
	for (size_t i = 0; i < director->model->service_count; i++)
		for (size_t j = 0; j < director->model->services[i]->server_count; j++)
			dump_server(director->model->services[i]->servers[j]);
}
