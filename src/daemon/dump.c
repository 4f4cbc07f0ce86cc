/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/dump.h"

#include <inttypes.h>

#include "base/log.h"
#include "daemon/dsrd.h"

static void
dump_counter(void *context, const char *name, const char *text, uint64_t value)
{
	(void)context;
	log_notice("counter name=%s value=%" PRIu64 " meaning=\"%s\"", name, value, text);
}

static void
dump_drops(const struct forward_stats *stats)
{
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++)
		log_notice("drop reason=%s frames=%" PRIu64 " meaning=\"%s\"", drop_reason_name(reason),
		    stats->dropped[reason], drop_reason_sentence(reason));
}

static void
dump_interfaces(const struct dsrd *dsrd)
{
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		const struct iface *iface = &dsrd->director.ifaces[i];
		struct receiver_stats received;
		struct sender_stats sent;
		char mac[MAC_TEXT];

		attachment_stats(&dsrd->attachments[i], &received, &sent);
		log_notice("interface interface=%s open=%s mac=%s mtu=%" PRIu32 " received=%" PRIu64 " capture-dropped=%" PRIu64
		    " sent=%" PRIu64 " not-sent=%" PRIu64, iface->name,
		    attachment_is_open(&dsrd->attachments[i]) ? "yes" : "no", mac_format(&iface->mac, mac), iface->mtu,
		    received.received, received.dropped, sent.sent, sent.failed);
	}
}

static void
dump_server(const struct server *server)
{
	const struct server_run *run = server->run;
	char name[SERVER_NAME_TEXT], mac[MAC_TEXT];

	log_notice("server server=%s state=%s weight=%" PRIu32 " mac=%s active=%" PRIu32 " inactive=%" PRIu32
	    " connections=%" PRIu64 " packets=%" PRIu64 " bytes=%" PRIu64 " checks-ok=%" PRIu64 " checks-failed=%" PRIu64,
	    server_name(server, name), server_state_name(server_state(server)), server->settings.weight,
	    mac_is_zero(&server->mac) ? "none" : mac_format(&server->mac, mac), run->active, run->inactive, run->connections,
	    run->packets, run->bytes, server->health.successes, server->health.failures);
}

void
dump_to_log(const struct dsrd *dsrd)
{
	const struct director *director = &dsrd->director;
	const struct conn_table *conns = director->forwarder.conns;

	forward_stats_each(&director->forwarder.stats, dump_counter, NULL);
	dump_drops(&director->forwarder.stats);
	dump_interfaces(dsrd);
	log_notice("flows count=%" PRIu32 " capacity=%" PRIu32, conn_table_count(conns), conn_table_capacity(conns));
	for (size_t i = 0; i < director->model->service_count; i++)
		for (size_t j = 0; j < director->model->services[i]->server_count; j++)
			dump_server(director->model->services[i]->servers[j]);
}
