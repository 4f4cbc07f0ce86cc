/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/*
 * The model to be: everything that needs memory is made here, without a change to the old model; then the change itself
 * cannot fail. Servers and services that stay are listed beside their new settings, new ones are made.
 */
struct plan {
	struct service **services;  /* by index in the settings: one that stays, or a new one */
	struct server ***servers;   /* each service's servers, in the same way */
	size_t service_count;
	struct vip *vips;
	size_t vip_count;
	uint16_t next_vip_number;
	struct server **slots;
	uint16_t *generations;
	size_t slot_count;
};

struct model *
model_new(void)
{
	return calloc(1, sizeof(struct model));
}

static void
server_free(struct server *server)
{
	if (server == NULL)
		return;
	free(server->run);
	free(server->checks);
	free(server->planned);
	free(server);
}

/* Not its servers. */
static void
service_free(struct service *service)
{
	if (service == NULL)
		return;
	free(service->settings.listens);
	free(service->settings.checks);
	free(service->settings.notifies);
	free(service->servers);
	free(service->run);
	free(service);
}

void
model_free(struct model *model)
{
	if (model == NULL)
		return;
	for (size_t i = 0; i < model->slot_count; i++)
		server_free(model->slots[i]);
	for (size_t i = 0; i < model->service_count; i++)
		service_free(model->services[i]);
	free(model->services);
	free(model->vips);
	free(model->routes);
	free(model->slots);
	free(model->generations);
	free(model);
}

static struct server *
server_new(struct service *service)
{
	struct server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return NULL;
	server->run = calloc(1, sizeof(*server->run));
	if (server->run == NULL) {
		server_free(server);
		return NULL;
	}
	server->service = service;
	server->iface = IFACE_NONE;
	return server;
}

static struct service *
service_new(void)
{
	struct service *service = calloc(1, sizeof(*service));

	if (service == NULL)
		return NULL;
	service->run = calloc(1, sizeof(*service->run));
	if (service->run == NULL) {
		service_free(service);
		return NULL;
	}
	service->iface = IFACE_NONE;
	return service;
}

/*
 * Both searches start behind the last match, so that a file whose order did not change is matched in one pass. An entry
 * is matched only once.
 */
static struct service *
model_find_service(const struct model *model, const char *name, size_t *hint)
{
	for (size_t i = 0; i < model->service_count; i++) {
		struct service *service = model->services[(*hint + i) % model->service_count];

		if (!service->stays && strcmp(service->settings.name, name) == 0) {
			*hint += i + 1;
			service->stays = true;
			return service;
		}
	}
	return NULL;
}

static struct server *
model_find_server(const struct service *service, const struct server_settings *settings, size_t *hint)
{
	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[(*hint + i) % service->server_count];

		if (!server->stays && strcmp(server->settings.name, settings->name) == 0 &&
		    addr_equal(&server->settings.addr, &settings->addr) && strcmp(server->settings.iface,
		    settings->iface) == 0) {
			*hint += i + 1;
			server->stays = true;
			return server;
		}
	}
	return NULL;
}

/* A new service has no servers yet, so the same loop creates all of them. */
static int
plan_servers(struct plan *plan, struct service *service, const struct service_settings *settings, size_t at)
{
	size_t hint = 0;
	struct server **servers = calloc(settings->server_count + 1, sizeof(struct server *));

	plan->servers[at] = servers;
	if (servers == NULL)
		return -1;
	for (size_t i = 0; i < settings->server_count; i++) {
		servers[i] = model_find_server(service, &settings->servers[i], &hint);
		if (servers[i] == NULL)
			servers[i] = server_new(service);
		if (servers[i] == NULL)
			return -1;
		servers[i]->planned = calloc(settings->check_count + 1, sizeof(struct server_check));
		if (servers[i]->planned == NULL)
			return -1;
	}
	return 0;
}

static int
plan_services(struct plan *plan, const struct model *model, const struct settings *settings)
{
	size_t hint = 0;

	plan->services = calloc(settings->service_count + 1, sizeof(struct service *));
	plan->servers = calloc(settings->service_count + 1, sizeof(struct server **));
	if (plan->services == NULL || plan->servers == NULL)
		return -1;
	plan->service_count = settings->service_count;
	for (size_t i = 0; i < settings->service_count; i++) {
		plan->services[i] = model_find_service(model, settings->services[i].name, &hint);
		if (plan->services[i] == NULL)
			plan->services[i] = service_new();
		if (plan->services[i] == NULL ||
		    plan_servers(plan, plan->services[i], &settings->services[i], i) == -1)
			return -1;
	}
	return 0;
}

