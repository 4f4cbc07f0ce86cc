/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "model/status.h"
#include "proto/packet.h"

#define SHARE_NUMBERS (UINT16_MAX + 1)

/* Two directors compute the same sums from the same values, so their key is a constant. */
static const struct siphash_key share_key = { { 'd', 's', 'r', 'd', ' ', 's', 'y', 'n', 'c', ' ', 's', 'u', 'm', 's' } };

static uint64_t
share_mix(uint64_t sum, const void *bytes, size_t length)
{
	return siphash24(&share_key, bytes, length) ^ (sum << 7 | sum >> 57);
}

static uint64_t
share_mix_number(uint64_t sum, uint64_t number)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	return share_mix(sum, bytes, sizeof(bytes));
}

static uint64_t
share_mix_addr(uint64_t sum, const struct addr *addr)
{
	uint8_t bytes[16];

	addr_mapped(addr, bytes);
	return share_mix(sum, bytes, sizeof(bytes));
}

void
share_set_origin(struct share *share, enum share_table which, const struct conn *conn, uint8_t source)
{
	uint8_t *origin = &share->origins[which][conn_number(share->tables[which], conn)];

	if (which == SHARE_FLOWS) {
		share->held[*origin]--;
		share->held[source]++;
	}
	*origin = source;
}

static void
share_changed(struct share *share, enum share_table which, const struct conn *conn, bool removed)
{
	const uint32_t number = conn_number(share->tables[which], conn);

	if (removed)
		share_set_origin(share, which, conn, 0);
	else if (share->taking || !conn_is_proven((enum conn_state)conn->state))
		return;
	for (size_t i = 0; i < ARRAY_LEN(share->watchers); i++)
		if (share->watchers[i].news != NULL)
			share->watchers[i].news(share->watchers[i].context, which, number, removed);
}

void
share_watch(struct share *share, share_news *news, void *context)
{
	size_t i = 0;

	while (i < ARRAY_LEN(share->watchers) - 1 && share->watchers[i].news != NULL)
		i++;
	share->watchers[i] = (struct share_watcher) { news, context };
}

void
share_unwatch(struct share *share, const void *context)
{
	for (size_t i = 0; i < ARRAY_LEN(share->watchers); i++)
		if (share->watchers[i].context == context)
			share->watchers[i] = (struct share_watcher) { NULL, NULL };
}

static void
share_flow_changed(void *context, const struct conn *conn, bool removed)
{
	share_changed(context, SHARE_FLOWS, conn, removed);
}

static void
share_client_changed(void *context, const struct conn *conn, bool removed)
{
	share_changed(context, SHARE_CLIENTS, conn, removed);
}

struct share *
share_new(struct model *model, struct conn_table *conns, struct conn_table *persist)
{
	struct share *share = calloc(1, sizeof(*share));

	if (share == NULL)
		return NULL;
	share->model = model;
	share->tables[SHARE_FLOWS] = conns;
	share->tables[SHARE_CLIENTS] = persist;
	share->vips = calloc(SHARE_NUMBERS, sizeof(*share->vips));
	share->services = calloc(SHARE_NUMBERS, sizeof(*share->services));
	share->candidates = calloc(SHARE_NUMBERS, sizeof(*share->candidates));
	share->fragments = calloc(SHARE_FRAGMENTS, sizeof(*share->fragments));
	for (size_t i = 0; i < SHARE_TABLES; i++)
		share->origins[i] = calloc((size_t)conn_table_capacity(share->tables[i]) + 1, 1);
	if (share->vips == NULL || share->services == NULL || share->candidates == NULL || share->fragments == NULL ||
	    share->origins[SHARE_FLOWS] == NULL || share->origins[SHARE_CLIENTS] == NULL) {
		share_free(share);
		return NULL;
	}
	conn_table_on_change(conns, share_flow_changed, share);
	conn_table_on_change(persist, share_client_changed, share);
	return share;
}

void
share_free(struct share *share)
{
	if (share == NULL)
		return;
	for (size_t i = 0; i < SHARE_TABLES; i++) {
		conn_table_on_change(share->tables[i], NULL, NULL);
		free(share->origins[i]);
	}
	if (share->fragment_table != NULL)
		fragment_table_on_settle(share->fragment_table, NULL, NULL);
	free(share->fragments);
	free(share->candidates);
	free((void *)share->services);
	free((void *)share->vips);
	free(share);
}

