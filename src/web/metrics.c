/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "offload/cache.h"
#include "sync/facts.h"
#include "web/metrics_text.h"

struct metrics;

/* `each` or `each_server` writes the values, or one of the last four gives them. */
struct family {
	const char *name; /* without "dsrd_" and the type's ending */
	enum metric_type type;
	const char *help;
	void (*each)(const struct metrics *metrics);
	void (*each_server)(const struct metrics *metrics, const struct server *server);
	uint64_t (*director)(const struct report_facts *facts);
	uint64_t (*service)(const struct service *service);
	uint64_t (*server)(const struct server *server);
	uint64_t (*iface)(const struct report_iface *iface);
};

struct metrics {
	FILE *out;
	bool openmetrics;
	const struct report_facts *facts;
	const struct family *family;
};

static void
metrics_sample(const struct metrics *metrics, const struct label *labels, size_t count, uint64_t number)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, number);
	metrics_line(metrics->out, metrics->family->name, metric_type_ending(metrics->family->type), labels, count,
	    value);
}

static void
sample_server(const struct metrics *metrics, const struct server *server, const char *name, const char *value,
    uint64_t number)
{
	const struct label labels[] = { { "service", server->service->settings.name },
		{ "server", server->settings.name }, { name, value } };

	metrics_sample(metrics, labels, name == NULL ? 2 : 3, number);
}

static void
each_server(const struct metrics *metrics, void (*write)(const struct metrics *metrics, const struct server *server))
{
	const struct model *model = metrics->facts->model;

	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			write(metrics, model->services[i]->servers[j]);
}

/* --- the director --- */

#define OF_DIRECTOR(name, expression) \
	static uint64_t \
	director_##name(const struct report_facts *facts) \
	{ \
		return expression; \
	}

OF_DIRECTOR(uptime, facts->now > facts->started ? (facts->now - facts->started) / SECONDS(1) : 0)
OF_DIRECTOR(observing, facts->observe)
OF_DIRECTOR(reload_ok, !facts->reload_failed)
OF_DIRECTOR(reload_time, facts->loaded)
OF_DIRECTOR(lines_lost, facts->log_lost)
OF_DIRECTOR(flows, conn_table_count(facts->forwarder->conns))
OF_DIRECTOR(flows_unproven, conn_table_unproven(facts->forwarder->conns))
OF_DIRECTOR(flows_evicted, facts->forwarder->stats.unproven_evicted)
OF_DIRECTOR(flow_capacity, conn_table_capacity(facts->forwarder->conns))
OF_DIRECTOR(flows_offloaded, facts->forwarder->offload != NULL ? offload_count(facts->forwarder->offload) : 0)
OF_DIRECTOR(packets_offloaded, facts->forwarder->stats.offloaded)
OF_DIRECTOR(flood, facts->forwarder->flood.on)
OF_DIRECTOR(packets_selected, facts->forwarder->stats.selected)

static void
metrics_build(const struct metrics *metrics)
{
	const struct label labels[] = { { "version", PACKAGE_VERSION } };

	metrics_sample(metrics, labels, 1, 1);
}

static void
metrics_roles(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->facts->role_count; i++) {
		const struct role_status *status = &metrics->facts->roles[i];

		for (enum role_state state = 0; state < ROLE_STATE_COUNT && status->given; state++) {
			const struct label labels[] = { { "group", status->name }, { "role", role_name(state) } };

			metrics_sample(metrics, labels, ARRAY_LEN(labels), status->role.state == state);
		}
	}
}

static void
metrics_ready(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->facts->role_count; i++) {
		const struct role_status *status = &metrics->facts->roles[i];
		const struct label labels[] = { { "group", status->name } };

		if (status->given)
			metrics_sample(metrics, labels, ARRAY_LEN(labels), status->ready);
	}
}

static void
metrics_announced(const struct metrics *metrics)
{
	const struct announce_report *announce = &metrics->facts->announce;

	for (size_t i = 0; i < announce->count; i++) {
		const struct announce_status *status = &announce->list[i];
		char vip[ADDR_TEXT];
		const struct label labels[] = { { "vip", addr_format(&status->addr, vip) } };

		if (status->way != ANNOUNCE_OFF || status->listened)
			metrics_sample(metrics, labels, ARRAY_LEN(labels), announce_is_announced(&status->vip) &&
			    !status->failed);
	}
}

