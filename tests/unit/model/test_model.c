/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/model.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "model/status.h"
#include "proto/packet.h"
#include "sched/scheduler.h"
#include "suites.h"

static struct addr
ip(const char *text)
{
	struct addr addr;

	ck_assert_msg(addr_parse(text, &addr) == 0, "%s", text);
	return addr;
}

static void
copy_name(char *to, size_t size, const char *from)
{
	ck_assert_uint_lt(strlen(from), size);
	memcpy(to, from, strlen(from) + 1);
}

/* One more service, with one listen on TCP port 80 of `vip`. */
static struct service_settings *
add_service(struct settings *settings, const char *name, const char *vip)
{
	struct service_settings *service;

	settings->services = realloc(settings->services, (settings->service_count + 1) * sizeof(*settings->services));
	ck_assert_ptr_nonnull(settings->services);
	service = &settings->services[settings->service_count++];
	memset(service, 0, sizeof(*service));
	copy_name(service->name, sizeof(service->name), name);
	copy_name(service->iface, sizeof(service->iface), "eth0");
	service->scheduler = &pick_rr;
	service->checks = calloc(1, sizeof(*service->checks));
	ck_assert_ptr_nonnull(service->checks);
	service->check_count = 1;
	service->interval = SECONDS(2);
	service->timeout = SECONDS(1);
	service->rise = 2;
	service->fall = 3;
	service->listens = calloc(1, sizeof(*service->listens));
	ck_assert_ptr_nonnull(service->listens);
	service->listens[0] = (struct listen_settings) { ip(vip), PROTOCOL_TCP, 80, 80, 0 };
	service->listen_count = 1;
	return service;
}

static struct server_settings *
add_server(struct service_settings *service, const char *name, const char *addr)
{
	struct server_settings *server;

	service->servers = realloc(service->servers, (service->server_count + 1) * sizeof(*service->servers));
	ck_assert_ptr_nonnull(service->servers);
	server = &service->servers[service->server_count++];
	memset(server, 0, sizeof(*server));
	copy_name(server->name, sizeof(server->name), name);
	server->addr = ip(addr);
	server->weight = 1;
	return server;
}

static void
apply(struct model *model, struct settings *settings, uint64_t now)
{
	ck_assert_int_eq(model_apply(model, settings, now), 0);
	/* The contents were taken. */
	ck_assert_ptr_null(settings->services);
	ck_assert_uint_eq(settings->service_count, 0);
}

/* web at 192.0.2.10 with web1 and web2 (and web3 if `three`). */
static struct settings
web(bool three)
{
	struct settings settings = { .connections = 100 };
	struct service_settings *service = add_service(&settings, "web", "192.0.2.10");

	add_server(service, "web1", "192.0.2.11");
	add_server(service, "web2", "192.0.2.12");
	if (three)
		add_server(service, "web3", "192.0.2.13");
	return settings;
}

static struct model *
web_model(bool three)
{
	struct model *model = model_new();
	struct settings settings = web(three);

	ck_assert_ptr_nonnull(model);
	apply(model, &settings, SECONDS(1));
	return model;
}

START_TEST(test_apply_makes_what_the_settings_say)
{
	struct model *model = web_model(true);
	const struct service *service = model->services[0];
	char name[SERVER_NAME_TEXT];

	ck_assert_uint_eq(model->service_count, 1);
	ck_assert_str_eq(service->settings.name, "web");
	ck_assert_ptr_null(service->settings.servers);
	ck_assert_uint_eq(service->settings.server_count, 0);
	ck_assert_ptr_nonnull(service->run);
	ck_assert_uint_eq(service->server_count, 3);
	ck_assert_uint_eq(model->vip_count, 1);
	for (size_t i = 0; i < 3; i++) {
		const struct server *server = service->servers[i];

		ck_assert_ptr_eq(server->service, service);
		ck_assert_ptr_eq(model_server(model, server->ref), server);
		ck_assert_uint_ne(server->ref.generation, 0);
		ck_assert_int_eq(server->health.state, HEALTH_UNKNOWN);
		ck_assert_uint_eq(server->health.since, SECONDS(1));
		ck_assert_uint_eq(server->iface, IFACE_NONE);
		ck_assert_ptr_nonnull(server->run);
	}
	ck_assert_str_eq(server_name(service->servers[2], name), "web/web3");
	ck_assert_ptr_null(model_server(model, (struct server_ref) { 0, 0 }));
	ck_assert_ptr_null(model_server(model, (struct server_ref) { 3, 1 }));
	model_free(model);
}
END_TEST

