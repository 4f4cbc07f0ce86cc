/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"
#include "proto/packet.h"
#include "sched/scheduler.h"

#define SENTENCE_TEXT (STATUS_TEXT + 128)

static int
parse_protocol(const char *text, uint8_t *protocol)
{
	static const uint8_t known[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(text, protocol_name(known[i])) == 0) {
			*protocol = known[i];
			return 0;
		}
	}
	return -1;
}

/* "192.0.2.10:80" or "[2001:db8::10]:80" */
static int
parse_end(const char *text, struct addr *addr, uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	const bool bracketed = text[0] == '[';
	char number[ADDR_TEXT];
	uint64_t value;
	size_t length;

	if (colon == NULL || text_number(colon + 1, 1, UINT16_MAX, &value) == -1)
		return -1;
	length = (size_t)(colon - text);
	if (bracketed && (length < 2 || text[length - 1] != ']'))
		return -1;
	if (bracketed) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(number))
		return -1;
	snprintf(number, sizeof(number), "%.*s", (int)length, text);
	if (addr_parse(number, addr) == -1 || (addr->family == ADDR_IPV6) != bracketed)
		return -1;
	*port = (uint16_t)value;
	return 0;
}

int
why_parse(const char *protocol, const char *from, const char *to, struct flow_question *question,
    char error[WHY_ERROR])
{
	memset(question, 0, sizeof(*question));
	if (parse_protocol(protocol, &question->protocol) == -1)
		snprintf(error, WHY_ERROR, "`%.64s` is not a valid protocol: use tcp, udp or sctp", protocol);
	else if (parse_end(from, &question->client, &question->client_port) == -1)
		snprintf(error, WHY_ERROR, "`%.64s` is not a client's ADDRESS:PORT, such as 203.0.113.7:40000 or "
		    "[2001:db8::7]:40000", from);
	else if (parse_end(to, &question->vip, &question->vip_port) == -1)
		snprintf(error, WHY_ERROR, "`%.64s` is not a VIP's ADDRESS:PORT, such as 192.0.2.10:80 or "
		    "[2001:db8::10]:80", to);
	else if (question->client.family != question->vip.family)
		snprintf(error, WHY_ERROR, "`%.64s` and `%.64s` are of two families: IPv4 and IPv6 do not mix in one "
		    "packet",
		    from, to);
	else
		return 0;
	return -1;
}

static const char *
name_of(const struct fwd_server *server, char text[SERVER_NAME_TEXT])
{
	return server == NULL ? NULL : server_name(server->server, text);
}

/* Which packet is meant. */
static const char *
packet_text(const struct flow_question *question, const struct explanation *explanation)
{
	const bool known = explanation->way == FLOW_WAY_KNOWN;

	if (question->protocol == PROTOCOL_UDP)
		return known ? "the flow's next datagram" : "a datagram";
	if (question->protocol == PROTOCOL_SCTP)
		return known ? "the association's next packet" : "an INIT, which starts an association";
	return known ? "the connection's next segment" : "a SYN, which starts a connection";
}

/* "active web/web1, established, 12s old, forgotten in 14m48s" */
static void
memory_text(const struct remembered *memory, bool flow, char text[SENTENCE_TEXT])
{
	char name[SERVER_NAME_TEXT] = "", age[DURATION_TEXT], left[DURATION_TEXT];

	snprintf(text, SENTENCE_TEXT, "%s%s%s, %s old, forgotten in %s",
	    memory->server == NULL ? "a server that left the configuration" : name_of(memory->server, name),
	    flow ? ", " : "", flow ? conn_state_name(memory->state) : "", text_format_seconds(memory->age, age),
	    text_format_seconds(memory->left, left));
}

