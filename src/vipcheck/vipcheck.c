/* SPDX-License-Identifier: ISC */
/* The set of checks: made from the model, kept over reloads, summed up into the servers' vip_state. */
#include "config.h"

#include "vipcheck/vipcheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "vipcheck/vipcheck_int.h"

/* First probes are spread over this long, or over a millisecond each when there are more: as checks are. */
#define FIRST_WITHIN MILLISECONDS(200)
#define FIRST_GAP MILLISECONDS(1)

/* The probes for one server. */
struct targets {
	struct {
		struct addr vip;
		uint8_t protocol;
		uint16_t port;
		bool range; /* it stands for others too */
	} list[VIPCHECKS_PER_SERVER];
	size_t count;
};

struct vipcheck_table *
vipcheck_table_new(const struct siphash_key *seed)
{
	struct vipcheck_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->seed = *seed;
	table->due = UINT64_MAX;
	return table;
}

static void
vipcheck_drop_all(struct vipcheck_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->checks[i]);
	free(table->checks);
	free(table->heads);
	free(table->generations);
	memset(table->by_tag, 0, sizeof(table->by_tag));
	table->checks = NULL;
	table->count = 0;
	table->heads = NULL;
	table->generations = NULL;
	table->slot_count = 0;
	table->due = UINT64_MAX;
}

void
vipcheck_table_free(struct vipcheck_table *table)
{
	if (table == NULL)
		return;
	vipcheck_drop_all(table);
	free(table);
}

void
vipcheck_table_on_news(struct vipcheck_table *table, path_news *news, void *context)
{
	table->news = news;
	table->context = context;
}

uint64_t
vipcheck_random(struct vipcheck_table *table)
{
	const uint64_t draw = ++table->draws;

	return siphash24(&table->seed, &draw, sizeof(draw));
}

void
vipcheck_release_tags(struct vipcheck_table *table, struct vipcheck *check)
{
	for (size_t i = 0; i < PROBE_COUNT; i++) {
		if (check->secrets[i].tag != 0)
			table->by_tag[check->secrets[i].tag - VIPCHECK_TAG_FIRST] = NULL;
		check->secrets[i].tag = 0;
	}
}

static bool
vipcheck_has_tcp(const struct service_settings *service, const struct addr *vip)
{
	for (size_t i = 0; i < service->listen_count; i++)
		if (service->listens[i].protocol == PROTOCOL_TCP && addr_equal(&service->listens[i].vip, vip))
			return true;
	return false;
}

static bool
vipcheck_has_target(const struct targets *targets, const struct addr *vip, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < targets->count; i++)
		if (addr_equal(&targets->list[i].vip, vip) && (protocol == 0 ||
		    (targets->list[i].protocol == protocol &&
		    targets->list[i].port == port)))
			return true;
	return false;
}

/* The port that represents a range: one that a check uses, if it is in the range; else the first. 0: none. */
static uint16_t
vipcheck_target_port(const struct service_settings *service, const struct listen_settings *listen)
{
	for (size_t i = 0; listen->protocol == PROTOCOL_TCP && i < service->check_count; i++) {
		const uint16_t port = service_check_port(service, &service->checks[i]);

		if (port >= listen->first && port <= listen->last)
			return port;
	}
	return listen->first <= 1 && listen->last == UINT16_MAX ? 0 : listen->first;
}

/*
 * UDP is probed where a payload is configured, or where TCP cannot prove the VIP already; without a payload one port is
 * as good as another, since the host answers.
 */
static bool
vipcheck_is_worth_it(const struct service_settings *service, const struct listen_settings *listen,
    const struct targets *targets)
{
	if (listen->protocol == PROTOCOL_TCP)
		return true;
	if (service->vip_payload.given)
		return true;
	return !vipcheck_has_tcp(service, &listen->vip) && !vipcheck_has_target(targets, &listen->vip, 0, 0);
}

