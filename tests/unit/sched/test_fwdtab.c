/* SPDX-License-Identifier: ISC */
/* What every frame asks of the compiled table, held against the settings that it was compiled from. */
#include "config.h"

#include "sched/fwdtab.h"

#include <stdio.h>
#include <stdlib.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "suites.h"

static struct scene scene;

static void
setup(void)
{
	scene_open(&scene);
}

static void
teardown(void)
{
	scene_close(&scene);
}

static const struct fwd_vip *
vip_at(uint16_t iface, const char *text)
{
	const struct addr addr = scene_addr(text);

	return fwdtab_vip(scene.table, iface, &addr);
}

static bool
is_listened(const struct fwd_vip *vip, uint8_t protocol, uint16_t port)
{
	return fwd_vip_service(vip, protocol, port) != NULL;
}

/* As many ranges, of three ports each, with gaps of two: every port is asked for. */
static const size_t range_counts[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 33, 100 };

START_TEST(test_ports)
{
	const unsigned count = (unsigned)range_counts[_i];
	struct service_settings *service;

	scene_add_service(&scene, "dns", PROTOCOL_UDP, 0, "rr");
	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 65535, "rr");
	for (unsigned i = count; i > 0; i--)
		scene_listen(service, VIP, PROTOCOL_TCP, (uint16_t)(i * 5), (uint16_t)(i * 5 + 2));
	scene_apply(&scene);
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		const struct fwd_vip *vip = vip_at(0, VIP);
		const bool listened = port == UINT16_MAX || (port >= 5 && port < (count + 1) * 5 && port % 5 <= 2);

		must(is_listened(vip, PROTOCOL_TCP, (uint16_t)port) == listened, "%u ranges, port %u", count, port);
		must(is_listened(vip, PROTOCOL_UDP, (uint16_t)port) == (port == 0), "UDP port %u", port);
		must(!is_listened(vip, PROTOCOL_SCTP, (uint16_t)port), "SCTP port %u", port);
		must(!is_listened(vip, 1, (uint16_t)port), "protocol 1, port %u", port);
	}
	ck_assert_str_eq(fwd_vip_service(vip_at(0, VIP), PROTOCOL_TCP, 7)->service->settings.name, "web");
	ck_assert_str_eq(fwd_vip_service(vip_at(0, VIP), PROTOCOL_UDP, 0)->service->settings.name, "dns");
}
END_TEST

/* A VIP's ports end where the next one's begin. */
START_TEST(test_ports_of_neighbors)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");

	scene_listen(service, "192.0.2.20", PROTOCOL_TCP, 81, 82);
	scene_listen(service, "192.0.2.30", PROTOCOL_TCP, 83, 83);
	scene_apply(&scene);
	for (uint16_t port = 79; port <= 84; port++) {
		ck_assert(is_listened(vip_at(0, VIP), PROTOCOL_TCP, port) == (port == 80));
		ck_assert(is_listened(vip_at(0, "192.0.2.20"), PROTOCOL_TCP, port) == (port == 81 || port == 82));
		ck_assert(is_listened(vip_at(0, "192.0.2.30"), PROTOCOL_TCP, port) == (port == 83));
	}
}
END_TEST

/* How operators number their VIPs. */
enum numbering {
	THIRD_BYTE,
	TWO_BYTES,
	LAST_GROUP,
	NETWORK,
	NETWORK_AND_HOST,
	NUMBERING_COUNT
};

static const char *
numbered(enum numbering numbering, unsigned number, char text[ADDR_TEXT])
{
	switch (numbering) {
	case THIRD_BYTE:
		(void)snprintf(text, ADDR_TEXT, "192.0.%u.77", number);
		break;
	case TWO_BYTES:
		(void)snprintf(text, ADDR_TEXT, "10.%u.%u.1", number, number);
		break;
	case LAST_GROUP:
		(void)snprintf(text, ADDR_TEXT, "2001:db8::%u", number);
		break;
	case NETWORK:
		(void)snprintf(text, ADDR_TEXT, "2001:db8:0:%u::1", number);
		break;
	case NETWORK_AND_HOST:
		(void)snprintf(text, ADDR_TEXT, "2001:db8:0:%u::%u", number, number);
		break;
	case NUMBERING_COUNT:
		break;
	}
	return text;
}

START_TEST(test_vips)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < 200; i += 2)
		scene_listen(service, numbered((enum numbering)_i, i, text), PROTOCOL_TCP, 80, 80);
	scene_apply(&scene);
	for (unsigned i = 0; i < 200; i++) {
		const struct fwd_vip *vip = vip_at(0, numbered((enum numbering)_i, i, text));
		const struct addr addr = scene_addr(text);

		ck_assert_msg((vip != NULL) == (i % 2 == 0), "%s", text);
		ck_assert(vip == NULL || addr_equal(&vip->addr, &addr));
		ck_assert_ptr_null(vip_at(1, text));
	}
}
END_TEST