START_TEST(test_what_stayed_survives)
{
	struct model *model = web_model(true);
	struct server *web2 = model->services[0]->servers[1];
	struct service *service = model->services[0];
	const struct server_ref ref = web2->ref;
	struct server_run *run = web2->run;
	struct service_run *service_run = service->run;
	struct settings settings = web(true);

	(void)health_report(&web2->health, HEALTH_REASON_NONE, 2, 3, SECONDS(2));
	(void)health_report(&web2->health, HEALTH_REASON_TIMEOUT, 2, 3, SECONDS(3));
	web2->admin.admin = ADMIN_DISABLED;
	web2->mac = (struct mac) { { 2, 0, 0, 0, 0, 2 } };
	web2->iface = 3;
	run->connections = 42;
	service_run->rr_next = 1;

	settings.services[0].servers[1].weight = 7;
	settings.services[0].rise = 9;
	apply(model, &settings, SECONDS(9));
	ck_assert_ptr_eq(model->services[0], service);
	ck_assert_ptr_eq(service->run, service_run);
	ck_assert_uint_eq(service_run->rr_next, 1);
	ck_assert_uint_eq(service->settings.rise, 9);
	ck_assert_ptr_eq(service->servers[1], web2);
	ck_assert_ptr_eq(model_server(model, ref), web2);
	ck_assert_ptr_eq(web2->run, run);
	ck_assert_uint_eq(run->connections, 42);
	ck_assert_uint_eq(web2->settings.weight, 7);
	ck_assert_int_eq(web2->admin.admin, ADMIN_DISABLED);
	ck_assert_int_eq(web2->health.state, HEALTH_UP);
	ck_assert_uint_eq(web2->health.streak, 1);
	ck_assert_uint_eq(web2->health.since, SECONDS(2));
	ck_assert_uint_eq(web2->mac.bytes[5], 2);
	ck_assert_uint_eq(web2->iface, 3);
	model_free(model);
}
END_TEST

START_TEST(test_order_of_the_file_does_not_matter)
{
	struct model *model = web_model(true);
	struct server *web1 = model->services[0]->servers[0], *web3 = model->services[0]->servers[2];
	struct settings settings = { 0 };
	struct service_settings *service;

	service = add_service(&settings, "mail", "192.0.2.20");
	add_server(service, "web1", "192.0.2.11");
	service = add_service(&settings, "web", "192.0.2.10");
	add_server(service, "web3", "192.0.2.13");
	add_server(service, "new", "192.0.2.14");
	add_server(service, "web1", "192.0.2.11");
	apply(model, &settings, SECONDS(2));
	ck_assert_uint_eq(model->service_count, 2);
	ck_assert_str_eq(model->services[0]->settings.name, "mail");
	ck_assert_ptr_eq(model->services[1]->servers[0], web3);
	ck_assert_ptr_eq(model->services[1]->servers[2], web1);
	/* The same machine in another service is another server. */
	ck_assert_ptr_ne(model->services[0]->servers[0], web1);
	ck_assert_uint_eq(model->services[0]->servers[0]->health.since, SECONDS(2));
	model_free(model);
}
END_TEST

START_TEST(test_server_with_new_address_or_interface_is_another)
{
	struct model *model = web_model(false);
	const struct server_ref old1 = model->services[0]->servers[0]->ref, old2 = model->services[0]->servers[1]->ref;
	struct settings settings = web(false);

	model->services[0]->servers[0]->health.state = HEALTH_UP;
	settings.services[0].servers[0].addr = ip("192.0.2.111");
	copy_name(settings.services[0].servers[1].iface, IFACE_NAME, "eth9");
	apply(model, &settings, SECONDS(2));
	ck_assert_ptr_null(model_server(model, old1));
	ck_assert_ptr_null(model_server(model, old2));
	ck_assert_int_eq(model->services[0]->servers[0]->health.state, HEALTH_UNKNOWN);
	/* Their slots are used again, by another generation. */
	ck_assert_uint_eq(model->slot_count, 2);
	ck_assert_ptr_nonnull(model_server(model, model->services[0]->servers[0]->ref));
	ck_assert_ptr_nonnull(model_server(model, model->services[0]->servers[1]->ref));
	model_free(model);
}
END_TEST