static void
vipcheck_add_targets(struct targets *targets, const struct service_settings *service, bool new_vips)
{
	for (size_t i = 0; i < service->listen_count && targets->count < VIPCHECKS_PER_SERVER; i++) {
		const struct listen_settings *listen = &service->listens[i];
		uint16_t port = vipcheck_target_port(service, listen);
		uint8_t protocol = listen->protocol;

		if (!vipcheck_is_worth_it(service, listen, targets) ||
		    (new_vips && vipcheck_has_target(targets, &listen->vip, 0, 0)))
			continue;
		/* All ports, and none that is known to be open: the host must do. */
		if (protocol == PROTOCOL_TCP && port == 0)
			protocol = PROTOCOL_UDP;
		if (vipcheck_has_target(targets, &listen->vip, protocol, port))
			continue;
		targets->list[targets->count].vip = listen->vip;
		targets->list[targets->count].protocol = protocol;
		targets->list[targets->count].range = listen->first != listen->last || protocol != listen->protocol;
		targets->list[targets->count++].port = port;
	}
}

static struct vipcheck *
vipcheck_find(const struct vipcheck_table *table, const struct server *server, const struct addr *vip,
    uint8_t protocol, uint16_t port)
{
	struct vipcheck *check = server->ref.slot < table->slot_count ? table->heads[server->ref.slot] : NULL;

	for (; check != NULL; check = check->sibling)
		if (check->ref.generation == server->ref.generation && check->protocol == protocol &&
		    check->port == port &&
		    addr_equal(&check->vip, vip))
			break;
	return check;
}

/* A check added to a server that is already trusted must not remove its traffic before it has a result. */
static bool
vipcheck_was_settled(const struct vipcheck_table *table, const struct server *server)
{
	return server->ref.slot < table->slot_count && table->generations[server->ref.slot] == server->ref.generation &&
	    server->vip_state != VIP_UNKNOWN;
}

static int
vipcheck_want(struct vipcheck_table *table, struct server *server, struct vipcheck **list, size_t *count)
{
	const struct service_settings *service = &server->service->settings;
	struct targets targets = { .count = 0 };

	vipcheck_add_targets(&targets, service, true);
	vipcheck_add_targets(&targets, service, false);
	for (size_t i = 0; i < targets.count; i++) {
		struct vipcheck *check = vipcheck_find(table, server, &targets.list[i].vip, targets.list[i].protocol,
		    targets.list[i].port);

		if (check == NULL) {
			check = calloc(1, sizeof(*check));
			if (check == NULL)
				return -1;
			check->vip = targets.list[i].vip;
			check->protocol = targets.list[i].protocol;
			check->port = targets.list[i].port;
			check->ref = server->ref;
			check->settled = vipcheck_was_settled(table, server);
		}
		check->server = server;
		check->range = targets.list[i].range;
		check->wanted = true;
		list[(*count)++] = check;
	}
	return 0;
}

static void
vipcheck_forget_unwanted(struct vipcheck_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct vipcheck *check = table->checks[i];

		if (check->wanted)
			continue;
		vipcheck_release_tags(table, check);
		free(check);
	}
}

static void
vipcheck_free_new(struct vipcheck **list, size_t count)
{
	for (size_t i = 0; list != NULL && i < count; i++)
		if (list[i]->due == 0)
			free(list[i]);
}

static void
vipcheck_link_siblings(struct vipcheck_table *table)
{
	for (size_t i = table->count; i-- > 0;) {
		struct vipcheck *check = table->checks[i];

		check->sibling = table->heads[check->ref.slot];
		table->heads[check->ref.slot] = check;
	}
}

/* `due` is 0 in those that are new. */
static void
vipcheck_schedule_new(struct vipcheck_table *table, uint64_t now)
{
	size_t count = 0, started = 0;
	uint64_t window;

	for (size_t i = 0; i < table->count; i++)
		count += table->checks[i]->due == 0;
	window = count * FIRST_GAP > FIRST_WITHIN ? count * FIRST_GAP : FIRST_WITHIN;
	for (size_t i = 0; i < table->count; i++)
		if (table->checks[i]->due == 0)
			table->checks[i]->due = now + window * started++ / count + 1;
	table->due = table->count > 0 ? now : UINT64_MAX;
}

