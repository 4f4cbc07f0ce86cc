/* SPDX-License-Identifier: ISC */
/* The director as one of its own servers: what its own stack gets, and what it never gets. */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "suites.h"

#define PEER_MAC "02:00:00:00:00:66"

static struct scene scene;
static struct role_config roles;

static void
open_scene(void)
{
	struct service_settings *service;

	scene_open(&scene);
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	service->servers[1].addr = scene_addr("192.0.2.1");
	service->servers[1].method = ENCAP_LOCAL;
	service->servers[1].mac = mac_zero;
	scene_apply(&scene);
	memset(&roles, 0, sizeof(roles));
	roles.peers[roles.peer_count++] = scene_mac(PEER_MAC);
	scene.forwarder.roles = &roles;
}

static void
close_scene(void)
{
	scene_close(&scene);
}

/* Where a SYN goes; what was sent for it stays in the scene. */
static const char *
syn(uint16_t port)
{
	const struct shape shape = { .flags = TCP_SYN, .from_port = port };
	struct decision decision;

	scene_forget(&scene);
	decision = scene_send(&scene, &shape);
	return scene_went(&decision);
}

START_TEST(test_frames_reach_the_own_stack)
{
	static const uint8_t none[12];
	const struct shape tagged = { .flags = TCP_SYN, .from_port = 41000, .vlan = 7 };
	const struct shape super = { .flags = TCP_ACK, .from_port = 41000, .payload = 20000, .unfinished = true };
	struct decision decision;
	unsigned own = 0;

	for (uint16_t port = 40000; port < 40010; port++) {
		if (strcmp(syn(port), "s2") != 0) {
			ck_assert(!scene.sent[0].left.local);
			continue;
		}
		own++;
		ck_assert_uint_eq(scene.sent_count, 1);
		ck_assert(scene.sent[0].left.local);
		ck_assert_mem_eq(scene.sent[0].bytes, none, sizeof(none));
		ck_assert_uint_eq(load16(scene.sent[0].bytes + ETHER_TYPE), ETHERTYPE_IPV4);
		assert_ipv4(scene.sent[0].bytes + ETHER_HEADER + 16, VIP);
	}
	ck_assert_uint_eq(own, 5);
	ck_assert_uint_eq(scene_server(&scene, "web", "s2")->run->packets, 5);
	ck_assert_uint_eq(scene_server(&scene, "web", "s2")->run->connections, 5);
	/* Without a tag, of any size, and with a finished checksum. */
	scene_server(&scene, "web", "s1")->admin.admin = ADMIN_DISABLED;
	scene_compile(&scene);
	scene_forget(&scene);
	decision = scene_send(&scene, &tagged);
	ck_assert_str_eq(scene_went(&decision), "s2");
	ck_assert_uint_eq(load16(scene.sent[0].bytes + ETHER_TYPE), ETHERTYPE_IPV4);
	scene_forget(&scene);
	decision = scene_send(&scene, &super);
	ck_assert_str_eq(scene_went(&decision), "s2");
	ck_assert_uint_eq(scene.sent_count, 1);
	ck_assert_uint_eq(scene.sent[0].length, ETHER_HEADER + 40 + 20000);
	ck_assert_uint_eq(scene.forwarder.stats.checksums_finished, 1);
}
END_TEST

/* While something is in the way the host gets nothing. */
START_TEST(test_obstacles)
{
	struct server *server = scene_server(&scene, "web", "s2");

	for (enum server_local local = LOCAL_UNSUPPORTED; local <= LOCAL_NOT_WITHHELD; local++) {
		server->local = local;
		scene_compile(&scene);
		for (uint16_t port = 41000; port < 41004; port++)
			ck_assert_str_eq(syn(port), "s1");
	}
	server->local = LOCAL_READY;
	scene_compile(&scene);
	scene_server(&scene, "web", "s1")->admin.admin = ADMIN_DISABLED;
	scene_compile(&scene);
	ck_assert_str_eq(syn(42000), "s2");
}
END_TEST

static const char *const trusted[] = { "127.0.0.1", "192.0.2.1", VIP };

START_TEST(test_sources_that_the_stack_trusts)
{
	const struct shape shape = { .flags = TCP_SYN, .from = trusted[_i] };
	struct decision decision;

	scene_server(&scene, "web", "s1")->admin.admin = ADMIN_DISABLED;
	scene_compile(&scene);
	decision = scene_send(&scene, &shape);
	ck_assert_str_eq(scene_went(&decision), "forged");
	ck_assert_uint_eq(scene.sent_count, 0);
	ck_assert_uint_eq(scene.forwarder.stats.dropped[DROP_FORGED], 1);
}
END_TEST

/* A standby is a server of the active director; and what a peer sends is never passed on, so nothing goes in circles. */
START_TEST(test_other_directors)
{
	scene.forwarder.duties[0] = 0;
	for (uint16_t port = 40000; port < 40004; port++) {
		ck_assert_str_eq(syn(port), "s2");
		ck_assert(scene.sent[0].left.local);
	}
	scene.forwarder.duties[0] = ROLE_ANSWERS | ROLE_FORWARDS;
	for (uint16_t port = 41000; port < 41004; port++) {
		const struct shape shape = { .flags = TCP_SYN, .from_port = port, .from_mac = PEER_MAC };
		struct decision decision;

		scene_forget(&scene);
		decision = scene_send(&scene, &shape);
		ck_assert_str_eq(scene_went(&decision), "s2");
		ck_assert(scene.sent[0].left.local);
	}
}
END_TEST

Suite *
local_suite(void)
{
	Suite *suite = suite_create("local");
	TCase *tcase = tcase_create("local");

	tcase_add_checked_fixture(tcase, open_scene, close_scene);
	tcase_add_test(tcase, test_frames_reach_the_own_stack);
	tcase_add_test(tcase, test_obstacles);
	tcase_add_loop_test(tcase, test_sources_that_the_stack_trusts, 0, 3);
	tcase_add_test(tcase, test_other_directors);
	suite_add_tcase(suite, tcase);
	return suite;
}