static void
metrics_drained(const struct metrics *metrics)
{
	if (metrics->facts->announce.count > 0)
		metrics_sample(metrics, NULL, 0, metrics->facts->announce.drain == ANNOUNCE_DRAINING);
}

/* One that is not there has no series. */
static void
metrics_problems(const struct metrics *metrics)
{
	for (size_t i = 0; i < problems_count(metrics->facts->problems); i++) {
		const struct problem *problem = problems_at(metrics->facts->problems, i);
		const struct label labels[] = { { "id", diagnosis_name(problem->id) },
			{ "severity", severity_name(diagnosis_severity(problem->id)) }, { "subject", problem->subject },
			{ "family", problem->family == ADDR_NONE ? "" : problem->family == ADDR_IPV4 ? "ipv4" :
			    "ipv6" } };

		metrics_sample(metrics, labels, problem->family == ADDR_NONE ? ARRAY_LEN(labels) - 1 :
		    ARRAY_LEN(labels), 1);
	}
}

static void
problem_counts(const struct metrics *metrics)
{
	uint64_t counts[] = { [SEVERITY_WARNING] = 0, [SEVERITY_ERROR] = 0 };

	for (size_t i = 0; i < problems_count(metrics->facts->problems); i++)
		counts[diagnosis_severity(problems_at(metrics->facts->problems, i)->id)]++;
	for (enum severity severity = SEVERITY_WARNING; severity <= SEVERITY_ERROR; severity++) {
		const struct label labels[] = { { "severity", severity_name(severity) } };

		metrics_sample(metrics, labels, ARRAY_LEN(labels), counts[severity]);
	}
}

static void
one_event(void *context, const char *name, const char *text UNUSED, uint64_t value)
{
	const struct label labels[] = { { "event", name } };

	metrics_sample(context, labels, 1, value);
}

static void
metrics_events(const struct metrics *metrics)
{
	struct metrics copy = *metrics;

	forward_stats_each(&metrics->facts->forwarder->stats, one_event, &copy);
}

static void
metrics_drops(const struct metrics *metrics)
{
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++) {
		const struct label labels[] = { { "reason", drop_reason_name(reason) } };

		metrics_sample(metrics, labels, 1, metrics->facts->forwarder->stats.dropped[reason]);
	}
}

/* Is it the first conflict of its VIP and MAC address? There may be one of each kind and interface. */
static bool
is_first_of(const struct conflict_table *conflicts, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (addr_equal(&conflicts->list[i].vip, &conflicts->list[index].vip) &&
		    mac_equal(&conflicts->list[i].mac, &conflicts->list[index].mac) &&
		    conflicts->list[i].kind != CONFLICT_SENDS_BACK)
			return false;
	return true;
}

/* Known only when it happens, so this family alone starts empty. Bounced frames have a family of their own. */
static void
metrics_conflicts(const struct metrics *metrics)
{
	const struct conflict_table *conflicts = &metrics->facts->forwarder->conflicts;

	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];
		char vip[ADDR_TEXT], mac[MAC_TEXT];
		const struct label labels[] = { { "vip", addr_format(&conflict->vip, vip) },
			{ "mac", mac_format(&conflict->mac, mac) } };
		uint64_t sum = 0;

		if (conflict->kind == CONFLICT_SENDS_BACK || !is_first_of(conflicts, i))
			continue;
		for (size_t j = i; j < conflicts->count; j++)
			if (conflicts->list[j].kind != CONFLICT_SENDS_BACK &&
			    addr_equal(&conflicts->list[j].vip, &conflict->vip) &&
			    mac_equal(&conflicts->list[j].mac, &conflict->mac))
				sum += conflicts->list[j].count;
		metrics_sample(metrics, labels, 2, sum);
	}
}

/* --- services --- */

#define OF_SERVICE(name, expression) \
	static uint64_t \
	service_##name(const struct service *service) \
	{ \
		return expression; \
	}

