/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/intake.h"

#include <string.h>

#include "flow/fit.h"
#include "flow/measure.h"
#include "proto/packet.h"

int
intake_init(struct intake *intake, struct share *share, uint8_t source, intake_order *order, void *context)
{
	*intake = (struct intake) { .share = share, .picture = picture_new(), .source = source, .order = order,
		.context = context };
	return intake->picture == NULL ? -1 : 0;
}

void
intake_clear(struct intake *intake)
{
	picture_free(intake->picture);
	intake->picture = NULL;
}

static bool
intake_has_room(const struct conn_table *table)
{
	return conn_table_count(table) < (uint64_t)conn_table_capacity(table) * INTAKE_SHARE / 100;
}

static uint64_t
intake_lifetime(uint32_t left, uint64_t most)
{
	const uint64_t lifetime = SECONDS(left) + INTAKE_SLACK;

	return lifetime < most ? lifetime : most;
}

/* Enters a flow that is not in the table. */
static void
intake_enter(struct intake *intake, const struct wire_flow *flow, const struct conn_key *key, struct server *server,
    uint64_t lifetime, uint64_t now)
{
	struct conn_table *table = intake->share->tables[SHARE_FLOWS];
	const uint32_t second = (uint32_t)(now / SECONDS(1));
	struct conn *conn = NULL;

	if (intake_has_room(table))
		conn = conn_insert(table, key, server->ref, flow->state, lifetime, now);
	if (conn == NULL) {
		intake->counts.refused++;
		return;
	}
	if (flow->age <= second)
		conn->began = second - flow->age;
	fit_resume(conn, false, 0, 0);
	if (flow->protocol == PROTOCOL_TCP)
		measure_resume(&server->run->measure, conn);
	account_flow(server->run, flow->state, 1);
	share_set_origin(intake->share, SHARE_FLOWS, conn, intake->source);
	intake->counts.flows++;
}

static bool
intake_has_ended(enum conn_state state)
{
	return state == CONN_FIN_WAIT || state == CONN_TIME_WAIT || state == CONN_CLOSED;
}

/* The flow is here with another server. Is the peer's the one that counts? */
static bool
intake_displaces(const struct intake *intake, const struct wire_flow *flow, const struct conn *conn,
    const struct fwd_vip *vip, uint64_t now)
{
	const uint32_t age = (uint32_t)(now / SECONDS(1)) - conn->began;

	if (conn->hop_limit == 0 || !share_is_active(intake->share, vip))
		return true;
	return intake_has_ended((enum conn_state)conn->state) && !intake_has_ended(flow->state) && flow->age < age;
}

/* The flow is here, with the same server. What no frame was seen of here is as the peer has it. */
static void
intake_renew(struct intake *intake, const struct wire_flow *flow, struct conn *conn, struct server *server,
    uint64_t lifetime, bool active)
{
	struct conn_table *table = intake->share->tables[SHARE_FLOWS];
	const enum conn_state before = (enum conn_state)conn->state;
	const bool follows = conn->hop_limit == 0 || !active;

	if (follows && before != flow->state) {
		account_flow(server->run, before, -1);
		account_flow(server->run, flow->state, 1);
		conn_touch(table, conn, flow->state, lifetime);
	} else if (conn_left(table, conn) < lifetime && before == flow->state) {
		conn_touch(table, conn, before, lifetime);
	}
	if (conn->hop_limit == 0)
		share_set_origin(intake->share, SHARE_FLOWS, conn, intake->source);
	intake->counts.flows++;
}

static void
intake_place(struct intake *intake, const struct wire_flow *flow, const struct fwd_vip *vip,
    const struct fwd_service *service, struct server *server, uint64_t now)
{
	struct conn_table *table = intake->share->tables[SHARE_FLOWS];
	const uint64_t lifetime = intake_lifetime(flow->left, conn_lifetime(service->timeouts, flow->state, flow->protocol));
	struct conn_key key = { .client_port = flow->client_port, .vip_port = flow->vip_port,
		.target = conn_target(vip->number, flow->protocol) };
	struct conn *conn;

	memcpy(key.client, flow->client, sizeof(key.client));
	conn = conn_find(table, &key, now);
	if (conn != NULL && server_ref_equal(conn->server, server->ref)) {
		intake_renew(intake, flow, conn, server, lifetime, share_is_active(intake->share, vip));
		return;
	}
	if (conn != NULL && !intake_displaces(intake, flow, conn, vip, now)) {
		intake->counts.conflicts++;
		return;
	}
	if (conn != NULL)
		conn_remove(table, conn);
	intake_enter(intake, flow, &key, server, lifetime, now);
}

static void
intake_flow(struct intake *intake, const struct wire_flow *flow, uint64_t now)
{
	const struct fwd_vip *vip = picture_vip(intake->picture, intake->share, flow->vip);
	struct server *server = picture_server(intake->picture, intake->share, flow->server);
	const struct fwd_service *service = NULL;

	if (vip != NULL)
		service = fwd_vip_service(vip, flow->protocol, flow->vip_port);
	if (service == NULL || server == NULL || server->service != service->service)
		intake->counts.unknown++;
	else if (service->service->settings.sync == SYNC_OFF)
		intake->counts.refused++;
	else
		intake_place(intake, flow, vip, service, server, now);
}