static void
share_fragment_settled(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now)
{
	struct share *share = context;
	const uint64_t second = now / SECONDS(1);

	if (share->taking)
		return;
	if (second != share->fragment_second) {
		share->fragment_second = second;
		share->fragment_rate = 0;
	}
	if (share->fragment_rate == SHARE_FRAGMENT_RATE) {
		share->fragments_unshared++;
		return;
	}
	share->fragment_rate++;
	share->fragments[share->fragment_count++ % SHARE_FRAGMENTS] = (struct share_fragment) { *key, server };
	if (share->urgent != NULL)
		share->urgent(share->fragment_context);
}

void
share_set_fragments(struct share *share, struct fragment_table *table, share_take_fragment *take,
    void (*urgent)(void *context), void *context)
{
	share->fragment_table = table;
	share->take_fragment = take;
	share->urgent = urgent;
	share->fragment_context = context;
	fragment_table_on_settle(table, share_fragment_settled, share);
}

bool
share_set_self(struct share *share, const struct wire_self *self)
{
	const bool same = self->role_count == share->self.role_count && self->mac_count == share->self.mac_count &&
	    memcmp(self->roles, share->self.roles, sizeof(self->roles)) == 0 &&
	    memcmp(self->macs, share->self.macs, sizeof(self->macs)) == 0;

	share->self = *self;
	share->self_serial += !same;
	return !same;
}

/* Of all that place flows by hash: who takes them, with what weight. As in sched/fwdtab.c, order does not matter. */
static uint64_t
share_candidates(const struct fwd_service *service)
{
	char name[SERVER_NAME_TEXT];
	uint64_t sum = 0;

	for (size_t i = 0; i < service->candidate_count; i++) {
		server_name(service->candidates[i]->server, name);
		sum += share_mix_number(siphash24(&service->hash_key, name, strlen(name)), service->candidates[i]->weight);
	}
	return share_mix_number(sum, service->hash.size);
}

static uint64_t
share_configuration(const struct share *share)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < share->model->service_count; i++) {
		const struct service *service = share->model->services[i];
		struct wire_service record;
		uint64_t own;

		share_service(share, service, &record);
		own = share_mix(0, record.name, strlen(record.name));
		own = share_mix(own, record.scheduler, strlen(record.scheduler));
		for (size_t part = 0; part < PART_COUNT; part++)
			own = share_mix_number(own, record.parts[part]);
		for (size_t j = 0; j < service->server_count; j++) {
			const struct server_settings *server = &service->servers[j]->settings;

			sum += share_mix_number(share_mix_addr(share_mix(own, server->name, strlen(server->name)), &server->addr),
			    server->weight);
		}
		sum += own;
	}
	return sum;
}

void
share_update(struct share *share, const struct fwdtab *table, uint64_t serial, size_t iface_count)
{
	share->table = table;
	share->serial = serial;
	share->iface_count = iface_count;
	memset((void *)share->vips, 0, SHARE_NUMBERS * sizeof(*share->vips));
	memset((void *)share->services, 0, SHARE_NUMBERS * sizeof(*share->services));
	memset(share->candidates, 0, SHARE_NUMBERS * sizeof(*share->candidates));
	for (size_t i = 0; i < table->vip_count; i++)
		share->vips[table->vips[i].number] = &table->vips[i];
	for (size_t i = 0; i < share->model->service_count; i++)
		share->services[share->model->services[i]->run->number] = share->model->services[i];
	for (size_t i = 0; i < table->service_count; i++)
		share->candidates[table->services[i]->service->run->number] += share_candidates(table->services[i]);
	share->configuration = share_configuration(share);
}

uint8_t
share_source(struct share *share)
{
	/* When all have been used what came from the old ones is our own, as after a restart. */
	if (share->last_source == UINT8_MAX) {
		for (size_t i = 0; i < SHARE_TABLES; i++)
			memset(share->origins[i], 0, (size_t)conn_table_capacity(share->tables[i]) + 1);
		memset(share->held, 0, sizeof(share->held));
		share->last_source = 0;
	}
	return ++share->last_source;
}

void
share_set_live(struct share *share, uint8_t source, bool live)
{
	share->live[source] = live;
}

bool
share_is_theirs(const struct share *share, enum share_table which, const struct conn *conn)
{
	const uint8_t origin = share->origins[which][conn_number(share->tables[which], conn)];

	return origin != 0 && share->live[origin] && conn->hop_limit == 0;
}

bool
share_is_active(const struct share *share, const struct fwd_vip *vip)
{
	return share->active == NULL || share->active(share->context, vip);
}

/*
 * As flow_plan() does (forward/policy.c): what is in the middle goes by hash. A datagram is a beginning at any time: the
 * scheduler places it, which only a scheduler by hash does alike elsewhere, and only for clients without persistence.
 */