START_TEST(test_removed_server_is_gone)
{
	struct model *model = web_model(true);
	const struct server_ref ref = model->services[0]->servers[2]->ref;
	struct settings settings = web(false), nothing = { 0 };

	apply(model, &settings, SECONDS(2));
	ck_assert_ptr_null(model_server(model, ref));
	ck_assert_uint_eq(model->services[0]->server_count, 2);
	settings = web(true);
	apply(model, &settings, SECONDS(3));
	ck_assert_ptr_null(model_server(model, ref));
	ck_assert_uint_eq(model->services[0]->servers[2]->ref.slot, ref.slot);

	apply(model, &nothing, SECONDS(4));
	ck_assert_uint_eq(model->service_count, 0);
	ck_assert_uint_eq(model->vip_count, 0);
	model_free(model);
}
END_TEST

/* A zero reference is nobody's, also after 65536 owners of a slot. */
START_TEST(test_generation_wraps_past_zero)
{
	struct model *model = web_model(false);
	struct settings settings = web(false);

	model->generations[0] = UINT16_MAX;
	settings.services[0].servers[0].addr = ip("192.0.2.111");
	apply(model, &settings, SECONDS(2));
	ck_assert_uint_eq(model->services[0]->servers[0]->ref.generation, 1);
	ck_assert_ptr_null(model_server(model, (struct server_ref) { 0, 0 }));
	model_free(model);
}
END_TEST

/* Each port of a list is a listen of its own, and three VIPs are three. */
START_TEST(test_many_ports)
{
	struct model *model = web_model(true);
	struct settings settings = web(true);
	const uint16_t number = model->vips[0].number;

	for (unsigned i = 0; i < 3; i++) {
		char name[8], vip[24];
		struct service_settings *service;

		(void)snprintf(name, sizeof(name), "s%u", i);
		(void)snprintf(vip, sizeof(vip), "192.0.2.%u", 200 + i);
		service = add_service(&settings, name, vip);
		service->listens = realloc(service->listens, 22000 * sizeof(*service->listens));
		ck_assert_ptr_nonnull(service->listens);
		for (uint16_t port = 0; port < 22000; port++)
			service->listens[port] = (struct listen_settings) { ip(vip), PROTOCOL_TCP, port, port, 0 };
		service->listen_count = 22000;
	}
	apply(model, &settings, SECONDS(2));
	ck_assert_uint_eq(model->vip_count, 4);
	ck_assert_uint_eq(model->vips[0].number, number);
	model_free(model);
}
END_TEST

/* As many VIPs as there may be give way to as many others, and no two numbers are alike. */
START_TEST(test_most_vips)
{
	static bool seen[65536];
	struct model *model = model_new();

	for (unsigned round = 0; round < 3; round++) {
		struct settings settings = { 0 };
		struct service_settings *service = add_service(&settings, "web", "192.0.2.10");

		service->listens = realloc(service->listens, (VIPS_MOST + 1) * sizeof(*service->listens));
		ck_assert_ptr_nonnull(service->listens);
		for (unsigned i = 0; i <= VIPS_MOST; i++) {
			struct addr vip = ip("10.0.0.0");

			vip.bytes[1] = (uint8_t)round;
			vip.bytes[2] = (uint8_t)(i >> 8);
			vip.bytes[3] = (uint8_t)i;
			service->listens[i] = (struct listen_settings) { vip, PROTOCOL_TCP, 80, 80, 0 };
		}
		service->listen_count = VIPS_MOST + 1;
		ck_assert_int_eq(model_apply(model, &settings, SECONDS(round)), -1);
		service->listen_count = VIPS_MOST;
		apply(model, &settings, SECONDS(round));
		ck_assert_uint_eq(model->vip_count, VIPS_MOST);
		memset(seen, 0, sizeof(seen));
		for (size_t i = 0; i < model->vip_count; i++) {
			must(!seen[model->vips[i].number], "number %u twice", model->vips[i].number);
			seen[model->vips[i].number] = true;
		}
	}
	model_free(model);
}
END_TEST