OF_SERVICE(up, report_serves(service))
OF_SERVICE(limited, service->run->limited)
OF_SERVICE(quorum_now, service_quorum_to_reach(service))

static uint64_t
service_flows(const struct service *service)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < service->server_count; i++)
		sum += (uint64_t)service->servers[i]->run->active + service->servers[i]->run->inactive;
	return sum;
}

static uint64_t
service_connections(const struct service *service)
{
	uint64_t sum = service->past_connections;

	for (size_t i = 0; i < service->server_count; i++)
		sum += service->servers[i]->run->connections;
	return sum;
}

static void
service_servers(const struct metrics *metrics)
{
	const struct model *model = metrics->facts->model;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];
		uint64_t counts[SERVER_DISABLED + 1] = { 0 };

		for (size_t j = 0; j < service->server_count; j++)
			counts[server_state(service->servers[j])]++;
		for (enum server_state state = 0; state <= SERVER_DISABLED; state++) {
			const struct label labels[] = { { "service", service->settings.name },
				{ "state", server_state_name(state) } };

			metrics_sample(metrics, labels, 2, counts[state]);
		}
	}
}

static void
service_states(const struct metrics *metrics)
{
	const struct model *model = metrics->facts->model;

	for (size_t i = 0; i < model->service_count; i++) {
		struct service_status status;

		service_status(model->services[i], &status);
		for (enum service_state state = 0; state <= SERVICE_DOWN; state++) {
			const struct label labels[] = { { "service", model->services[i]->settings.name },
				{ "state", service_state_name(state) } };

			metrics_sample(metrics, labels, 2, status.state == state);
		}
	}
}

/* --- servers --- */

static uint64_t
server_ports_out(const struct server *server)
{
	const struct service_settings *service = &server->service->settings;
	uint64_t out = 0;

	for (size_t i = 0; server->ports != PORTS_ALL && i < service->listen_count; i++)
		out += server_listen_state(server, &service->listens[i]) >= LISTEN_REFUSED;
	return out;
}

static void
metrics_server_state(const struct metrics *metrics, const struct server *server)
{
	for (enum server_state state = 0; state <= SERVER_DISABLED; state++)
		sample_server(metrics, server, "state", server_state_name(state), server_state(server) == state);
}

static void
metrics_server_method(const struct metrics *metrics, const struct server *server)
{
	sample_server(metrics, server, "method", encap_method_name(server->settings.method), 1);
}

static void
metrics_server_flows(const struct metrics *metrics, const struct server *server)
{
	sample_server(metrics, server, "state", "active", server->run->active);
	sample_server(metrics, server, "state", "inactive", server->run->inactive);
}

static void
metrics_server_checks(const struct metrics *metrics, const struct server *server)
{
	sample_server(metrics, server, "result", "success", server->health.successes);
	sample_server(metrics, server, "result", "failure", server->health.failures);
}

#define OF_SERVER(name, expression) \
	static uint64_t \
	server_##name(const struct server *server) \
	{ \
		return expression; \
	}

OF_SERVER(up, server_state(server) == SERVER_UP && !mac_is_zero(&server->mac))
OF_SERVER(weight_now, server_weight(server))
OF_SERVER(connections, server->run->connections)
OF_SERVER(packets, server->run->packets)
OF_SERVER(bytes, server->run->bytes)
OF_SERVER(path_mtu, server->run->path.mtu)
OF_SERVER(path_errors, server->run->path.errors)
OF_SERVER(response_bytes, server->run->measure.response_bytes)
OF_SERVER(handshakes, server->run->measure.handshakes)
OF_SERVER(unanswered, server->run->measure.unanswered)
OF_SERVER(answers_lost, server->lost.verdict != LOST_NONE)
OF_SERVER(ejections, server->eject.total)
OF_SERVER(completed, server->run->measure.completed)
OF_SERVER(retransmits, server->run->measure.retransmits)
OF_SERVER(partial, server->run->measure.partial)
OF_SERVER(changes, server->changes)

