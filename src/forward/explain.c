/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "forward/policy.h"
#include "model/status.h"

/* A service whose scheduler can be asked without consequences: all that it may write to is a copy. */
struct rehearsal {
	struct fwd_service service;
	struct service_run run;
	struct fwd_server *servers; /* all of the service, in its order */
	struct server_run *runs;
	struct fwd_server **candidates;
	size_t count;
	const struct fwdtab *table;
};

static void
rehearsal_clear(struct rehearsal *rehearsal)
{
	free(rehearsal->servers);
	free(rehearsal->runs);
	free(rehearsal->candidates);
}

/* The copy of a server; NULL when it is not the service's. */
static struct fwd_server *
copy_of(const struct rehearsal *rehearsal, const struct fwd_server *server)
{
	for (size_t i = 0; server != NULL && i < rehearsal->count; i++)
		if (server_ref_equal(rehearsal->servers[i].ref, server->ref))
			return &rehearsal->servers[i];
	return NULL;
}

/* The server that a copy was made of. */
static const struct fwd_server *
original_of(const struct rehearsal *rehearsal, const struct fwd_server *copy)
{
	return copy == NULL ? NULL : fwdtab_server(rehearsal->table, copy->ref);
}

static int
rehearsal_init(struct rehearsal *rehearsal, const struct fwdtab *table, const struct fwd_service *service)
{
	const struct service *model = service->service;

	memset(rehearsal, 0, sizeof(*rehearsal));
	rehearsal->table = table;
	rehearsal->servers = calloc(model->server_count + 1, sizeof(*rehearsal->servers));
	rehearsal->runs = calloc(model->server_count + 1, sizeof(*rehearsal->runs));
	rehearsal->candidates = calloc(model->server_count + 1, sizeof(struct fwd_server *));
	if (rehearsal->servers == NULL || rehearsal->runs == NULL || rehearsal->candidates == NULL) {
		rehearsal_clear(rehearsal);
		return -1;
	}
	for (size_t i = 0; i < model->server_count; i++) {
		const struct fwd_server *server = fwdtab_server(table, model->servers[i]->ref);
		struct fwd_server *copy = &rehearsal->servers[rehearsal->count];

		if (server == NULL)
			continue;
		rehearsal->runs[rehearsal->count] = *server->run;
		*copy = *server;
		copy->run = &rehearsal->runs[rehearsal->count++];
	}
	for (size_t i = 0; i < service->candidate_count; i++)
		rehearsal->candidates[i] = copy_of(rehearsal, service->candidates[i]);
	rehearsal->run = *service->run;
	rehearsal->service = *service;
	rehearsal->service.run = &rehearsal->run;
	rehearsal->service.turn = &rehearsal->service.own_turn;
	rehearsal->service.own_turn = *service->turn;
	rehearsal->service.candidates = rehearsal->candidates;
	return 0;
}

/* As when forwarding forgets a flow before it plans a new one. */
static void
forget(const struct rehearsal *rehearsal, const struct fwd_server *server, enum conn_state state)
{
	const struct fwd_server *copy = copy_of(rehearsal, server);

	if (copy != NULL && conn_is_active(state))
		copy->run->active--;
	else if (copy != NULL)
		copy->run->inactive--;
}

static const struct fwd_vip *
find_vip(const struct forwarder *forwarder, const struct addr *addr)
{
	const struct fwd_vip *vip = NULL;

	for (size_t i = 0; i < forwarder->iface_count && vip == NULL; i++)
		vip = fwdtab_vip(forwarder->table, (uint16_t)i, addr);
	return vip;
}

static struct remembered
recall(const struct conn_table *conns, const struct fwdtab *table, const struct conn_key *key, uint64_t now)
{
	const struct conn *conn = conn_peek(conns, key);
	struct remembered memory = { .found = conn != NULL };

	if (conn == NULL)
		return memory;
	memory.state = (enum conn_state)conn->state;
	memory.server = fwdtab_server(table, conn->server);
	memory.left = conn_left_at(conns, conn, now);
	memory.age = SECONDS((uint32_t)(now / SECONDS(1)) - conn->began);
	return memory;
}