/* The last step of the preparation fails here: nothing of it may show, and nothing may leak. */
START_TEST(test_failure_changes_nothing)
{
	struct model *model = web_model(true);
	struct server *web1 = model->services[0]->servers[0];
	const struct server_ref ref = web1->ref;
	struct settings settings = web(false);
	struct service_settings *huge = add_service(&settings, "huge", "192.0.2.99");

	add_server(huge, "a", "192.0.2.200");
	huge->servers = realloc(huge->servers, (SERVERS_MOST + 1) * sizeof(*huge->servers));
	ck_assert_ptr_nonnull(huge->servers);
	for (huge->server_count = 1; huge->server_count < SERVERS_MOST; huge->server_count++)
		huge->servers[huge->server_count] = huge->servers[0];
	ck_assert_int_eq(model_apply(model, &settings, SECONDS(2)), -1);
	ck_assert_uint_eq(settings.service_count, 2);
	ck_assert_uint_eq(settings.services[1].server_count, SERVERS_MOST);
	ck_assert_uint_eq(model->service_count, 1);
	ck_assert_uint_eq(model->services[0]->server_count, 3);
	ck_assert_uint_eq(model->vip_count, 1);
	ck_assert_uint_eq(model->slot_count, 3);
	ck_assert_ptr_eq(model_server(model, ref), web1);
	settings_clear(&settings);

	/* And the next reload works as if nothing had been. */
	settings = web(true);
	apply(model, &settings, SECONDS(3));
	ck_assert_ptr_eq(model->services[0]->servers[0], web1);
	model_free(model);
}
END_TEST

START_TEST(test_vips_keep_their_numbers)
{
	struct model *model = web_model(false);
	const uint16_t number = model->vips[0].number;
	struct settings settings = { 0 };
	uint16_t other;

	(void)add_service(&settings, "dns", "192.0.2.53");
	(void)add_service(&settings, "web", "192.0.2.10");
	(void)add_service(&settings, "websockets", "192.0.2.10");
	apply(model, &settings, SECONDS(2));
	/* Two services on one VIP: it stands there once. */
	ck_assert_uint_eq(model->vip_count, 2);
	other = model->vips[0].number;
	ck_assert_uint_ne(other, number);
	ck_assert_uint_eq(model->vips[1].number, number);

	/* A number is not given to the next VIP while flows of the last one may be in the table. */
	(void)add_service(&settings, "ftp", "192.0.2.21");
	apply(model, &settings, SECONDS(3));
	ck_assert_uint_eq(model->vip_count, 1);
	ck_assert_uint_ne(model->vips[0].number, number);
	ck_assert_uint_ne(model->vips[0].number, other);

	/* Numbers wrap, past those in use. */
	model->next_vip_number = model->vips[0].number;
	other = model->vips[0].number;
	(void)add_service(&settings, "more", "192.0.2.22");
	(void)add_service(&settings, "ftp", "192.0.2.21");
	apply(model, &settings, SECONDS(4));
	ck_assert_uint_ne(model->vips[0].number, other);
	ck_assert_uint_eq(model->vips[1].number, other);
	model_free(model);
}
END_TEST

START_TEST(test_unchecked_servers_are_up)
{
	struct model *model = model_new();
	struct settings settings = web(false);
	struct server *server;

	settings.services[0].check_count = 0;
	apply(model, &settings, SECONDS(1));
	server = model->services[0]->servers[0];
	ck_assert_int_eq(server->health.state, HEALTH_UP);

	/* From then on checked: UP until the check says otherwise, `fall` times. */
	settings = web(false);
	apply(model, &settings, SECONDS(2));
	ck_assert_int_eq(server->health.state, HEALTH_UP);
	server->health.state = HEALTH_DOWN;

	settings = web(false);
	settings.services[0].check_count = 0;
	apply(model, &settings, SECONDS(3));
	ck_assert_int_eq(server->health.state, HEALTH_UP);
	ck_assert_uint_eq(server->health.since, SECONDS(3));
	model_free(model);
}
END_TEST

/* A state is as old as it has been seen by users, whoever ended the one before: check, VIP probe, watch, operator. */
START_TEST(test_state_has_an_age)
{
	struct model *model = web_model(false);
	struct server *server = model->services[0]->servers[0];
	enum server_state before;
	struct vip_fault fault = { .scope = FAULT_VIP, .name = "ignored", .sentence = "the VIP is not accepted" };

	ck_assert_uint_eq(server->since, SECONDS(1));
	server->health.state = HEALTH_UP;
	ck_assert(server_note_state(server, SECONDS(2), &before));
	ck_assert_int_eq(before, SERVER_UNKNOWN);
	ck_assert_uint_eq(server->since, SECONDS(2));
	ck_assert(!server_note_state(server, SECONDS(3), &before));
	ck_assert_uint_eq(server->since, SECONDS(2));

	fault.vip = server->service->settings.listens[0].vip;
	server->vip_faults = &fault;
	server_update_ports(server);
	(void)server_note_state(server, SECONDS(4), &before);
	ck_assert_uint_eq(server->since, SECONDS(4));
	server->health.state = HEALTH_DOWN; /* a reason more, the same state */
	ck_assert(!server_note_state(server, SECONDS(5), &before));
	ck_assert_uint_eq(server->since, SECONDS(4));
	server->health.state = HEALTH_UP;
	server->vip_faults = NULL;
	server_update_ports(server);
	(void)server_note_state(server, SECONDS(6), &before);
	ck_assert_uint_eq(server->since, SECONDS(6));

	server->conflicts = true;
	(void)server_note_state(server, SECONDS(7), &before);
	ck_assert_uint_eq(server->since, SECONDS(7));
	server->admin.admin = ADMIN_DISABLED;
	(void)server_note_state(server, SECONDS(8), &before);
	ck_assert_uint_eq(server->since, SECONDS(8));
	model_free(model);
}
END_TEST