/* However they are numbered, the search for a VIP begins where it is, or a few places before. */
START_TEST(test_vips_are_spread)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	char text[ADDR_TEXT];
	uint64_t steps = 0;

	for (unsigned i = 0; i < 200; i++)
		scene_listen(service, numbered((enum numbering)_i, i, text), PROTOCOL_TCP, 80, 80);
	scene_apply(&scene);
	for (unsigned i = 0; i < 200; i++) {
		const struct fwd_index *index = &scene.table->vip_index;
		const struct fwd_vip *vip = vip_at(0, numbered((enum numbering)_i, i, text));
		uint32_t at = fwdtab_addr_begin(scene.table, &vip->addr);

		for (; &scene.table->vips[index->slots[at]] != vip; at = (at + 1) & index->mask)
			steps++;
	}
	ck_assert_msg(steps < 2 * 200, "%u steps", (unsigned)steps);
}
END_TEST

START_TEST(test_servers)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	struct server_ref gone;

	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&scene);
	gone = scene_server(&scene, "web", "s2")->ref;
	ck_assert_ptr_eq(fwdtab_server(scene.table, gone)->server, scene_server(&scene, "web", "s2"));
	ck_assert_ptr_eq(fwdtab_slot(scene.table, gone.slot), fwdtab_server(scene.table, gone));

	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 3, 1, false);
	scene_apply(&scene);
	ck_assert_ptr_null(fwdtab_server(scene.table, gone));
	ck_assert_ptr_null(fwdtab_slot(scene.table, gone.slot));
	ck_assert_ptr_null(fwdtab_server(scene.table, (struct server_ref) { gone.slot, 0 }));
	ck_assert_ptr_null(fwdtab_server(scene.table, (struct server_ref) { UINT16_MAX, 1 }));
	ck_assert_ptr_null(fwdtab_server(scene.table, (struct server_ref) { 0, 0 }));
	ck_assert_ptr_nonnull(fwdtab_server(scene.table, scene_server(&scene, "web", "s3")->ref));

	service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");
	scene_add_server(service, 4, 1, false);
	scene_apply(&scene);
	for (size_t slot = 0; slot < fwdtab_slots(scene.table); slot++)
		ck_assert_ptr_null(fwdtab_server(scene.table, (struct server_ref) { (uint16_t)slot, 0 }));
	ck_assert_ptr_null(fwdtab_server(scene.table, gone));
	ck_assert_uint_eq(fwdtab_server(scene.table, scene_server(&scene, "web", "s4")->ref)->ref.slot,
	    scene_server(&scene, "web", "s4")->ref.slot);
}
END_TEST

/* A server to which frames would come back at once gets none. */
START_TEST(test_own_mac)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr");

	scene_add_server(service, 1, 1, false)->mac = scene.ifaces[0].mac;
	scene_add_server(service, 2, 1, false)->mac = scene.ifaces[1].mac;
	scene_add_server(service, 3, 1, false);
	scene_apply(&scene);
	ck_assert_uint_eq(scene.table->services[0]->candidate_count, 1);
	ck_assert_str_eq(scene.table->services[0]->candidates[0]->server->settings.name, "s3");
}
END_TEST

/* --- the choice before a change --- */

#define PAST_FLOWS 2000

static struct conn_key
flow_key(unsigned flow)
{
	return (struct conn_key) { .client = { [10] = 0xff, 0xff, 203, 0, (uint8_t)(flow >> 8), (uint8_t)flow },
		.client_port = 40000, .vip_port = 80, .target = conn_target(vip_at(0, VIP)->number, PROTOCOL_TCP) };
}

static const struct fwd_server *
choice_before(unsigned flow)
{
	const struct conn_key key = flow_key(flow);

	return fwd_service_before(scene.table->services[0], vip_at(0, VIP), &key, scene.now);
}

/* Server numbers as flows are sent by the table now. */
static void
note_choices(uint8_t chosen[PAST_FLOWS])
{
	for (unsigned i = 0; i < PAST_FLOWS; i++) {
		const struct conn_key key = flow_key(i);

		chosen[i] = fwd_service_by_hash(scene.table->services[0], vip_at(0, VIP), &key)->addr.bytes[3];
	}
}

/* How many flows have no choice of before, after checking that those that have one have the one noted. */
static unsigned
unknown_choices(const uint8_t chosen[PAST_FLOWS])
{
	unsigned unknown = 0;

	for (unsigned i = 0; i < PAST_FLOWS; i++) {
		const struct fwd_server *before = choice_before(i);

		must(before == NULL || before->addr.bytes[3] == chosen[i], "flow %u", i);
		unknown += before == NULL;
	}
	return unknown;
}

