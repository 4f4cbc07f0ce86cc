/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/fit.h"
#include "forward/policy.h"
#include "model/status.h"

/* A service whose scheduler can be called without side effects: all that it may write to is a copy. */
struct dry_run {
	struct fwd_service service;
	struct service_run run;
	struct fwd_server *servers; /* all of the service, in its order */
	struct server_run *runs;
	struct fwd_server **candidates;
	size_t count;
	const struct fwdtab *table;
};

static void
dry_run_clear(struct dry_run *dry_run)
{
	free(dry_run->servers);
	free(dry_run->runs);
	free(dry_run->candidates);
}

/* The copy of a server; NULL when it is not the service's. */
static struct fwd_server *
copy_of(const struct dry_run *dry_run, const struct fwd_server *server)
{
	for (size_t i = 0; server != NULL && i < dry_run->count; i++)
		if (server_ref_equal(dry_run->servers[i].ref, server->ref))
			return &dry_run->servers[i];
	return NULL;
}

/* The server that a copy was made of. */
static const struct fwd_server *
original_of(const struct dry_run *dry_run, const struct fwd_server *copy)
{
	return copy == NULL ? NULL : fwdtab_server(dry_run->table, copy->ref);
}

static int
dry_run_init(struct dry_run *dry_run, const struct fwdtab *table, const struct fwd_service *service)
{
	const struct service *model = service->service;

	memset(dry_run, 0, sizeof(*dry_run));
	dry_run->table = table;
	dry_run->servers = calloc(model->server_count + 1, sizeof(*dry_run->servers));
	dry_run->runs = calloc(model->server_count + 1, sizeof(*dry_run->runs));
	dry_run->candidates = calloc(model->server_count + 1, sizeof(struct fwd_server *));
	if (dry_run->servers == NULL || dry_run->runs == NULL || dry_run->candidates == NULL) {
		dry_run_clear(dry_run);
		return -1;
	}
	for (size_t i = 0; i < model->server_count; i++) {
		const struct fwd_server *server = fwdtab_server(table, model->servers[i]->ref);
		struct fwd_server *copy = &dry_run->servers[dry_run->count];

		if (server == NULL)
			continue;
		dry_run->runs[dry_run->count] = *server->run;
		*copy = *server;
		copy->run = &dry_run->runs[dry_run->count++];
	}
	for (size_t i = 0; i < service->candidate_count; i++)
		dry_run->candidates[i] = copy_of(dry_run, service->candidates[i]);
	dry_run->run = *service->run;
	dry_run->service = *service;
	dry_run->service.run = &dry_run->run;
	dry_run->service.turn = &dry_run->service.own_turn;
	dry_run->service.own_turn = *service->turn;
	dry_run->service.candidates = dry_run->candidates;
	return 0;
}

/* As when forwarding forgets a flow before it plans a new one. */
static void
explain_forget(const struct dry_run *dry_run, const struct fwd_server *server, enum conn_state state)
{
	const struct fwd_server *copy = copy_of(dry_run, server);

	if (copy != NULL)
		account_flow(copy->run, state, -1);
}

static const struct fwd_vip *
explain_find_vip(const struct forwarder *forwarder, const struct addr *addr)
{
	const struct fwd_vip *vip = NULL;

	for (size_t i = 0; i < forwarder->iface_count && vip == NULL; i++)
		vip = fwdtab_vip(forwarder->table, (uint16_t)i, addr);
	return vip;
}

static struct remembered
lookup_record(const struct conn_table *conns, const struct fwdtab *table, const struct conn_key *key, uint64_t now)
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
make_packet(struct frame_ctx *ctx, const struct flow_question *question)
{
	struct packet *packet = &ctx->packet;

	packet->source = question->client;
	packet->destination = question->vip;
	packet->protocol = question->protocol;
	packet->has_ports = true;
	packet->source_port = question->client_port;
	packet->destination_port = question->vip_port;
	ctx->flags = question->flags;
	if (question->protocol == PROTOCOL_UDP)
		ctx->flags = 0;
}

static bool
begins_anyway(const struct explanation *explanation)
{
	const struct remembered *flow = &explanation->flow;
	const uint64_t lifetime = conn_lifetime(explanation->service->timeouts, flow->state, PROTOCOL_TCP);

	return fit_begins_anyway(flow->state, lifetime > flow->left ? lifetime - flow->left : 0);
}