/* VIPs by address. Open addressing; at most half of the places are taken, by numbers from 1 on. */
struct vip_index {
	uint32_t *places;
	uint32_t mask;
};

static int
vip_index_init(struct vip_index *index, size_t count)
{
	uint32_t size = 2;

	while (size < 2 * count)
		size *= 2;
	index->places = calloc(size, sizeof(*index->places));
	index->mask = size - 1;
	return index->places == NULL ? -1 : 0;
}

/* The place of `addr`, or the free one where it belongs. Only the operator chooses what is hashed. */
static uint32_t *
vip_index_at(const struct vip_index *index, const struct vip *vips, const struct addr *addr)
{
	uint64_t words[2];
	uint32_t at;

	memcpy(words, addr->bytes, sizeof(words));
	/* Knuth, TAOCP 6.4: the high bits depend on all others. */
	at = (uint32_t)((words[0] ^ (words[1] << 32 | words[1] >> 32)) *
	    UINT64_C(0x9e3779b97f4a7c15) >> 32) & index->mask;
	while (index->places[at] != 0 && !addr_equal(&vips[index->places[at] - 1].addr, addr))
		at = (at + 1) & index->mask;
	return &index->places[at];
}

/* What is needed while VIPs are planned, and no longer. */
struct vip_plan {
	struct vip_index before; /* the model's */
	struct vip_index planned;
	bool *taken;             /* numbers of the model's */
};

#define VIP_NUMBERS ((size_t)UINT16_MAX + 1)

static int
vip_plan_init(struct vip_plan *work, const struct model *model, size_t most)
{
	work->taken = calloc(VIP_NUMBERS, sizeof(*work->taken));
	if (work->taken == NULL || vip_index_init(&work->before, model->vip_count) == -1 ||
	    vip_index_init(&work->planned, most) == -1)
		return -1;
	for (size_t i = 0; i < model->vip_count; i++) {
		*vip_index_at(&work->before, model->vips, &model->vips[i].addr) = (uint32_t)i + 1;
		work->taken[model->vips[i].number] = true;
	}
	return 0;
}

/*
 * Numbers are assigned in turn, so that a number of a removed VIP is not reused until 65536 VIPs later; flows that have
 * it have expired by then. VIPs that stay are in the model, those of this plan are younger than one turn.
 */
static uint16_t
unused_vip_number(struct plan *plan, const struct vip_plan *work)
{
	while (work->taken[plan->next_vip_number])
		plan->next_vip_number++;
	return plan->next_vip_number++;
}

/* -1: too many. */
static int
plan_vip(struct plan *plan, struct vip_plan *work, const struct model *model, const struct listen_settings *listen,
    const struct service_settings *service)
{
	const struct addr *addr = &listen->vip;
	uint32_t *place = vip_index_at(&work->planned, plan->vips, addr), before;

	if (*place != 0) {
		if (listen->dscp != 0)
			plan->vips[*place - 1].dscp = listen->dscp;
		return 0;
	}
	if (plan->vip_count == VIPS_MOST)
		return -1;
	before = *vip_index_at(&work->before, model->vips, addr);
	plan->vips[plan->vip_count] = before != 0 ? model->vips[before - 1] :
	    (struct vip) { .addr = *addr, .number = unused_vip_number(plan, work), .iface = IFACE_NONE };
	plan->vips[plan->vip_count].group = service->group;
	plan->vips[plan->vip_count].routed = service->routed;
	plan->vips[plan->vip_count].dscp = listen->dscp;
	*place = (uint32_t)++plan->vip_count;
	return 0;
}

/* A range of ports, and each port of a list, is a listen of its own: far more than VIPs. */
static int
plan_all_vips(struct plan *plan, struct vip_plan *work, const struct model *model, const struct settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++)
		for (size_t j = 0; j < settings->services[i].listen_count; j++)
			if (plan_vip(plan, work, model, &settings->services[i].listens[j],
			    &settings->services[i]) == -1)
				return -1;
	return 0;
}