static unsigned
count_of(const uint8_t chosen[PAST_FLOWS], uint8_t server)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PAST_FLOWS; i++)
		count += chosen[i] == server;
	return count;
}

static void
serve(const char *scheduler, unsigned servers)
{
	struct service_settings *service = scene_add_service(&scene, "web", PROTOCOL_TCP, 80, scheduler);

	for (unsigned i = 1; i <= servers; i++)
		scene_add_server(service, i, 1, false);
	scene_apply(&scene);
}

static const char *const hashing[] = { "maglev", "sh", "wlc" };

START_TEST(test_the_choice_before_a_change)
{
	static uint8_t first[PAST_FLOWS], second[PAST_FLOWS];
	unsigned moved = 0;

	serve(hashing[_i], 4);
	note_choices(first);
	ck_assert_uint_eq(unknown_choices(first), PAST_FLOWS);
	/* A server comes: all older flows are known, and a fifth of them would have gone wrong. */
	scene.now += FWD_PAST;
	serve(hashing[_i], 5);
	ck_assert_uint_eq(unknown_choices(first), 0);
	note_choices(second);
	for (unsigned i = 0; i < PAST_FLOWS; i++)
		moved += first[i] != second[i];
	ck_assert_uint_ge(moved, PAST_FLOWS / 6);
	/* No change: nothing new. A brief table does not replace a long one, nor prolongs it. */
	scene.now += SECONDS(1);
	serve(hashing[_i], 5);
	ck_assert_uint_eq(unknown_choices(first), 0);
	scene.now += SECONDS(1);
	serve(hashing[_i], 6);
	ck_assert_uint_eq(unknown_choices(first), 0);
	scene.now += SECONDS(1) - 1;
	ck_assert_uint_eq(unknown_choices(first), 0);
	scene.now++;
	ck_assert_uint_eq(unknown_choices(first), PAST_FLOWS);
	/* Since then six: a drained server keeps its older flows, one that is down or removed does not. */
	scene.now += SECONDS(3);
	note_choices(first);
	scene_server(&scene, "web", "s6")->admin.admin = ADMIN_DRAINED;
	scene_server(&scene, "web", "s5")->health.state = HEALTH_DOWN;
	scene_compile(&scene);
	ck_assert_uint_eq(unknown_choices(first), count_of(first, 105));
	serve(hashing[_i], 4);
	ck_assert_uint_eq(unknown_choices(first), count_of(first, 105) + count_of(first, 106));
}
END_TEST

/* Other services, before and behind, and one whose ports differ, keep their own. */
START_TEST(test_the_choice_before_of_many_services)
{
	static const char *const names[] = { "a", "web", "b" };
	static uint8_t first[PAST_FLOWS];
	struct service_settings *service;

	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
			service = scene_add_service(&scene, names[turn == 0 ? i : 2 - i], PROTOCOL_TCP,
			    (uint16_t)(79 + (turn == 0 ? i : 2 - i)), "maglev");
			for (unsigned j = 1; j <= 3 + turn; j++)
				scene_add_server(service, j, 1, false);
		}
		scene_apply(&scene);
		for (size_t i = 0; i < scene.table->service_count; i++) {
			const struct fwd_service *past = scene.table->services[i]->past;

			ck_assert((past != NULL) == (turn == 1));
			ck_assert(past == NULL || past->number == scene.table->services[i]->number);
		}
		scene.now += FWD_PAST;
	}
	/* A service that is new has no choice of before, though another one had its place in the table. */
	service = scene_add_service(&scene, "new", PROTOCOL_TCP, 80, "maglev");
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	scene_apply(&scene);
	note_choices(first);
	ck_assert_uint_eq(unknown_choices(first), PAST_FLOWS);
}
END_TEST

Suite *
fwdtab_suite(void)
{
	Suite *suite = suite_create("fwdtab");
	TCase *tcase = tcase_create("fwdtab");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_ports, 0, (int)ARRAY_LEN(range_counts));
	tcase_add_test(tcase, test_ports_of_neighbors);
	tcase_add_loop_test(tcase, test_vips, 0, NUMBERING_COUNT);
	tcase_add_loop_test(tcase, test_vips_are_spread, 0, NUMBERING_COUNT);
	tcase_add_test(tcase, test_servers);
	tcase_add_test(tcase, test_own_mac);
	tcase_add_loop_test(tcase, test_the_choice_before_a_change, 0, (int)ARRAY_LEN(hashing));
	tcase_add_test(tcase, test_the_choice_before_of_many_services);
	suite_add_tcase(suite, tcase);
	return suite;
}