/* The packet as stage_flow() would see it. */
static void
imagine(struct passage *passage, const struct flow_question *question)
{
	struct packet *packet = &passage->packet;

	packet->source = question->client;
	packet->destination = question->vip;
	packet->protocol = question->protocol;
	packet->has_ports = true;
	packet->source_port = question->client_port;
	packet->destination_port = question->vip_port;
	passage->flags = question->flags;
	if (question->protocol == PROTOCOL_UDP)
		passage->flags = 0;
}

/* Is the flow known, and does it stay? A beginning or a further packet is meant, whichever is the next to come. */
static void
look_for_flow(struct passage *passage, const struct flow_question *question, struct explanation *explanation)
{
	const struct remembered *flow = &explanation->flow;

	if (question->flags == 0 && question->protocol != PROTOCOL_UDP)
		passage->flags = flow->left > 0 ? TCP_ACK : TCP_SYN;
	explanation->stays = flow->left > 0 && flow_stays(passage, flow->state, flow->server);
	/* Its server is gone, or moved from: the client's connection is lost, and it will begin anew. */
	if (question->flags == 0 && question->protocol != PROTOCOL_UDP && !explanation->stays)
		passage->flags = TCP_SYN;
	explanation->flags = passage->flags;
}

/* A flow that nobody knows: what forwarding plans, on copies. */
static int
plan(struct passage *passage, const struct forwarder *forwarder, struct explanation *explanation)
{
	struct rehearsal rehearsal;
	struct flow_plan plan;
	struct conn_key key;

	if (rehearsal_init(&rehearsal, forwarder->table, explanation->service) == -1)
		return -1;
	if (explanation->flow.found)
		forget(&rehearsal, explanation->flow.server, explanation->flow.state);
	if (explanation->service->service->settings.persist != 0) {
		flow_persist_key(passage, &rehearsal.service, &key);
		explanation->client = recall(forwarder->persist, forwarder->table, &key, passage->now);
	}
	plan = flow_plan(passage, &rehearsal.service,
	    flow_may_persist(passage, &rehearsal.service) && explanation->client.left > 0 ?
	    copy_of(&rehearsal, explanation->client.server) : NULL);
	explanation->full = plan.remembered && plan.server != NULL &&
	    !conn_fits(forwarder->conns, plan.state, passage->now);
	if (explanation->full) {
		plan.way = FLOW_WAY_HASHED;
		plan.server = flow_by_hash(passage, &rehearsal.service);
	}
	explanation->way = plan.way;
	explanation->state = plan.way != FLOW_WAY_NOBODY ? plan.state : CONN_NONE;
	explanation->reason = plan.reason;
	explanation->server = original_of(&rehearsal, plan.server);
	explanation->scheduled = original_of(&rehearsal, plan.scheduled);
	rehearsal_clear(&rehearsal);
	return 0;
}

static int
find_server(struct passage *passage, const struct forwarder *forwarder, const struct flow_question *question,
    struct explanation *explanation)
{
	const bool one_packet = question->protocol == PROTOCOL_UDP && explanation->service->service->settings.one_packet;

	if (!one_packet)
		explanation->flow = recall(forwarder->conns, forwarder->table, &passage->key, passage->now);
	look_for_flow(passage, question, explanation);
	if (!explanation->stays)
		return plan(passage, forwarder, explanation);
	explanation->way = FLOW_WAY_KNOWN;
	explanation->state = flow_next_state(passage, explanation->flow.state);
	explanation->server = explanation->flow.server;
	return 0;
}

int
explain(const struct forwarder *forwarder, const struct flow_question *question, uint64_t now,
    struct explanation *explanation)
{
	struct passage passage = { .now = now };