/* Of two entries for a client the one that lives longer was used later. */
static void
intake_client(struct intake *intake, const struct wire_client *client, uint64_t now)
{
	struct conn_table *table = intake->share->tables[SHARE_CLIENTS];
	const struct server *server = picture_server(intake->picture, intake->share, client->server);
	struct conn_key key = { .client_port = 0 };
	struct conn *conn;
	uint64_t lifetime;

	if (server == NULL || server->service->settings.persist == 0) {
		intake->counts.unknown++;
		return;
	}
	memcpy(key.client, client->client, sizeof(key.client));
	key.target = conn_target(server->service->run->number, 0);
	lifetime = intake_lifetime(client->left, server->service->settings.persist);
	conn = conn_find(table, &key, now);
	if (conn != NULL && conn->state == CONN_UDP && conn_left(table, conn) >= lifetime)
		return;
	if (conn != NULL && server_ref_equal(conn->server, server->ref)) {
		conn_touch(table, conn, CONN_UDP, lifetime);
		intake->counts.clients++;
		return;
	}
	if (conn != NULL)
		conn_remove(table, conn);
	conn = server->service->settings.sync != SYNC_OFF && intake_has_room(table) ? conn_insert(table, &key, server->ref,
	    CONN_UDP, lifetime, now) : NULL;
	if (conn == NULL) {
		intake->counts.refused++;
		return;
	}
	share_set_origin(intake->share, SHARE_CLIENTS, conn, intake->source);
	intake->counts.clients++;
}

static void
intake_fragment(struct intake *intake, const struct wire_fragment *fragment, uint64_t now)
{
	struct share *share = intake->share;
	const struct fwd_vip *vip = picture_vip(intake->picture, share, fragment->vip);
	const struct server *server = picture_server(intake->picture, share, fragment->server);
	struct fragment_key key;

	if (vip == NULL || server == NULL) {
		intake->counts.unknown++;
		return;
	}
	if (server->service->settings.sync == SYNC_OFF || share->take_fragment == NULL)
		return;
	memset(&key, 0, sizeof(key));
	memcpy(key.client, fragment->client, sizeof(key.client));
	key.id = fragment->id;
	key.vip = vip->number;
	key.protocol = fragment->protocol;
	share->take_fragment(share->fragment_context, &key, server->ref, now);
	intake->counts.fragments++;
}

bool
intake_is_newer(const struct wire_order *order, const struct server *server)
{
	const struct admin *admin = &server->admin;
	const struct admin_author *known = order->weight ? &admin->weight_by : &admin->admin_by;
	const uint32_t value = order->weight ? admin_given_weight(server) : (uint32_t)admin->admin;
	int names;

	if (order->author.when != known->when)
		return order->author.when > known->when;
	names = strcmp(order->author.name, known->name);
	return names != 0 ? names > 0 : order->value > value;
}

static void
intake_take_order(struct intake *intake, const struct wire_order *order)
{
	struct server *server = picture_server(intake->picture, intake->share, order->server);

	if (server == NULL || (order->weight && order->file_weight != server->settings.weight)) {
		intake->counts.unknown++;
		return;
	}
	if (!intake_is_newer(order, server))
		return;
	intake->order(intake->context, server, order);
	intake->counts.orders++;
}

/* One record of the frame. */
static enum session_fault
intake_take_record(struct intake *intake, enum wire_type type, struct cursor *in, uint64_t now)
{
	union {
		struct wire_flow flow;
		struct wire_client client;
		struct wire_vip vip;
		struct wire_service service;
		struct wire_server server;
		struct wire_order order;
		struct wire_fragment fragment;
	} record;
	int result = 0;

	memset(&record, 0, sizeof(record));
	switch (type) {
	case WIRE_FLOWS:
		if (!wire_get_flow(in, &record.flow))
			return SESSION_RECORD;
		intake_flow(intake, &record.flow, now);
		break;
	case WIRE_CLIENTS:
		if (!wire_get_client(in, &record.client))
			return SESSION_RECORD;
		intake_client(intake, &record.client, now);
		break;
	case WIRE_VIPS:
		if (!wire_get_vip(in, &record.vip))
			return SESSION_RECORD;
		result = picture_take_vip(intake->picture, &record.vip);
		break;
	case WIRE_SERVICES:
		if (!wire_get_service(in, &record.service))
			return SESSION_RECORD;
		result = picture_take_service(intake->picture, &record.service);
		break;
	case WIRE_SERVERS:
		if (!wire_get_server(in, &record.server))
			return SESSION_RECORD;
		result = picture_take_server(intake->picture, &record.server);
		break;
	case WIRE_ORDERS:
		if (!wire_get_order(in, &record.order))
			return SESSION_RECORD;
		intake_take_order(intake, &record.order);
		break;
	case WIRE_FRAGMENTS:
		if (!wire_get_fragment(in, &record.fragment))
			return SESSION_RECORD;
		intake_fragment(intake, &record.fragment, now);
		break;
	case WIRE_HELLO:
	case WIRE_STATE:
	case WIRE_RESET:
	case WIRE_NAMED:
	case WIRE_BULK_END:
		return SESSION_TYPE;
	}
	return result == -1 ? SESSION_MEMORY : SESSION_FINE;
}

enum session_fault
intake_take(struct intake *intake, const struct session_frame *frame, uint64_t now)
{
	enum session_fault fault = SESSION_FINE;
	struct cursor in;

	switch (frame->type) {
	case WIRE_RESET:
		picture_reset(intake->picture);
		return SESSION_FINE;
	case WIRE_NAMED:
		picture_complete(intake->picture);
		return SESSION_FINE;
	case WIRE_BULK_END:
		intake->bulk_done = true;
		return SESSION_FINE;
	default: /* a byte of the wire, not an enum */
		break;
	}
	conn_tell(intake->share->tables[SHARE_FLOWS], now);
	conn_tell(intake->share->tables[SHARE_CLIENTS], now);
	intake->share->taking = true;
	cursor_init(&in, frame->body, frame->length);
	while (in.left > 0 && fault == SESSION_FINE)
		fault = intake_take_record(intake, (enum wire_type)frame->type, &in, now);
	intake->share->taking = false;
	return fault;
}