static void
tell_memory(struct writer *writer, const struct explanation *explanation)
{
	const struct remembered *flow = &explanation->flow, *client = &explanation->client;
	const bool has_flow = flow->left > 0, has_client = client->left > 0;
	const uint64_t persist = explanation->service->service->settings.persist;
	char text[SENTENCE_TEXT], name[SERVER_NAME_TEXT];

	writer_flag(writer, "flow_known", has_flow);
	if (has_flow) {
		memory_text(flow, true, text);
		writer_fact(writer, "flow", "flow", text);
		writer_fact(writer, "flow_server", NULL, name_of(flow->server, name));
		writer_fact(writer, "flow_state", NULL, conn_state_name(flow->state));
		writer_number(writer, "flow_age_seconds", NULL, flow->age / SECONDS(1));
		writer_number(writer, "flow_left_seconds", NULL, flow->left / SECONDS(1));
		writer_flag(writer, "flow_stays", explanation->stays);
	} else {
		writer_fact(writer, "flow", "flow", "not in the flow table");
	}
	if (has_flow && !explanation->stays)
		writer_fact(writer, "flow_moves", "",
		    "It does not stay there: the server left, is down or disabled, or the "
		    "flow has ended and the packet starts a new one.");
	if (persist == 0 || explanation->way == FLOW_WAY_KNOWN)
		return;
	writer_flag(writer, "client_known", has_client);
	if (has_client)
		memory_text(client, false, text);
	writer_fact(writer, "client", "persistence", has_client ? text : "the client is not remembered");
	writer_fact(writer, "client_server", NULL, has_client ? name_of(client->server, name) : NULL);
	if (has_client && explanation->way != FLOW_WAY_PERSISTENT)
		writer_fact(writer, "client_moves", "",
		    "That server takes no new connections now, so the client moves.");
}

/* What stands at a server in the table. */
static const char *
verdict_of(const struct explanation *explanation, const struct fwd_server *server, enum candidacy candidacy)
{
	if (server == explanation->server && explanation->way == FLOW_WAY_KNOWN)
		return "taken: it has the flow";
	if (server == explanation->server)
		return "taken";
	if (explanation->way == FLOW_WAY_KNOWN)
		return candidacy_sentence(candidacy);
	if (server == explanation->scheduled)
		return "the scheduler's choice, but it has its `max-connections`";
	if (candidacy == CANDIDACY_CANDIDATE && explanation->way == FLOW_WAY_PERSISTENT)
		return "persistence sends the client elsewhere";
	if (candidacy == CANDIDACY_CANDIDATE && explanation->way == FLOW_WAY_HASHED)
		return "the hash chose another one";
	if (candidacy == CANDIDACY_CANDIDATE && explanation->way == FLOW_WAY_SCHEDULED)
		return "the scheduler chose another one";
	return candidacy_sentence(candidacy);
}

/* Details beyond the candidacy: the failing check, the port. */
static void
add_reason(enum candidacy candidacy, const struct server *server, const struct listen_settings *listen,
    char why[SENTENCE_TEXT])
{
	const size_t length = strlen(why);
	struct server_status status;
	char reason[STATUS_TEXT];

	if (candidacy == CANDIDACY_PORT_OUT) {
		server_listen_reason(server, listen, reason);
		snprintf(why + length, SENTENCE_TEXT - length, ": %s", reason);
	} else if (candidacy == CANDIDACY_DOWN || candidacy == CANDIDACY_VIP_REFUSED) {
		server_status(server, &status);
		snprintf(why + length, SENTENCE_TEXT - length, ": %s", status.sentence);
	}
}