/* How much is wrong when the server's port of the VIP is in that state. */
static enum fault_scope
vipcheck_fault_scope(enum vipcheck_verdict verdict)
{
	switch (verdict) {
	case VIPCHECK_OWN_ONLY:
	case VIPCHECK_NOT_LISTENING:
	case VIPCHECK_REJECTED:
	case VIPCHECK_FILTERED:
		return FAULT_PORT;
	case VIPCHECK_NOT_CHECKED:
	case VIPCHECK_ACCEPTED:
	case VIPCHECK_OTHER_MAC:
	case VIPCHECK_BOUNCED:
	case VIPCHECK_NO_ROUTE:
	case VIPCHECK_FORWARD_REJECTED:
	case VIPCHECK_LOST:
	case VIPCHECK_IGNORED:
	case VIPCHECK_WRONG_SOURCE:
	case VIPCHECK_NO_DECAPSULATION:
	case VIPCHECK_NO_TUNNEL_PORT:
	case VIPCHECK_TUNNEL_BROKEN:
	case VIPCHECK_TUNNEL_SILENT:
	case VIPCHECK_DSCP_IGNORED:
	case VIPCHECK_ELSEWHERE:
	case VIPCHECK_LOSSY:
	case VIPCHECK_UNVERIFIED:
	case VIPCHECK_NO_CONTROL:
	case VIPCHECK_NO_SOURCE:
	case VIPCHECK_VERDICT_COUNT:
		break;
	}
	return FAULT_VIP;
}

/* An answer from another port of the VIP proves that the server accepts it: what is silent is the port. */
static bool
vipcheck_vip_answers(const struct vipcheck *checks, const struct addr *vip)
{
	for (const struct vipcheck *check = checks; check != NULL; check = check->sibling)
		if (addr_equal(&check->vip, vip) && check->settled && (check->health.state == HEALTH_UP ||
		    (check->health.state == HEALTH_DOWN && vipcheck_fault_scope(check->blame) == FAULT_PORT)))
			return true;
	return false;
}

/*
 * A port of a range is closed until a client opens it, as with FTP: that is only noted. One that the server serves at
 * its own address is meant to be open.
 */
static void
vipcheck_link_fault(const struct vipcheck *checks, struct vipcheck *check)
{
	struct vip_fault *fault = &check->fault;

	*fault = (struct vip_fault) {
		.scope = vipcheck_fault_scope(check->blame),
		.vip = check->vip,
		.protocol = check->protocol,
		.port = check->port,
		.refused = check->blame == VIPCHECK_NOT_LISTENING,
		.name = vipcheck_verdict_name(check->blame),
		.sentence = vipcheck_verdict_sentence(check->blame),
		.next = check->server->vip_faults,
	};
	if (fault->scope == FAULT_VIP && check->port != 0 && vipcheck_vip_answers(checks, &check->vip)) {
		fault->scope = FAULT_PORT;
		fault->name = vipcheck_verdict_name(VIPCHECK_FILTERED);
		fault->sentence = vipcheck_verdict_sentence(VIPCHECK_FILTERED);
	}
	fault->note = fault->scope == FAULT_PORT && check->range && check->blame != VIPCHECK_OWN_ONLY;
	check->server->vip_faults = fault;
}

/* Of a long list of ports a few are probed. If none of them is served, the others are assumed not to be. */
static void
vipcheck_widen_fault(const struct vipcheck *checks, struct vip_fault *fault)
{
	if (fault->scope != FAULT_PORT || fault->note)
		return;
	for (const struct vipcheck *check = checks; check != NULL; check = check->sibling)
		if (check->protocol == fault->protocol && addr_equal(&check->vip, &fault->vip) &&
		    (check->health.state != HEALTH_DOWN || check->fault.note))
			return;
	fault->scope = FAULT_PROTOCOL;
}

/* Linked from the last to the first, so that the fault of the first port is the one reported. */
static void
vipcheck_link_faults(struct vipcheck *checks)
{
	struct vipcheck *list[VIPCHECKS_PER_SERVER];
	size_t count = 0;

	for (struct vipcheck *check = checks; check != NULL && count < VIPCHECKS_PER_SERVER; check = check->sibling)
		list[count++] = check;
	while (count-- > 0)
		if (list[count]->settled && list[count]->health.state == HEALTH_DOWN)
			vipcheck_link_fault(checks, list[count]);
	if (checks == NULL)
		return;
	for (struct vip_fault *fault = checks->server->vip_faults; fault != NULL; fault = fault->next)
		vipcheck_widen_fault(checks, fault);
}