START_TEST(test_new_check_begins_a_new_streak)
{
	struct model *model = web_model(false);
	struct server *server = model->services[0]->servers[0];
	struct settings settings = web(false);

	ck_assert(server_report(server, 0, HEALTH_REASON_NONE, NULL, SECONDS(1)));
	server->checks[0].health.streak = 2;
	settings.services[0].interval = SECONDS(7);
	/* The same port, now named. */
	settings.services[0].checks[0].port = 80;
	apply(model, &settings, SECONDS(2));
	ck_assert_uint_eq(server->checks[0].health.streak, 2);

	settings = web(false);
	settings.services[0].checks[0].port = 8080;
	apply(model, &settings, SECONDS(3));
	ck_assert_int_eq(server->health.state, HEALTH_UP);
	ck_assert_int_eq(server->checks[0].health.state, HEALTH_UP);
	ck_assert_uint_eq(server->checks[0].health.streak, 0);
	model_free(model);
}
END_TEST

START_TEST(test_mac_of_the_settings)
{
	static const struct mac fixed = { { 2, 0, 0, 0, 0, 7 } }, found = { { 2, 0, 0, 0, 0, 8 } };
	struct model *model = model_new();
	struct settings settings = web(false);
	struct server *server;

	settings.services[0].servers[0].mac = fixed;
	apply(model, &settings, SECONDS(1));
	server = model->services[0]->servers[0];
	ck_assert(mac_equal(&server->mac, &fixed));
	/* No longer named: unknown until somebody asks. */
	settings = web(false);
	apply(model, &settings, SECONDS(2));
	ck_assert(mac_is_zero(&server->mac));
	server->mac = found;
	settings = web(false);
	apply(model, &settings, SECONDS(3));
	ck_assert(mac_equal(&server->mac, &found));
	settings = web(false);
	settings.services[0].servers[0].mac = fixed;
	apply(model, &settings, SECONDS(4));
	ck_assert(mac_equal(&server->mac, &fixed));
	model_free(model);
}
END_TEST

static struct iface
leg(const char *name, const char *addr, uint8_t length)
{
	struct iface iface = { .address_count = 1 };

	copy_name(iface.name, sizeof(iface.name), name);
	iface.addresses[0] = (struct prefix) { ip(addr), length };
	return iface;
}