static void
one_handshake(const struct metrics *metrics, const struct server *server,
    const char bounds[LATENCY_BUCKETS][SECONDS_TEXT])
{
	const struct latency *latency = &server->run->measure.handshake;
	struct label labels[] = { { "service", server->service->settings.name }, { "server", server->settings.name },
		{ "le", NULL } };
	char value[SECONDS_TEXT];
	uint64_t below = 0;

	for (size_t i = 0; i <= LATENCY_BUCKETS; i++) {
		below += latency->buckets[i];
		labels[2].value = i < LATENCY_BUCKETS ? bounds[i] : "+Inf";
		snprintf(value, sizeof(value), "%" PRIu64, below);
		metrics_line(metrics->out, metrics->family->name, "_bucket", labels, 3, value);
	}
	/* Of the same buckets: the two must never contradict each other. */
	metrics_line(metrics->out, metrics->family->name, "_count", labels, 2, value);
	metrics_line(metrics->out, metrics->family->name, "_sum", labels, 2, metrics_seconds(latency->sum, value));
}

static void
server_handshakes_seconds(const struct metrics *metrics)
{
	const struct model *model = metrics->facts->model;
	char bounds[LATENCY_BUCKETS][SECONDS_TEXT];

	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		metrics_bound(latency_bounds[i], bounds[i]);
	for (size_t i = 0; i < model->service_count; i++)
		for (size_t j = 0; j < model->services[i]->server_count; j++)
			one_handshake(metrics, model->services[i]->servers[j], bounds);
}

static void
metrics_server_bounced(const struct metrics *metrics, const struct server *server)
{
	const struct conflict_table *conflicts = &metrics->facts->forwarder->conflicts;
	uint64_t sum = 0;

	for (size_t i = 0; i < conflicts->count; i++) {
		const struct conflict *conflict = &conflicts->list[i];

		if (conflict->kind == CONFLICT_SENDS_BACK && conflict->iface == server->iface &&
		    mac_equal(&conflict->mac, &server->mac) && service_listens_on(server->service, &conflict->vip))
			sum += conflict->count;
	}
	sample_server(metrics, server, NULL, NULL, sum);
}

/* --- peers --- */

static void
metrics_peer(const struct metrics *metrics, const struct peer_facts *peer, const char *what, uint64_t value)
{
	const struct label labels[] = { { "peer", peer->name }, { "what", what } };

	metrics_sample(metrics, labels, what == NULL ? 1 : 2, value);
}

#define OF_PEER(name, what, expression) \
	static void \
	peer_##name(const struct metrics *metrics) \
	{ \
		for (size_t i = 0; i < metrics->facts->peer_count; i++) { \
			const struct peer_facts *peer = &metrics->facts->peers[i]; \
	\
			metrics_peer(metrics, peer, what, expression); \
		} \
	}

OF_PEER(up, NULL, peer->up)
OF_PEER(complete, NULL, peer->complete)
OF_PEER(differences, NULL, peer->difference_count)
OF_PEER(flows, NULL, peer->shared)
OF_PEER(held, NULL, peer->held)
OF_PEER(waiting, NULL, peer->sent.waiting)
OF_PEER(bytes_sent, NULL, peer->bytes_sent)
OF_PEER(bytes_received, NULL, peer->bytes_received)
OF_PEER(sessions, NULL, peer->sessions)

static void
peer_sent(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->facts->peer_count; i++) {
		const struct peer_facts *peer = &metrics->facts->peers[i];

		metrics_peer(metrics, peer, "flow", peer->sent.flows);
		metrics_peer(metrics, peer, "client", peer->sent.clients);
		metrics_peer(metrics, peer, "order", peer->sent.orders);
	}
}

static void
peer_received(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->facts->peer_count; i++) {
		const struct peer_facts *peer = &metrics->facts->peers[i];

		metrics_peer(metrics, peer, "flow", peer->received.flows);
		metrics_peer(metrics, peer, "client", peer->received.clients);
		metrics_peer(metrics, peer, "order", peer->received.orders);
		metrics_peer(metrics, peer, "unknown", peer->received.unknown);
		metrics_peer(metrics, peer, "refused", peer->received.refused);
		metrics_peer(metrics, peer, "conflict", peer->received.conflicts);
	}
}