bool
share_deviates(const struct fwd_vip *vip, const struct fwd_service *service, const struct conn *conn)
{
	const struct fwd_server *chosen;

	if (service->candidate_count == 0)
		return true;
	if (service->scheduler->by_hash)
		chosen = service->scheduler->pick(service, vip, &conn->key);
	else
		chosen = fwd_service_hash(service, &conn->key);
	if (conn_key_protocol(&conn->key) == PROTOCOL_UDP &&
	    (!service->scheduler->by_hash || service->service->settings.persist != 0))
		return true;
	return !server_ref_equal(chosen->ref, conn->server);
}

static uint64_t
share_sum_listens(const struct service_settings *settings)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < settings->listen_count; i++) {
		const struct listen_settings *listen = &settings->listens[i];

		sum += share_mix_number(share_mix_addr(0, &listen->vip),
		    (uint64_t)listen->dscp << 40 | (uint64_t)listen->protocol << 32 | (uint32_t)listen->first << 16 |
		    listen->last);
	}
	return sum;
}

static uint64_t
share_sum_checks(const struct service_settings *settings)
{
	static const struct addr any = { .family = ADDR_IPV4 };
	const uint64_t times[] = { settings->interval, settings->timeout, settings->retry, settings->rise, settings->fall };
	char label[CHECK_LABEL];
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		sum = share_mix_number(sum, times[i]);
	for (size_t i = 0; i < settings->check_count; i++) {
		const struct check_settings *check = &settings->checks[i];

		check_label(check, &any, service_check_port(settings, check), label);
		sum = share_mix(sum, label, strlen(label));
		sum = share_mix(sum, check->expect.bytes, check->expect.length);
	}
	return sum;
}

static uint64_t
share_sum_timeouts(const struct service_settings *settings)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < CONN_STATE_COUNT; i++)
		sum = share_mix_number(sum, settings->timeouts.state[i]);
	return sum;
}

/* How packets reach each server. A server that is this director itself is another machine for the others. */
static uint64_t
share_sum_methods(const struct service *service)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < service->server_count; i++) {
		const struct server_settings *server = &service->servers[i]->settings;
		const enum encap_method method = server->method == ENCAP_LOCAL ? ENCAP_MAC : server->method;

		sum += share_mix_number(share_mix(0, server->name, strlen(server->name)), method);
	}
	return sum;
}

static uint64_t
share_sum_other(const struct service_settings *settings)
{
	const uint64_t values[] = { settings->on_down, settings->one_packet, settings->warmup, settings->vip_check,
		settings->outlier, settings->outlier_max, settings->quorum.number, settings->quorum.percent,
		settings->recover.number, settings->recover.percent, settings->sync };
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		sum = share_mix_number(sum, values[i]);
	return sum;
}

void
share_service(const struct share *share, const struct service *service, struct wire_service *record)
{
	const struct service_settings *settings = &service->settings;

	*record = (struct wire_service) { .number = service->run->number,
		.candidates = share->candidates[service->run->number] };
	if (settings->listen_count > 0) {
		record->vip = settings->listens[0].vip;
		record->protocol = settings->listens[0].protocol;
		record->port = settings->listens[0].first;
	}
	(void)snprintf(record->name, sizeof(record->name), "%s", settings->name);
	(void)snprintf(record->scheduler, sizeof(record->scheduler), "%s", settings->scheduler->name);
	record->parts[PART_LISTEN] = (uint32_t)share_sum_listens(settings);
	record->parts[PART_HASH_KEY] = (uint32_t)siphash24(&share->model->hash_key, share_key.bytes, SIPHASH_KEY);
	record->parts[PART_PERSIST] = (uint32_t)share_mix_number(settings->persist,
	    (uint64_t)settings->persist_prefix4 << 8 | settings->persist_prefix6);
	record->parts[PART_TIMEOUTS] = (uint32_t)share_sum_timeouts(settings);
	record->parts[PART_CHECKS] = (uint32_t)share_sum_checks(settings);
	record->parts[PART_OTHER] = (uint32_t)share_mix_number(share_sum_other(settings), share_sum_methods(service));
}

void
share_server(const struct server *server, struct wire_server *record)
{
	struct server_status status;

	server_status(server, &status);
	*record = (struct wire_server) { .number = server->ref.slot, .service = server->service->run->number,
		.addr = server->settings.addr, .file_weight = server->settings.weight,
		.weight = server_weight(server), .state = server_state(server) };
	(void)snprintf(record->name, sizeof(record->name), "%s", server->settings.name);
	(void)snprintf(record->reason, sizeof(record->reason), "%.*s", WIRE_REASON - 1, status.sentence);
	for (char *at = record->reason; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}