static void
report_why_server_row(struct writer *writer, const struct report_facts *facts, const struct explanation *explanation,
    const struct server *server)
{
	const struct fwd_server *fwd = fwdtab_server(facts->forwarder->table, server->ref);
	const bool taken = fwd != NULL && fwd == explanation->server;
	enum candidacy candidacy;
	char name[SERVER_NAME_TEXT], mac[MAC_TEXT], why[SENTENCE_TEXT];

	if (fwd == NULL)
		return;
	candidacy = explain_candidacy(explanation->service, fwd);
	snprintf(why, sizeof(why), "%s", verdict_of(explanation, fwd, candidacy));
	add_reason(candidacy, server, explanation->service->listen, why);
	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	writer_cell_flag(writer, taken);
	writer_cell_mood(writer, candidacy_name(candidacy), candidacy <= CANDIDACY_WARMING ? MOOD_GOOD : MOOD_WARN);
	writer_cell_number(writer, fwd->capacity);
	writer_cell_number(writer, fwd->weight);
	writer_cell_number(writer, fwd->run->active);
	writer_cell_number(writer, fwd->run->inactive);
	writer_cell_number(writer, fwd->max_connections);
	writer_cell(writer, mac_is_zero(&fwd->mac) ? NULL : mac_format(&fwd->mac, mac));
	writer_cell(writer, fwd->iface < facts->iface_count ? facts->ifaces[fwd->iface].iface->name : NULL);
	writer_cell_mood(writer, why, taken ? MOOD_GOOD : MOOD_PLAIN);
}

static void
tell_servers(struct writer *writer, const struct report_facts *facts, const struct explanation *explanation)
{
	static const struct column columns[] = { { "server", "SERVER", false }, { "taken", NULL, false },
		{ "candidacy", "TAKES NEW", false }, { "weight", "WEIGHT", true }, { "weight_hundredths", NULL, true },
		{ "active", "ACTIVE", true }, { "inactive", "INACTIVE", true }, { "max_connections", NULL, true },
		{ "mac", "MAC", false }, { "interface", "INTERFACE", false }, { "why", "WHY", false } };
	const struct service *service = explanation->service->service;

	writer_table(writer, "servers", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < service->server_count; i++)
		report_why_server_row(writer, facts, explanation, service->servers[i]);
	writer_table_end(writer);
}

static void
tell_scheduler(struct writer *writer, const struct explanation *explanation)
{
	const struct scheduler *scheduler = explanation->service->scheduler;
	char text[SENTENCE_TEXT];

	snprintf(text, sizeof(text), "%s; %zu of %zu servers take new connections", scheduler->name,
	    explanation->service->candidate_count, explanation->service->service->server_count);
	writer_fact(writer, "scheduler_text", "scheduler", text);
	writer_fact(writer, "scheduler", NULL, scheduler->name);
	writer_number(writer, "candidates", NULL, explanation->service->candidate_count);
	writer_flag(writer, "table_full", explanation->full);
	if (explanation->full)
		writer_fact(writer, "table_full_text", "flow table", "full, or its share of half-open flows is: this "
		    "flow is not remembered, and goes by hash");
}

static void
tell_limit(struct writer *writer, const struct service *service)
{
	const struct limit *limit = &service->settings.limit_new;
	char text[SENTENCE_TEXT], client[64] = "";

	if (limit->service == 0)
		return;
	if (limit->client != 0)
		snprintf(client, sizeof(client), ", %u of each client (/%u, IPv6 /%u)", limit->client, limit->prefix4,
		    limit->prefix6);
	snprintf(text, sizeof(text), "%u new connections a second%s; %" PRIu64 " dropped until now", limit->service,
	    client, service->run->limited);
	writer_fact(writer, "limit_text", "limit-new", text);
	writer_number(writer, "limited", NULL, service->run->limited);
}

/* What becomes of its packets on the way to the server, where it is more than other MAC addresses. */
static void
tell_method(struct writer *writer, const struct fwd_server *server)
{
	const struct server *known = server->server;
	const char *method = encap_method_name(known->settings.method);
	const bool routed = server_is_routed(known);
	char text[SENTENCE_TEXT], source[ADDR_TEXT], target[ADDR_TEXT], gateway[ADDR_TEXT];

	writer_fact(writer, "method", NULL, method);
	if (known->settings.method == ENCAP_MAC)
		return;
	addr_format(&server->addr, target);
	addr_format(&known->hop, gateway);
	if (known->settings.method == ENCAP_LOCAL)
		snprintf(text, sizeof(text), "local: to this host's own stack");
	else if (known->settings.method == ENCAP_DSCP)
		snprintf(text, sizeof(text), "dscp: addressed to %s, %s%s; at most %lu bytes", target,
		    routed ? "by the gateway " : "on the link", routed ? gateway : "", (unsigned long)server->mtu);
	else
		snprintf(text, sizeof(text), "%s: in a packet from %s to %s, %s%s; at most %lu bytes of the client's "
		    "packet fit", method, addr_format(&known->source, source), target,
		    routed ? "by the gateway " : "on the link", routed ? gateway : "", (unsigned long)server->mtu);
	writer_fact(writer, "method_text", "method", text);
}