/* Is the flow known, and does it stay? A beginning or a further packet is meant, whichever is the next to come. */
static void
look_for_flow(struct frame_ctx *ctx, const struct flow_question *question, struct explanation *explanation)
{
	const struct remembered *flow = &explanation->flow;

	if (question->flags == 0 && question->protocol != PROTOCOL_UDP)
		ctx->flags = flow->left > 0 ? TCP_ACK : TCP_SYN;
	explanation->flags = ctx->flags;
	/* The question has no sequence numbers: they are taken for right ones, unless a SYN needs more than that. */
	if (flow->left > 0 && flow_begins(ctx) && flow->server != NULL && !begins_anyway(explanation))
		ctx->flags = 0;
	explanation->stays = flow->left > 0 && flow_stays(ctx, flow->state, flow->server);
	if (explanation->stays)
		return;
	ctx->flags = explanation->flags;
	ctx->moved = flow->left > 0;
	/* Its server is gone, or it moved: the client's connection is lost, and it will reconnect. */
	if (question->flags == 0 && question->protocol != PROTOCOL_UDP)
		explanation->flags = ctx->flags = TCP_SYN;
}

/* An unknown flow: the plan of forwarding, on copies. */
static int
explain_plan(struct frame_ctx *ctx, const struct forwarder *forwarder, struct explanation *explanation)
{
	struct dry_run dry_run;
	struct flow_plan plan;
	struct conn_key key;

	if (dry_run_init(&dry_run, forwarder->table, explanation->service) == -1)
		return -1;
	if (explanation->flow.found)
		explain_forget(&dry_run, explanation->flow.server, explanation->flow.state);
	if (explanation->service->service->settings.persist != 0) {
		flow_persist_key(ctx, &dry_run.service, &key);
		explanation->client = lookup_record(forwarder->persist, forwarder->table, &key, ctx->now);
	}
	plan = flow_plan(ctx, forwarder->conns, &dry_run.service,
	    flow_may_persist(ctx, &dry_run.service) && explanation->client.left > 0 ?
	    copy_of(&dry_run, explanation->client.server) : NULL);
	explanation->full = plan.remembered && plan.server != NULL &&
	    !conn_fits(forwarder->conns, plan.state, ctx->now);
	if (explanation->full) {
		plan.way = FLOW_WAY_HASHED;
		plan.server = flow_by_hash(ctx, &dry_run.service);
	}
	explanation->way = plan.way;
	explanation->state = plan.way != FLOW_WAY_NONE ? plan.state : CONN_NONE;
	explanation->reason = plan.reason;
	explanation->server = original_of(&dry_run, plan.server);
	explanation->scheduled = original_of(&dry_run, plan.scheduled);
	dry_run_clear(&dry_run);
	return 0;
}

/* Would forwarding drop the unknown flow? */
static bool
explain_exceeds(const struct frame_ctx *ctx, const struct forwarder *forwarder, const struct fwd_service *service)
{
	struct limit_asker asker;

	if (!flow_is_limited(ctx, service))
		return false;
	asker = flow_limit_asker(ctx, service);
	return !limit_has(forwarder->limits, &asker, ctx->now);
}

static int
explain_find_server(struct frame_ctx *ctx, const struct forwarder *forwarder, const struct flow_question *question,
    struct explanation *explanation)
{
	const bool one_packet = question->protocol == PROTOCOL_UDP &&
	    explanation->service->service->settings.one_packet;

	if (!one_packet)
		explanation->flow = lookup_record(forwarder->conns, forwarder->table, &ctx->key, ctx->now);
	look_for_flow(ctx, question, explanation);
	if (!explanation->stays && explain_exceeds(ctx, forwarder, explanation->service)) {
		explanation->reason = DROP_LIMIT_NEW;
		return 0;
	}
	if (!explanation->stays)
		return explain_plan(ctx, forwarder, explanation);
	explanation->way = FLOW_WAY_KNOWN;
	/* What proves a flow is its time and its numbers, which the question does not have. */
	explanation->state = explanation->flow.state == CONN_NEW && !fit_is_asked(CONN_ESTABLISHED, ctx->flags) ?
	    CONN_NEW :
	    flow_next_state(ctx, explanation->flow.state);
	explanation->server = explanation->flow.server;
	return 0;
}

int
explain(const struct forwarder *forwarder, const struct flow_question *question, uint64_t now,
    struct explanation *explanation)
{
	struct frame_ctx ctx = { .now = now };

	memset(explanation, 0, sizeof(*explanation));
	make_packet(&ctx, question);
	explanation->vip = ctx.vip = explain_find_vip(forwarder, &question->vip);
	if (ctx.vip == NULL)
		return 0;
	explanation->verdict = VERDICT_DROP;
	explanation->reason = DROP_NO_SERVICE;
	explanation->service = fwd_vip_service(ctx.vip, question->protocol, question->vip_port);
	if (explanation->service == NULL)
		return 0;
	flow_name(&ctx);
	if (explain_find_server(&ctx, forwarder, question, explanation) == -1)
		return -1;
	if ((forwarder->duties[ctx.vip->group] & ROLE_FORWARDS) == 0) {
		explanation->reason = DROP_STANDBY;
		return 0;
	}
	if (explanation->server == NULL)
		return 0;
	if (explanation->server->reachable)
		explanation->verdict = VERDICT_FORWARD;
	else
		explanation->reason = DROP_NO_NEIGHBOR;
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
		return CANDIDACY_NO_NEIGHBOR;
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