static int
plan_vips(struct plan *plan, const struct model *model, const struct settings *settings)
{
	struct vip_plan work = { .taken = NULL };
	size_t most = 0;
	int result = -1;

	for (size_t i = 0; i < settings->service_count; i++)
		most += settings->services[i].listen_count;
	if (most > VIPS_MOST)
		most = VIPS_MOST;
	plan->vips = calloc(most + 1, sizeof(*plan->vips));
	plan->next_vip_number = model->next_vip_number;
	if (plan->vips != NULL && vip_plan_init(&work, model, most) == 0)
		result = plan_all_vips(plan, &work, model, settings);
	free(work.before.places);
	free(work.planned.places);
	free(work.taken);
	return result;
}

/*
 * Servers that stay keep their slots. The slot of a removed server may be reused immediately: the new generation marks
 * flows of the old owner as orphans. The generation wraps after 65535 owners; a flow that outlived them all would go to
 * the current server, which answers with a reset.
 */
static int
plan_slots(struct plan *plan, const struct model *model, const struct settings *settings)
{
	size_t count = 0, free_slot = 0;

	for (size_t i = 0; i < settings->service_count; i++)
		count += settings->services[i].server_count;
	if (count > SERVERS_MOST)
		return -1;
	plan->slot_count = count > model->slot_count ? count : model->slot_count;
	plan->slots = calloc(plan->slot_count + 1, sizeof(struct server *));
	plan->generations = calloc(plan->slot_count + 1, sizeof(uint16_t));
	if (plan->slots == NULL || plan->generations == NULL)
		return -1;
	for (size_t slot = 0; slot < model->slot_count; slot++) {
		plan->generations[slot] = model->generations[slot];
		if (model->slots[slot] != NULL && model->slots[slot]->stays)
			plan->slots[slot] = model->slots[slot];
	}
	for (size_t i = 0; i < settings->service_count; i++) {
		for (size_t j = 0; j < settings->services[i].server_count; j++) {
			struct server *server = plan->servers[i][j];

			if (server->stays)
				continue;
			while (plan->slots[free_slot] != NULL)
				free_slot++;
			if (++plan->generations[free_slot] == 0)
				plan->generations[free_slot] = 1;
			server->ref = (struct server_ref) { (uint16_t)free_slot, plan->generations[free_slot] };
			plan->slots[free_slot] = server;
		}
	}
	return 0;
}

/* Frees what the plan made and the model did not take. */
static void
plan_drop(struct plan *plan, const struct settings *settings)
{
	for (size_t i = 0; i < plan->service_count; i++) {
		for (size_t j = 0; plan->servers[i] != NULL && j < settings->services[i].server_count; j++)
			if (plan->servers[i][j] != NULL && !plan->servers[i][j]->stays)
				server_free(plan->servers[i][j]);
		free(plan->servers[i]);
		if (plan->services[i] != NULL && !plan->services[i]->stays)
			service_free(plan->services[i]);
	}
	free(plan->services);
	free(plan->servers);
	free(plan->vips);
	free(plan->slots);
	free(plan->generations);
}

/* The check of `old` that equals `check` of `service`; `old->check_count` when there is none. */
static size_t
find_check(const struct service_settings *old, const struct service_settings *service,
    const struct check_settings *check)
{
	size_t i = 0;

	while (i < old->check_count && (check_compare(&old->checks[i], check) != 0 ||
	    strcmp(old->checks[i].servers, check->servers) != 0 ||
	    service_check_port(old, &old->checks[i]) != service_check_port(service, check)))
		i++;
	return i;
}

/* The server's service still has its old settings. */
static void
update_checks(struct server *server, const struct service_settings *settings, uint64_t now)
{
	const struct service_settings *old = &server->service->settings;
	bool changed = settings->check_count != server->check_count;

	for (size_t i = 0; i < settings->check_count; i++) {
		const size_t before = find_check(old, settings, &settings->checks[i]);
		const bool unused = !check_is_for(settings, &settings->checks[i], server->settings.name);
		const bool one_port = !unused && check_is_of_port(settings, &settings->checks[i]);

		if (before < server->check_count && !server->checks[before].unused) {
			server->planned[i] = server->checks[before];
		} else {
			changed = true;
			server->planned[i] = (struct server_check) { .percent = 100, .health = {
				.state = server->health.state, .reason = server->health.reason, .since = now } };
		}
		changed |= server->planned[i].one_port != one_port || server->planned[i].unused != unused;
		if (unused)
			server->planned[i] = (struct server_check) { .percent = 100,
			    .health = { .state = HEALTH_UP, .since = now } };
		server->planned[i].unused = unused;
		server->planned[i].one_port = one_port;
	}
	free(server->checks);
	server->checks = server->planned;
	server->check_count = settings->check_count;
	server->planned = NULL;
	if (changed && server->check_count > 0)
		(void)health_combine(&server->health, server->checks, server->check_count, now);
}