static enum vip_state
vipcheck_vip_state(const struct vipcheck *checks, const struct server *server)
{
	if (checks == NULL || server->service->settings.vip_check != VIP_CHECK_REQUIRE)
		return VIP_TRUSTED;
	for (const struct vipcheck *check = checks; check != NULL &&
	    server->ports != PORTS_NONE; check = check->sibling)
		if (!check->settled)
			return VIP_UNKNOWN;
	for (const struct vip_fault *fault = server->vip_faults; fault != NULL; fault = fault->next)
		if (!fault->note)
			return server->ports == PORTS_NONE ? VIP_REFUSED : VIP_PARTLY;
	return VIP_ACCEPTED;
}

void
vipcheck_combine(struct vipcheck_table *table, struct server *server)
{
	struct vipcheck *checks = table->heads[server->ref.slot];

	server->vip_faults = NULL;
	if (server->service->settings.vip_check == VIP_CHECK_REQUIRE)
		vipcheck_link_faults(checks);
	server_update_ports(server);
	server->vip_state = vipcheck_vip_state(checks, server);
}

/* The faults are in memory that is about to go. */
static void
vipcheck_forget_faults(const struct model *model)
{
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		if (model->slots[slot] == NULL)
			continue;
		model->slots[slot]->vip_faults = NULL;
		server_update_ports(model->slots[slot]);
	}
}

void
vipcheck_trust(struct vipcheck_table *table, struct server *server, uint64_t now)
{
	if (server->ref.slot >= table->slot_count)
		return;
	for (struct vipcheck *check = table->heads[server->ref.slot]; check != NULL; check = check->sibling) {
		(void)health_trust(&check->health, now);
		check->settled = true;
	}
	vipcheck_combine(table, server);
}

/* The new set is complete: it takes the place of the old one. */
static void
vipcheck_adopt(struct vipcheck_table *table, const struct model *model, struct vipcheck **list, size_t count,
    struct vipcheck **heads,
    uint16_t *generations, uint64_t now)
{
	vipcheck_forget_unwanted(table);
	free(table->checks);
	free(table->heads);
	free(table->generations);
	table->checks = list;
	table->count = count;
	table->heads = heads;
	table->generations = generations;
	table->slot_count = model->slot_count;
	for (size_t slot = 0; slot < model->slot_count; slot++)
		if (model->slots[slot] != NULL)
			generations[slot] = model->generations[slot];
	vipcheck_link_siblings(table);
	vipcheck_schedule_new(table, now);
	for (size_t slot = 0; slot < model->slot_count; slot++)
		if (model->slots[slot] != NULL)
			vipcheck_combine(table, model->slots[slot]);
}

static int
vipcheck_collect(struct vipcheck_table *table, const struct model *model, struct vipcheck **list, size_t *count)
{
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (service->settings.vip_check == VIP_CHECK_OFF)
			continue;
		for (size_t j = 0; j < service->server_count; j++)
			if (service->servers[j]->settings.method != ENCAP_LOCAL && vipcheck_want(table, service->servers[j], list, count) == -1)
				return -1;
	}
	return 0;
}

int
vipcheck_sync(struct vipcheck_table *table, const struct model *model, bool asks, uint64_t now)
{
	const size_t slots = model->slot_count;
	struct vipcheck **list = calloc(slots * VIPCHECKS_PER_SERVER + 1, sizeof(struct vipcheck *));
	struct vipcheck **heads = calloc(slots + 1, sizeof(struct vipcheck *));
	uint16_t *generations = calloc(slots + 1, sizeof(*generations));
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		table->checks[i]->wanted = false;
	if (list == NULL || heads == NULL || generations == NULL || (asks && vipcheck_collect(table, model, list,
	    &count) == -1)) {
		vipcheck_free_new(list, count);
		free(list);
		free(heads);
		free(generations);
		vipcheck_forget_faults(model);
		vipcheck_drop_all(table);
		return -1;
	}
	vipcheck_adopt(table, model, list, count, heads, generations, now);
	return 0;
}

void
vipcheck_hasten(struct vipcheck_table *table, uint64_t now)
{
	for (size_t i = 0; i < table->count; i++)
		if (!table->checks[i]->asking)
			table->checks[i]->due = now;
	if (table->count > 0)
		table->due = now;
}

uint64_t
vipcheck_due(const struct vipcheck_table *table)
{
	return table->due;
}

size_t
vipcheck_count(const struct vipcheck_table *table)
{
	return table->count;
}

const struct vipcheck *
vipcheck_at(const struct vipcheck_table *table, size_t index)
{
	return table->checks[index];
}