static void
tell_verdict(struct writer *writer, const struct report_facts *facts, const struct explanation *explanation)
{
	const struct fwd_server *server = explanation->server;
	char text[SENTENCE_TEXT], name[SERVER_NAME_TEXT], mac[MAC_TEXT];

	writer_fact(writer, "verdict", NULL, verdict_name(explanation->verdict));
	writer_fact(writer, "reason", NULL,
	    explanation->verdict == VERDICT_DROP ? drop_reason_name(explanation->reason) : NULL);
	writer_fact(writer, "server", NULL, name_of(server, name));
	if (explanation->verdict == VERDICT_DROP) {
		snprintf(text, sizeof(text), "dropped (%s): %s", drop_reason_name(explanation->reason),
		    drop_reason_sentence(explanation->reason));
		writer_fact(writer, "verdict_text", "verdict", text);
		return;
	}
	snprintf(text, sizeof(text), "forwarded to %s, MAC %s, out of %s: %s", name_of(server, name),
	    mac_format(&server->mac, mac),
	    server->iface < facts->iface_count ? facts->ifaces[server->iface].iface->name : "?",
	    flow_way_sentence(explanation->way));
	writer_fact(writer, "verdict_text", "verdict", text);
	writer_fact(writer, "way", NULL, flow_way_name(explanation->way));
	tell_method(writer, server);
	if (mac_is_zero(&server->server->mac_rival))
		return;
	snprintf(text, sizeof(text), "MAC %s claims the server's address too, and is not believed: dsrctl show "
	    "neighbors",
	    mac_format(&server->server->mac_rival, mac));
	writer_fact(writer, "disputed_text", "disputed", text);
	writer_fact(writer, "claimed_by", NULL, mac);
}

/* Not for a VIP. */
static void
tell_pass(struct writer *writer, const struct flow_question *question)
{
	char addr[ADDR_TEXT], text[SENTENCE_TEXT];

	snprintf(text, sizeof(text), "%s is not a VIP of this director, or its interface is missing: such packets are "
	    "left to "
	    "the host. dsrctl show lists the VIPs.", addr_format(&question->vip, addr));
	writer_fact(writer, "verdict", NULL, verdict_name(VERDICT_PASS));
	writer_fact(writer, "verdict_text", "verdict", text);
}

int
report_flow_why(struct writer *writer, const struct report_facts *facts, const struct flow_question *question,
    bool *forwarded)
{
	struct explanation explanation;
	char from[ADDR_PORT_TEXT], to[ADDR_PORT_TEXT], text[SENTENCE_TEXT];

	*forwarded = false;
	if (explain(facts->forwarder, question, facts->now, &explanation) == -1)
		return -1;
	*forwarded = explanation.verdict == VERDICT_FORWARD;
	snprintf(text, sizeof(text), "%s from %s to %s: %s", protocol_name(question->protocol),
	    addr_format_port(&question->client, question->client_port, from),
	    addr_format_port(&question->vip, question->vip_port, to),
	    packet_text(question, &explanation));
	writer_fact(writer, "packet", "packet", text);
	if (explanation.verdict == VERDICT_PASS) {
		tell_pass(writer, question);
		return 0;
	}
	if (explanation.service != NULL) {
		writer_fact(writer, "service", "service", explanation.service->service->settings.name);
		tell_memory(writer, &explanation);
		tell_scheduler(writer, &explanation);
		tell_limit(writer, explanation.service->service);
	}
	tell_verdict(writer, facts, &explanation);
	if (explanation.service != NULL)
		tell_servers(writer, facts, &explanation);
	return 0;
}