START_TEST(test_place)
{
	const struct iface ifaces[] = { leg("lo", "127.0.0.1", 8), leg("eth0", "192.0.2.1", 24),
		leg("eth1", "10.0.0.1", 8), leg("eth2", "10.1.0.1", 16), leg("eth3", "192.0.2.2", 24) };
	struct model *model = model_new();
	struct settings settings = { 0 };
	struct service_settings *service = add_service(&settings, "web", "192.0.2.10");
	struct server **servers;

	copy_name(service->iface, IFACE_NAME, "eth3");
	add_server(service, "near", "192.0.2.11");
	add_server(service, "behind", "10.9.0.1");
	add_server(service, "nearer", "10.1.0.2");
	add_server(service, "nowhere", "203.0.113.1");
	copy_name(add_server(service, "named", "10.1.0.3")->iface, IFACE_NAME, "eth1");
	copy_name(add_server(service, "wrong", "10.1.0.4")->iface, IFACE_NAME, "eth7");
	service = add_service(&settings, "anywhere", "10.1.0.100");
	service->iface[0] = '\0';
	service = add_service(&settings, "lost", "198.51.100.1");
	copy_name(service->iface, IFACE_NAME, "eth8");
	apply(model, &settings, SECONDS(1));
	servers = model->services[0]->servers;

	model_place(model, ifaces, 5);
	ck_assert_uint_eq(model->services[0]->iface, 4);
	ck_assert_uint_eq(servers[0]->iface, 4); /* eth0 is on link too, but the service's own wins */
	ck_assert_uint_eq(servers[1]->iface, 2);
	ck_assert_uint_eq(servers[2]->iface, 3);
	ck_assert_uint_eq(servers[3]->iface, 4);
	ck_assert_uint_eq(servers[4]->iface, 2);
	ck_assert_uint_eq(servers[5]->iface, IFACE_NONE);
	ck_assert_uint_eq(model->vips[0].iface, 4);
	ck_assert_uint_eq(model->vips[1].iface, 3);
	ck_assert_uint_eq(model->vips[2].iface, IFACE_NONE);

	/* An interface went away. */
	model_place(model, ifaces, 4);
	ck_assert_uint_eq(model->services[0]->iface, IFACE_NONE);
	ck_assert_uint_eq(servers[0]->iface, 1);
	ck_assert_uint_eq(servers[3]->iface, IFACE_NONE);
	ck_assert_uint_eq(model->vips[0].iface, IFACE_NONE);
	model_free(model);
}
END_TEST

/* Interfaces 0 to 3 of test_who_lives_there: how many VIPs live there, and whether anything does. */
static const struct {
	size_t ipv4, ipv6;
	bool used;
} dwellers[] = { { 0, 0, false }, { 2, 1, true }, { 0, 1, true }, { 0, 0, true } };

/* A server that frames cannot be addressed to is down, with the reason, and not unknown for ever. */
static const struct {
	const char *addr, *name;
	enum server_state state;
	bool has_mac;
} places[] = {
	{ "192.0.2.11", "not-checked", SERVER_UNKNOWN, false },
	{ "192.0.2.1", "is-director", SERVER_DOWN, false },
	{ "10.0.0.1", "is-director", SERVER_DOWN, true },
	{ "172.28.10.11", "other-network", SERVER_DOWN, false },
	{ "172.28.10.11", "not-checked", SERVER_UNKNOWN, true }, /* it answers ARP all the same */
	{ "2001:db8::1", "not-checked", SERVER_UNKNOWN, false }, /* eth0 has no IPv6 address: nothing is known */
};

START_TEST(test_places)
{
	const struct iface ifaces[] = { leg("eth0", "192.0.2.1", 24), leg("eth1", "10.0.0.1", 8) };
	struct model *model = model_new();
	struct settings settings = { 0 };
	struct service_settings *service = add_service(&settings, "web", "192.0.2.10");
	struct server_status status;
	struct server *server;

	service->checks[0].kind = CHECK_TCP;
	copy_name(service->iface, IFACE_NAME, "eth0");
	add_server(service, "web1", places[_i].addr);
	apply(model, &settings, SECONDS(1));
	server = model->services[0]->servers[0];
	if (places[_i].has_mac)
		server->mac.bytes[5] = 1;
	model_place(model, ifaces, 2);
	server_status(server, &status);
	ck_assert_str_eq(status.name, places[_i].name);
	ck_assert_int_eq(status.state, places[_i].state);
	if (places[_i].state == SERVER_DOWN)
		ck_assert_ptr_nonnull(strstr(status.sentence, places[_i].addr));
	model_free(model);
}
END_TEST

/* The way to servers of other methods: a network of the director, a gateway, a route. */
static const struct {
	const char *addr, *gateway, *name, *hop;
	enum encap_method method;
	uint16_t iface;
} ways[] = {
	{ "192.0.2.11", NULL, "not-checked", "192.0.2.11", ENCAP_IPIP, 0 },
	{ "172.28.10.11", "192.0.2.254", "not-checked", "192.0.2.254", ENCAP_IPIP, 0 },
	{ "172.28.10.11", "10.0.0.254", "not-checked", "10.0.0.254", ENCAP_GRE, 1 },
	{ "203.0.113.5", NULL, "not-checked", "10.0.0.9", ENCAP_DSCP, 1 },
	{ "203.0.113.77", NULL, "not-checked", "10.0.0.8", ENCAP_DSCP, 1 }, /* the longer prefix */
	{ "198.18.0.1", NULL, "not-checked", "192.0.2.7", ENCAP_GUE, 0 },   /* the smaller metric */
	{ "172.28.10.11", NULL, "no-route", "172.28.10.11", ENCAP_IPIP, IFACE_NONE },
	{ "192.0.2.1", NULL, "not-checked", "192.0.2.1", ENCAP_LOCAL, 0 },
	{ "192.0.2.1", "192.0.2.254", "is-director", "192.0.2.254", ENCAP_IPIP, 0 },
	{ "2001:db8::5", "192.0.2.254", "no-source", "192.0.2.254", ENCAP_IPIP, 0 },
};