/* --- interfaces --- */

#define OF_IFACE(name, expression) \
	static uint64_t \
	iface_##name(const struct report_iface *iface) \
	{ \
		return expression; \
	}

OF_IFACE(up, iface->open && iface->iface->up)
OF_IFACE(offloaded, strcmp(iface->offload, "off") != 0)
OF_IFACE(received, iface->received)
OF_IFACE(dropped, iface->capture_dropped)
OF_IFACE(sent, iface->sent)
OF_IFACE(not_sent, iface->not_sent)

static const struct family families[] = {
	{ "build", METRIC_INFO, "The version that runs.", .each = metrics_build },
	{ "uptime_seconds", METRIC_GAUGE, "Time since dsrd was started.", .director = director_uptime },
	{ "observing", METRIC_GAUGE, "Whether dsrd only looks on and sends nothing (dsrd --observe).",
	    .director = director_observing },
	{ "role", METRIC_GAUGE, "1 for the role of this director for a group of VIPs.", .each = metrics_roles },
	{ "ready", METRIC_GAUGE, "Whether this director serves a group of VIPs, or could.", .each = metrics_ready },
	{ "announced", METRIC_GAUGE, "Whether this director announces a VIP to routers.",
	    .each = metrics_announced },
	{ "drained", METRIC_GAUGE, "Whether an operator withdrew this director from routers.", .each = metrics_drained },
	{ "problem", METRIC_GAUGE, "1 for each problem of the director itself.", .each = metrics_problems },
	{ "problems", METRIC_GAUGE, "How many problems the director itself has.", .each = problem_counts },
	{ "config_last_reload_successful", METRIC_GAUGE, "Whether what runs is what the file said when it was last "
	    "read.",
	    .director = director_reload_ok },
	{ "config_last_reload_success_timestamp_seconds", METRIC_GAUGE, "When the configuration that runs was read.",
	    .director = director_reload_time },
	{ "log_lines_lost", METRIC_COUNTER, "Lines of the log that were lost because its reader stalled.",
	    .director = director_lines_lost },
	{ "flows", METRIC_GAUGE, "Tracked connections.", .director = director_flows },
	{ "flows_unproven", METRIC_GAUGE, "Of these, connections that one forged packet could have begun.",
	    .director = director_flows_unproven },
	{ "flows_evicted", METRIC_COUNTER, "Unproven connections that made room for newer ones.",
	    .director = director_flows_evicted },
	{ "flow_capacity", METRIC_GAUGE, "Connections that can be remembered.", .director = director_flow_capacity },
	{ "flows_offloaded", METRIC_GAUGE, "Connections offloaded to the kernel.",
	    .director = director_flows_offloaded },
	{ "offloaded_packets", METRIC_COUNTER, "Frames forwarded by the kernel.",
	    .director = director_packets_offloaded },
	{ "flood", METRIC_GAUGE, "Whether connections begin faster than dsrd can schedule them.",
	    .director = director_flood },
	{ "selected_packets", METRIC_COUNTER, "Of these, frames of unknown flows, whose server the kernel selected by "
	    "hash.", .director = director_packets_selected },
	{ "service_up", METRIC_GAUGE, "Whether a server takes the service's new connections.", .service = service_up },
	{ "service_state", METRIC_GAUGE, "1 for the state that the service is in, 0 for the others.",
	    .each = service_states },
	{ "service_quorum", METRIC_GAUGE, "Servers that must be up for the service to take new connections.",
	    .service = service_quorum_now },
	{ "service_servers", METRIC_GAUGE, "The service's servers in each state.", .each = service_servers },
	{ "service_connections", METRIC_GAUGE, "Connections remembered, of the service.", .service = service_flows },
	{ "service_connections", METRIC_COUNTER, "Connections started, including those of removed servers.",
	    .service = service_connections },
	{ "service_limited", METRIC_COUNTER, "New connections that the service's limit-new has dropped.",
	    .service = service_limited },
	{ "server_up", METRIC_GAUGE, "Whether the server is healthy, has the VIP and is found on the network.",
	    .server = server_up },
	{ "server_state", METRIC_GAUGE, "1 for the state that the server is in, 0 for the others.",
	    .each_server = metrics_server_state },
	{ "server_ports_out", METRIC_GAUGE, "Ports and ranges of the service that the server gets no traffic of.",
	    .server = server_ports_out },
	{ "server_weight", METRIC_GAUGE, "The weight in effect.", .server = server_weight_now },
	{ "server_connections", METRIC_GAUGE, "Connections remembered, of the server.",
	    .each_server = metrics_server_flows },
	{ "server_connections", METRIC_COUNTER, "Connections started.", .server = server_connections },
	{ "server_received_packets", METRIC_COUNTER, "Packets of clients forwarded to the server.",
	    .server = server_packets },
	{ "server_received_bytes", METRIC_COUNTER, "Bytes of the frames forwarded to the server.",
	    .server = server_bytes },
	{ "server_response_bytes", METRIC_COUNTER, "Bytes of TCP payload that clients acknowledged to the server.",
	    .server = server_response_bytes },
	{ "server_method", METRIC_GAUGE, "1 for the method by which packets reach the server.",
	    .each_server = metrics_server_method },
	{ "server_path_mtu_bytes", METRIC_GAUGE, "The MTU of the path to the server that a router named; 0: none did.",
	    .server = server_path_mtu },
	{ "server_path_errors", METRIC_COUNTER, "ICMP errors about packets in the tunnel to the server.",
	    .server = server_path_errors },
	{ "server_handshakes", METRIC_COUNTER, "TCP connections that began with a SYN.", .server = server_handshakes },
	{ "server_handshakes_completed", METRIC_COUNTER, "Of these, those that the server accepted.",
	    .server = server_completed },
	{ "server_handshakes_unanswered", METRIC_COUNTER, "Handshakes whose client repeated its SYN.",
	    .server = server_unanswered },
	{ "server_answers_lost", METRIC_GAUGE, "1 if the server's answers did not reach clients in the last minute.",
	    .server = server_answers_lost },
	{ "server_ejections", METRIC_COUNTER, "Times that the server was ejected for it.", .server = server_ejections },
	{ "server_retransmits", METRIC_COUNTER, "TCP segments and SYNs that clients sent again.",
	    .server = server_retransmits },
	{ "server_partial_connections", METRIC_COUNTER, "TCP connections picked up in the middle.",
	    .server = server_partial },
	{ "server_handshake_seconds", METRIC_HISTOGRAM, "Time from a client's SYN to its first acknowledgement.",
	    .each = server_handshakes_seconds },
	{ "server_checks", METRIC_COUNTER, "Checks of the server, by result.", .each_server = metrics_server_checks },
	{ "server_state_changes", METRIC_COUNTER, "Changes of the server's state.", .server = server_changes },
	{ "bounced_packets", METRIC_COUNTER, "Packets for a VIP that the server sent back: it forwards, and lacks the "
	    "VIP.",
	    .each_server = metrics_server_bounced },
	{ "vip_conflicts", METRIC_COUNTER, "ARP or NDP claims to a VIP seen from other hosts.",
	    .each = metrics_conflicts },
	{ "dropped_packets", METRIC_COUNTER, "Frames for a VIP that were not forwarded, by reason.",
	    .each = metrics_drops },
	{ "events", METRIC_COUNTER, "What else happened to frames: the counters of dsrctl show drops.",
	    .each = metrics_events },
	{ "peer_up", METRIC_GAUGE, "Whether the other director is connected.", .each = peer_up },
	{ "peer_complete", METRIC_GAUGE, "Whether each of the two has all that the other has to share.",
	    .each = peer_complete },
	{ "peer_differences", METRIC_GAUGE, "Differences of configuration and health.", .each = peer_differences },
	{ "peer_flows", METRIC_GAUGE, "Connections that are kept up to date at the peer.", .each = peer_flows },
	{ "peer_held_flows", METRIC_GAUGE, "Connections in this director's table that the peer sent.",
	    .each = peer_held },
	{ "peer_waiting", METRIC_GAUGE, "Connections and clients that are to be sent to the peer.",
	    .each = peer_waiting },
	{ "peer_sent_records", METRIC_COUNTER, "Records sent to the peer, by kind.", .each = peer_sent },
	{ "peer_received_records", METRIC_COUNTER, "Records of the peer, by kind, or why they were not used.",
	    .each = peer_received },
	{ "peer_sent_bytes", METRIC_COUNTER, "Bytes sent to the peer.", .each = peer_bytes_sent },
	{ "peer_received_bytes", METRIC_COUNTER, "Bytes received from the peer.", .each = peer_bytes_received },
	{ "peer_sessions", METRIC_COUNTER, "How often the peer connected.", .each = peer_sessions },
	{ "interface_up", METRIC_GAUGE, "Whether dsrd captures on the interface, and its link is up.",
	    .iface = iface_up },
	{ "interface_offloaded", METRIC_GAUGE, "Whether the kernel carries decided flows there.",
	    .iface = iface_offloaded },
	{ "interface_received_packets", METRIC_COUNTER, "Frames that passed the kernel's filter.",
	    .iface = iface_received },
	{ "interface_sent_packets", METRIC_COUNTER, "Frames sent.", .iface = iface_sent },
	{ "interface_not_sent_packets", METRIC_COUNTER, "Frames that the system refused to send.",
	    .iface = iface_not_sent },
	{ "capture_dropped_packets", METRIC_COUNTER, "Frames lost before dsrd saw them: it was too slow.",
	    .iface = iface_dropped },
};