static void
update_server(struct server *server, const struct server_settings *settings, const struct service_settings *service,
    uint64_t now)
{
	/* A MAC that was found by ARP stays; one that the settings no longer name does not. */
	if (!mac_is_zero(&settings->mac) || !mac_is_zero(&server->settings.mac))
		server->mac = settings->mac;
	if ((settings->method == ENCAP_LOCAL) != (server->settings.method == ENCAP_LOCAL))
		server->mac = settings->mac;
	if (server->stays)
		admin_reload(server, settings->weight);
	server->settings = *settings;
	if (!server->stays)
		server->since = server->health.since = now;
	update_checks(server, service, now);
	if (service->check_count == 0)
		(void)health_trust(&server->health, now);
}

/* Takes the contents of `settings` and the list `servers`. */
static void
update_service(struct service *service, struct service_settings *settings, struct server **servers, uint64_t now)
{
	for (size_t i = 0; i < settings->server_count; i++)
		update_server(servers[i], &settings->servers[i], settings, now);
	free(service->servers);
	service->servers = servers;
	service->server_count = settings->server_count;

	free(service->settings.listens);
	free(service->settings.checks);
	free(service->settings.notifies);
	free(settings->servers);
	service->settings = *settings;
	service->settings.servers = NULL;
	service->settings.server_count = 0;
	for (size_t i = 0; i < service->server_count; i++)
		server_update_ports(service->servers[i]);
}

static void
forget_the_rest(struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++) {
		struct server *server = model->slots[i];

		if (server == NULL || server->stays)
			continue;
		server->service->past_connections += server->run->connections;
		server_free(server);
	}
	for (size_t i = 0; i < model->service_count; i++)
		if (!model->services[i]->stays)
			service_free(model->services[i]);
	free(model->services);
	free(model->vips);
	free(model->slots);
	free(model->generations);
}

static void
model_commit(struct model *model, struct plan *plan, struct settings *settings, uint64_t now)
{
	forget_the_rest(model);
	for (size_t i = 0; i < plan->service_count; i++) {
		/* As with VIPs, no persistence entry lives long enough for a number to be reused by another service. */
		while (plan->services[i]->run->number == 0)
			plan->services[i]->run->number = ++model->last_service_number;
		update_service(plan->services[i], &settings->services[i], plan->servers[i], now);
	}
	model->services = plan->services;
	model->service_count = plan->service_count;
	model->vips = plan->vips;
	model->vip_count = plan->vip_count;
	model->next_vip_number = plan->next_vip_number;
	model->slots = plan->slots;
	model->generations = plan->generations;
	model->slot_count = plan->slot_count;
	model->hash_key = settings->hash_key;
	memcpy(model->probe_addresses, settings->probe_addresses, sizeof(model->probe_addresses));
	model->roles = settings->roles;
	memcpy(model->announces, settings->announces, sizeof(model->announces));
	free(plan->servers);

	/* The services' own arrays have moved into the model. */
	free(settings->services);
	*settings = (struct settings) { 0 };
}

static void
clear_marks(struct model *model)
{
	for (size_t i = 0; i < model->service_count; i++)
		model->services[i]->stays = false;
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL) {
			model->slots[i]->stays = false;
			free(model->slots[i]->planned);
			model->slots[i]->planned = NULL;
		}
}

int
model_apply(struct model *model, struct settings *settings, uint64_t now)
{
	struct plan plan = { 0 };
	int result = -1;

	if (plan_services(&plan, model, settings) == 0 && plan_vips(&plan, model, settings) == 0 &&
	    plan_slots(&plan, model, settings) == 0) {
		model_commit(model, &plan, settings, now);
		result = 0;
	} else {
		plan_drop(&plan, settings);
	}
	clear_marks(model);
	return result;
}

size_t
model_server_count(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->service_count; i++)
		count += model->services[i]->server_count;
	return count;
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): spreads load, keeps no secret. */
uint64_t
service_random(struct service_run *run, uint64_t below)
{
	uint64_t z = run->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

struct server *
model_server(const struct model *model, struct server_ref ref)
{
	if (ref.slot >= model->slot_count || model->generations[ref.slot] != ref.generation)
		return NULL;
	return model->slots[ref.slot];
}