START_TEST(test_ways)
{
	const struct iface ifaces[] = { leg("eth0", "192.0.2.1", 24), leg("eth1", "10.0.0.1", 8) };
	const struct ip_route routes[] = {
		{ { ip("203.0.113.0"), 24 }, ip("10.0.0.9"), "eth1", 0 },
		{ { ip("203.0.113.64"), 26 }, ip("10.0.0.8"), "eth1", 9 },
		{ { ip("198.18.0.0"), 15 }, ip("192.0.2.6"), "eth0", 5 },
		{ { ip("198.18.0.0"), 15 }, ip("192.0.2.7"), "eth0", 2 },
		{ { ip("172.28.0.0"), 16 }, ip("1.2.3.4"), "eth9", 2 },
	};
	struct model *model = model_new();
	struct settings settings = { 0 };
	struct service_settings *service = add_service(&settings, "web", "192.0.2.10");
	struct server_status status;
	struct server_settings *server;
	struct addr hop;

	service->checks[0].kind = CHECK_TCP;
	copy_name(service->iface, IFACE_NAME, "eth0");
	add_server(service, "web1", ways[_i].addr);
	server = &settings.services[0].servers[0];
	server->method = ways[_i].method;
	if (ways[_i].gateway != NULL)
		server->gateway = ip(ways[_i].gateway);
	apply(model, &settings, SECONDS(1));
	ck_assert(model_needs_routes(model) == (ways[_i].gateway == NULL && ways[_i].method != ENCAP_LOCAL));
	ck_assert_int_eq(model_set_routes(model, routes, ARRAY_LEN(routes)), 0);
	model_place(model, ifaces, 2);
	server_status(model->services[0]->servers[0], &status);
	ck_assert_str_eq(status.name, ways[_i].name);
	ck_assert_uint_eq(model->services[0]->servers[0]->iface, ways[_i].iface);
	hop = ip(ways[_i].hop);
	ck_assert(addr_equal(&model->services[0]->servers[0]->hop, &hop));
	model_free(model);
}
END_TEST

/* What is in the way of a server that is the director itself takes it down, and says what to type. */
static const struct {
	enum server_local local;
	const char *name, *sentence;
} obstacles[] = {
	{ LOCAL_UNSUPPORTED, "local-unsupported", "Linux only" },
	{ LOCAL_NOT_OWN, "local-not-own", "192.0.2.1 is none of this host's addresses" },
	{ LOCAL_NO_VIP, "local-no-vip", "type `dsr-realserver apply --vip 192.0.2.10`" },
	{ LOCAL_VIP_EXPOSED, "local-vip-exposed", "remove it there: type `dsr-realserver apply --vip 192.0.2.10`" },
	{ LOCAL_ANSWERS_ARP, "local-answers-arp", "type `dsr-realserver apply --vip 192.0.2.10`" },
	{ LOCAL_REVERSE_PATH, "local-rp-filter", "sysctl -w net.ipv4.conf.all.rp_filter=2" },
	{ LOCAL_NOT_WITHHELD, "local-not-withheld", "192.0.2.10, since their frames are not withheld" },
};

START_TEST(test_local_obstacles)
{
	const struct iface ifaces[] = { leg("eth0", "192.0.2.1", 24) };
	struct model *model = model_new();
	struct settings settings = { 0 };
	struct service_settings *service = add_service(&settings, "web", "192.0.2.10");
	struct server_status status;
	struct server *server;

	copy_name(service->iface, IFACE_NAME, "eth0");
	add_server(service, "self", "192.0.2.1");
	settings.services[0].servers[0].method = ENCAP_LOCAL;
	apply(model, &settings, SECONDS(1));
	model_place(model, ifaces, 1);
	ck_assert(model_has_local(model));
	server = model->services[0]->servers[0];
	ck_assert(mac_equal(&server->mac, &ifaces[0].mac));
	server->local = obstacles[_i].local;
	server->local_vip = ip("192.0.2.10");
	server_status(server, &status);
	ck_assert_int_eq(status.state, SERVER_DOWN);
	ck_assert_str_eq(status.name, obstacles[_i].name);
	ck_assert_msg(strstr(status.sentence, obstacles[_i].sentence) != NULL, "%s", status.sentence);
	model_free(model);
}
END_TEST