/*
 * OpenMetrics has one family of a name, and takes dsrd_server_connections and dsrd_server_connections_total for the
 * same. Counters beside such a gauge are of unknown type there, which may have any name.
 */
static bool
is_unknown(const struct metrics *metrics)
{
	const struct family *family = metrics->family;

	for (size_t i = 0; i < ARRAY_LEN(families) && metrics->openmetrics; i++)
		if (family->type == METRIC_COUNTER && &families[i] != family &&
		    strcmp(families[i].name, family->name) == 0)
			return true;
	return false;
}

static void
write_services(const struct metrics *metrics)
{
	const struct model *model = metrics->facts->model;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct label labels[] = { { "service", model->services[i]->settings.name } };

		metrics_sample(metrics, labels, 1, metrics->family->service(model->services[i]));
	}
}

static void
metrics_write_server(const struct metrics *metrics, const struct server *server)
{
	sample_server(metrics, server, NULL, NULL, metrics->family->server(server));
}

static void
write_ifaces(const struct metrics *metrics)
{
	for (size_t i = 0; i < metrics->facts->iface_count; i++) {
		const struct report_iface *iface = &metrics->facts->ifaces[i];
		const struct label labels[] = { { "interface", iface->iface->name } };

		metrics_sample(metrics, labels, 1, metrics->family->iface(iface));
	}
}

bool
metrics_write(FILE *out, const struct report_facts *facts, bool openmetrics, size_t part)
{
	const struct metrics metrics = { out, openmetrics, facts, &families[part] };
	const bool last = part + 1 == ARRAY_LEN(families);

	metrics_head(out, openmetrics, families[part].name, families[part].type, is_unknown(&metrics),
	    families[part].help);
	if (families[part].each != NULL)
		families[part].each(&metrics);
	else if (families[part].director != NULL)
		metrics_sample(&metrics, NULL, 0, families[part].director(facts));
	else if (families[part].service != NULL)
		write_services(&metrics);
	else if (families[part].each_server != NULL)
		each_server(&metrics, families[part].each_server);
	else if (families[part].server != NULL)
		each_server(&metrics, metrics_write_server);
	else
		write_ifaces(&metrics);
	if (last && openmetrics)
		fputs("# EOF\n", out);
	return !last;
}

const char *
metrics_name(size_t index, char text[METRIC_NAME_TEXT])
{
	if (index >= ARRAY_LEN(families))
		return NULL;
	snprintf(text, METRIC_NAME_TEXT, "dsrd_%s%s", families[index].name, metric_type_ending(families[index].type));
	return text;
}