	memset(explanation, 0, sizeof(*explanation));
	imagine(&passage, question);
	explanation->vip = passage.vip = find_vip(forwarder, &question->vip);
	if (passage.vip == NULL)
		return 0;
	explanation->verdict = VERDICT_DROP;
	explanation->reason = DROP_NO_SERVICE;
	explanation->service = fwd_vip_service(passage.vip, question->protocol, question->vip_port);
	if (explanation->service == NULL)
		return 0;
	flow_name(&passage);
	if (find_server(&passage, forwarder, question, explanation) == -1)
		return -1;
	if (explanation->server == NULL)
		return 0;
	if (explanation->server->reachable)
		explanation->verdict = VERDICT_FORWARD;
	else
		explanation->reason = DROP_NO_NEIGHBOUR;
	return 0;
}

static enum candidacy
health_candidacy(const struct server *server)
{
	struct server_status status;

	server_status(server, &status);
	switch (status.source) {
	case STATUS_BY_VIP_CHECK:
		return status.state == SERVER_DOWN ? CANDIDACY_VIP_REFUSED : CANDIDACY_VIP_UNKNOWN;
	case STATUS_BY_CONFLICT:
		return CANDIDACY_CONFLICT;
	case STATUS_BY_CHECK:
	case STATUS_BY_NEIGHBOR:
	case STATUS_BY_CLIENTS:
	case STATUS_BY_OPERATOR:
	case STATUS_BY_CONFIGURATION:
		break;
	}
	return status.state == SERVER_DOWN ? CANDIDACY_DOWN : CANDIDACY_UNKNOWN;
}

/* It could take flows of the service, but not of these ports, or not now. */
static enum candidacy
waiting_candidacy(const struct fwd_service *service, const struct server *server)
{
	if (service->quorum_lost && !server->settings.backup)
		return CANDIDACY_QUORUM;
	return server_listen_state(server, service->listen) >= LISTEN_REFUSED ? CANDIDACY_PORT_OUT : CANDIDACY_BACKUP;
}

enum candidacy
explain_candidacy(const struct fwd_service *service, const struct fwd_server *server)
{
	switch (server_state(server->server)) {
	case SERVER_DISABLED:
		return CANDIDACY_DISABLED;
	case SERVER_DRAINING:
		return CANDIDACY_DRAINING;
	case SERVER_DOWN:
	case SERVER_UNKNOWN:
		return health_candidacy(server->server);
	case SERVER_UP:
		break;
	}
	if (server->iface == IFACE_NONE)
		return CANDIDACY_NO_INTERFACE;
	if (!server->reachable)
		return CANDIDACY_NO_NEIGHBOUR;
	for (size_t i = 0; i < service->candidate_count; i++) {
		if (service->candidates[i] != server)
			continue;
		if (!flow_has_room(server))
			return CANDIDACY_FULL;
		return fwd_server_is_warm(server) ? CANDIDACY_CANDIDATE : CANDIDACY_WARMING;
	}
	return waiting_candidacy(service, server->server);
}

const char *
flow_way_name(enum flow_way way)
{
#define X(id, name, sentence) name,
	static const char *const names[] = { FLOW_WAYS(X) };
#undef X

	return names[way];
}

const char *
flow_way_sentence(enum flow_way way)
{
#define X(id, name, sentence) sentence,
	static const char *const sentences[] = { FLOW_WAYS(X) };
#undef X

	return sentences[way];
}

const char *
candidacy_name(enum candidacy candidacy)
{
#define X(id, name, sentence) name,
	static const char *const names[] = { CANDIDACIES(X) };
#undef X

	return names[candidacy];
}

const char *
candidacy_sentence(enum candidacy candidacy)
{
#define X(id, name, sentence) sentence,
	static const char *const sentences[] = { CANDIDACIES(X) };
#undef X

	return sentences[candidacy];
}