START_TEST(test_who_lives_there)
{
	const struct iface ifaces[] = { leg("lo", "127.0.0.1", 8), leg("eth0", "192.0.2.1", 24),
		leg("eth1", "2001:db8::1", 64), leg("eth2", "10.0.0.1", 8) };
	struct model *model = model_new();
	struct settings settings = { 0 };

	add_service(&settings, "web", "192.0.2.10");
	add_server(&settings.services[0], "behind", "10.9.0.1");
	add_service(&settings, "mail", "192.0.2.20");
	add_service(&settings, "six", "2001:db8:1::10");
	copy_name(add_service(&settings, "other", "2001:db8::10")->iface, IFACE_NAME, "eth1");
	copy_name(add_service(&settings, "lost", "198.51.100.1")->iface, IFACE_NAME, "eth8");
	apply(model, &settings, SECONDS(1));
	model_place(model, ifaces, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(model_vips_at(model, i, ADDR_IPV4), dwellers[i].ipv4);
		ck_assert_uint_eq(model_vips_at(model, i, ADDR_IPV6), dwellers[i].ipv6);
		ck_assert_uint_eq(model_vips_at(model, i, ADDR_NONE), dwellers[i].ipv4 + dwellers[i].ipv6);
		ck_assert_int_eq(model_uses(model, i), dwellers[i].used);
	}
	model_free(model);
}
END_TEST

static const struct {
	enum admin_state admin;
	enum health_state health;
	uint32_t weight;
	enum server_state state;
	const char *name;
} states[] = {
	{ ADMIN_ENABLED, HEALTH_UNKNOWN, 1, SERVER_UNKNOWN, "unknown" },
	{ ADMIN_ENABLED, HEALTH_UP, 1, SERVER_UP, "up" },
	{ ADMIN_ENABLED, HEALTH_DOWN, 1, SERVER_DOWN, "down" },
	{ ADMIN_ENABLED, HEALTH_UP, 0, SERVER_DRAINING, "draining" },
	{ ADMIN_ENABLED, HEALTH_DOWN, 0, SERVER_DOWN, "down" },
	{ ADMIN_DISABLED, HEALTH_UP, 1, SERVER_DISABLED, "disabled" },
	{ ADMIN_DISABLED, HEALTH_DOWN, 0, SERVER_DISABLED, "disabled" },
};

START_TEST(test_server_state)
{
	const struct server server = { .admin = { .admin = states[_i].admin }, .health = { .state = states[_i].health },
		.settings = { .weight = states[_i].weight } };

	ck_assert_int_eq(server_state(&server), states[_i].state);
	ck_assert_str_eq(server_state_name(server_state(&server)), states[_i].name);
}
END_TEST

Suite *
model_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");

	tcase_add_test(tcase, test_apply_makes_what_the_settings_say);
	tcase_add_test(tcase, test_what_stayed_survives);
	tcase_add_test(tcase, test_order_of_the_file_does_not_matter);
	tcase_add_test(tcase, test_server_with_new_address_or_interface_is_another);
	tcase_add_test(tcase, test_removed_server_is_gone);
	tcase_add_test(tcase, test_generation_wraps_past_zero);
	tcase_add_test(tcase, test_many_ports);
	tcase_add_test(tcase, test_most_vips);
	tcase_add_test(tcase, test_failure_changes_nothing);
	tcase_add_test(tcase, test_vips_keep_their_numbers);
	tcase_add_test(tcase, test_unchecked_servers_are_up);
	tcase_add_test(tcase, test_state_has_an_age);
	tcase_add_test(tcase, test_new_check_begins_a_new_streak);
	tcase_add_test(tcase, test_mac_of_the_settings);
	tcase_add_test(tcase, test_place);
	tcase_add_test(tcase, test_who_lives_there);
	tcase_add_loop_test(tcase, test_ways, 0, (int)ARRAY_LEN(ways));
	tcase_add_loop_test(tcase, test_local_obstacles, 0, ARRAY_LEN(obstacles));
	tcase_add_loop_test(tcase, test_places, 0, (int)ARRAY_LEN(places));
	tcase_add_loop_test(tcase, test_server_state, 0, sizeof(states) / sizeof(states[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
