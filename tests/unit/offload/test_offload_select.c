/* SPDX-License-Identifier: ISC */
/*
 * Unknown flows whose server is selected elsewhere: two directors, one of which learns of its new flows from records. Each
 * frame leaves to the same server, whoever decides.
 */
#include "config.h"

#include <stdio.h>

#include "base/attr.h"
#include "suites.h"

#define VIP6 "2001:db8::10"

#include "pair.h"

static void
select_server_all(struct scene *scene, const char *name, uint8_t protocol, uint16_t port, const char *scheduler)
{
	struct service_settings *service = scene_add_service(scene, name, protocol, port, scheduler);

	if (protocol == PROTOCOL_TCP)
		scene_listen(service, VIP6, protocol, port, port);
	for (unsigned i = 0; i < CONN_STATE_COUNT; i++)
		service->timeouts.state[i] += MILLISECONDS(930);
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(service, i, i, false);
}

static void
add_services(struct scene *scene)
{
	select_server_all(scene, "web", PROTOCOL_TCP, 80, "maglev");
	select_server_all(scene, "dns", PROTOCOL_UDP, 53, "maglev");
	select_server_all(scene, "source", PROTOCOL_TCP, 81, "sh");
	select_server_all(scene, "destination", PROTOCOL_TCP, 82, "dh");
	select_server_all(scene, "plain", PROTOCOL_TCP, 83, "wlc");
	select_server_all(scene, "sticky", PROTOCOL_TCP, 84, "maglev");
	scene->settings.services[5].persist = SECONDS(300);
	select_server_all(scene, "limited", PROTOCOL_TCP, 85, "maglev");
	scene->settings.services[6].servers[1].max_connections = 1000;
	select_server_all(scene, "quic", PROTOCOL_UDP, 443, "maglev");
	scene->settings.services[7].quic_lengths[0] = 2;
	select_server_all(scene, "rationed", PROTOCOL_TCP, 87, "maglev");
	scene->settings.services[8].limit_new.service = 1000;
}

static void
configure(struct scene *scene)
{
	add_services(scene);
	scene_apply(scene);
}

static bool
begins(uint16_t from, uint16_t to, const char *client, const char *vip)
{
	const struct shape shape = { .from_port = from, .to_port = to, .flags = TCP_SYN, .from = client, .to = vip };

	return give_both(&shape, 1000, 0);
}

static bool
asks(uint16_t port)
{
	const struct shape shape = { .from_port = port, .to_port = 53, .protocol = PROTOCOL_UDP, .payload = 30 };

	return give_both(&shape, 0, 0);
}

START_TEST(test_a_connection_is_selected_and_learned)
{
	ck_assert(begins(1, 80, NULL, NULL));
	ck_assert_uint_eq(conn_table_count(aided.forwarder.conns), 1);
	ck_assert(begins(1, 80, NULL, NULL)); /* again */
	ck_assert(!tcp(1, TCP_ACK));
	ck_assert(tcp(1, TCP_ACK));
	/* What is in the table is the daemon's to judge. */
	ck_assert(!begins(1, 80, NULL, NULL));
	ck_assert(!tcp(1, TCP_ACK | TCP_FIN));
	compare_counters();
	ck_assert_uint_eq(aided.forwarder.stats.selected, 2);
}
END_TEST

START_TEST(test_a_datagram_is_selected_and_its_flow_proven)
{
	ck_assert(asks(1));
	pass_time(MILLISECONDS(200));
	ck_assert(asks(1)); /* the second, which proves it */
	ck_assert_uint_eq(offload_count(offload), 1);
	ck_assert(asks(1)); /* by the table now */
	compare_counters();
	ck_assert_uint_eq(aided.forwarder.stats.selected, 2);
}
END_TEST

START_TEST(test_every_scheduler_by_hash_selects_the_same)
{
	static const uint16_t ports[] = { 80, 81, 82 };
	unsigned selected = 0;
	char client[40];

	for (unsigned i = 0; i < 600; i++) {
		const bool six = i % 2 == 1;

		snprintf(client, sizeof(client), six ? "2001:db8:7::%x" : "203.0.113.%u", 1 + i % 250);
		selected += begins((uint16_t)(1 + i), ports[i % 3], client, six ? VIP6 : NULL);
	}
	/* Some have the bit of one of the director's own addresses. */
	ck_assert_uint_gt(selected, 580);
	compare_counters();
	for (unsigned i = 1; i <= 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%u", i);
		ck_assert_uint_gt(scene_server(&aided, "web", name)->run->packets, 10);
		ck_assert_uint_gt(scene_server(&aided, "source", name)->run->packets, 0);
	}
}
END_TEST

START_TEST(test_what_needs_judgement_is_the_daemons)
{
	static const struct shape other[] = {
		{ .to_port = 83, .flags = TCP_SYN },                   /* wlc */
		{ .to_port = 84, .flags = TCP_SYN },                   /* persist */
		{ .to_port = 85, .flags = TCP_SYN },                   /* max-connections */
		{ .to_port = 86, .flags = TCP_SYN },                   /* no service */
		{ .to_port = 87, .flags = TCP_SYN },                   /* limit-new */
		{ .flags = TCP_ACK },
		{ .flags = TCP_SYN | TCP_ACK },
		{ .flags = TCP_RST },
		{ .flags = TCP_FIN | TCP_ACK },
		{ .flags = TCP_SYN, .vlan = 5 },
		{ .flags = TCP_SYN, .iface = 1 },
		{ .flags = TCP_SYN, .to_mac = "02:00:00:00:00:77" },
		{ .flags = TCP_SYN, .from_mac = "02:00:00:00:00:01" }, /* our own: a loop */
		{ .flags = TCP_SYN, .fragment = 0x2000 },
		{ .flags = TCP_SYN, .payload = 1480 },
		{ .to_port = 53, .protocol = PROTOCOL_UDP, .fragment = 0x2000 },
		{ .to_port = 443, .protocol = PROTOCOL_UDP, .payload = 30 },  /* QUIC: each datagram is read */
	};

	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		must(!give_both(&other[i], 1000, 0), "shape %zu was selected", i);
	/* Nor is the flow of one offloaded, once it is proven. */
	pass_time(MILLISECONDS(200));
	for (unsigned i = 0; i < 3; i++)
		ck_assert(!give_both(&other[ARRAY_LEN(other) - 1], 0, 0));
	/* From its server: perhaps a bounce. */
	for (unsigned port = 1; port < 50; port++) {
		const struct shape shape = { .from_port = (uint16_t)port, .flags = TCP_SYN,
			.from_mac = "02:00:00:00:00:13" };
		const bool selected = give_both(&shape, 1000, 0);

		must(aided.sent_count == 0 || selected == (aided.sent[0].bytes[5] != 0x13), "port %u", port);
	}
	compare_counters();
}
END_TEST

#define PEER_MAC "02:00:00:00:00:66"
#define LOCAL_VIP "192.0.2.20"

static void
add_local(struct scene *scene, const struct role_config *roles)
{
	struct service_settings *service;

	add_services(scene);
	service = scene_add_service(scene, "local", PROTOCOL_TCP, 87, "maglev");
	service->listens[0].vip = scene_addr(LOCAL_VIP);
	scene_add_server(service, 1, 1, false);
	scene_add_server(service, 2, 1, false);
	service->servers[1].addr = scene_addr("192.0.2.1");
	service->servers[1].method = ENCAP_LOCAL;
	service->servers[1].mac = mac_zero;
	scene_apply(scene);
	scene->forwarder.roles = roles;
}

/* Where the hash chooses the other server, a peer that has chosen this host still means this host. */
START_TEST(test_what_a_peer_sends_to_a_local_server_is_the_daemons)
{
	static struct role_config roles;

	roles.peers[0] = scene_mac(PEER_MAC);
	roles.peer_count = 1;
	add_local(&alone, &roles);
	add_local(&aided, &roles);
	refresh(false);
	pass_time(MILLISECONDS(20));
	for (uint16_t port = 1; port <= 32; port++) {
		const struct shape shape = { .from_port = port, .to_port = 87, .flags = TCP_SYN, .to = LOCAL_VIP,
			.from_mac = PEER_MAC };

		ck_assert(!give_both(&shape, 1000, 0));
		ck_assert_uint_eq(aided.sent_count, 1);
		ck_assert(aided.sent[0].left.local);
	}
	ck_assert(begins(1, 80, NULL, NULL));
	compare_counters();
}
END_TEST

/* Its headers are all that there is of it. */
START_TEST(test_a_record_is_not_delivered_here)
{
	struct select_record *record = calloc(1, sizeof(*record));
	const struct shape shape = { .to_port = 87, .flags = TCP_SYN, .to = LOCAL_VIP, .payload = 1400 };
	const struct server *server;
	struct frame frame;

	ck_assert_ptr_nonnull(record);
	add_local(&alone, NULL);
	add_local(&aided, NULL);
	refresh(false);
	server = scene_server(&aided, "local", "s1");
	frame = scene_frame(&aided, &shape);
	memcpy(record->head, frame.bytes, 54);
	record->now = aided.now * 1000;
	record->ifindex = IFINDEX;
	record->length = frame.length;
	record->slot = server->ref.slot | (uint32_t)(shared.servers[server->ref.slot].rule & OFFLOAD_STAMP_MASK) <<
	    SELECT_STAMP_SHIFT;
	/* The role has changed since. */
	aided.forwarder.duties[0] = 0;
	scene_forget(&aided);
	forward_learn(&aided.forwarder, record);
	ck_assert_uint_eq(aided.sent_count, 0);
	aided.forwarder.duties[0] = ROLE_ANSWERS | ROLE_FORWARDS;
	forward_learn(&aided.forwarder, record);
	ck_assert_uint_eq(aided.sent_count, 0);
	ck_assert_uint_eq(conn_table_count(aided.forwarder.conns), 1);
	free(record);
}
END_TEST

/* Each slot has the flows of others then, and some of those are known to the daemon alone. */
START_TEST(test_another_hash_key_settles_again)
{
	struct scene *const both[] = { &alone, &aided };

	ck_assert(!tcp(7, TCP_ACK));
	both_compile(false);
	pass_time(SECONDS(1));
	ck_assert(begins(1, 80, NULL, NULL));
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		add_services(both[i]);
		both[i]->settings.hash_key.bytes[0] ^= 1;
		scene_apply(both[i]);
	}
	refresh(false);
	pass_time(MILLISECONDS(100));
	for (uint16_t port = 2; port < 40; port++)
		ck_assert(!begins(port, 80, NULL, NULL));
	compare_counters();
}
END_TEST

static void
both_down(const char *server, bool down)
{
	scene_server(&alone, "web", server)->health.state = down ? HEALTH_DOWN : HEALTH_UP;
	scene_server(&aided, "web", server)->health.state = down ? HEALTH_DOWN : HEALTH_UP;
	both_compile(false);
}

/* A table that changes moves no flow that is known, nor does the kernel decide what the daemon may know. */
START_TEST(test_known_flows_stay_when_the_table_changes)
{
	unsigned moved = 0, selected = 0;

	for (uint16_t port = 1; port <= 100; port++)
		ck_assert(begins(port, 80, NULL, NULL));
	pass_time(MILLISECONDS(20));
	both_down("s3", true);
	for (uint16_t port = 101; port <= 200; port++)
		selected += begins(port, 80, NULL, NULL);
	/* Slots of the servers that stay are settled. */
	ck_assert_uint_gt(selected, 10);
	ck_assert_uint_lt(selected, 100);
	pass_time(MILLISECONDS(20));
	both_down("s3", false);
	/* The SYN again: give_both() compares where it goes. Some are with another server than the hash says now. */
	for (uint16_t port = 101; port <= 200; port++)
		moved += !begins(port, 80, NULL, NULL);
	ck_assert_uint_gt(moved, 10);
	compare_counters();
	/* With time all is settled again. */
	for (unsigned i = 0; i < 70; i++)
		pass_time(SECONDS(1));
	for (uint16_t port = 301; port <= 400; port++)
		ck_assert(begins(port, 80, NULL, NULL));
	compare_counters();
}
END_TEST

START_TEST(test_a_bank_rests_before_it_is_written)
{
	ck_assert(begins(1, 80, NULL, NULL));
	both_compile(false);
	pass_time(MILLISECONDS(1));
	both_compile(false);
	/* The second table came too soon: until the bank has rested the daemon decides. */
	ck_assert(!begins(2, 80, NULL, NULL));
	ck_assert_uint_ne(offload_due(offload), UINT64_MAX);
	pass_time(MILLISECONDS(20));
	ck_assert(begins(3, 80, NULL, NULL));
	compare_counters();
}
END_TEST

/* The flow is not known, so its next frame goes by hash again: to the same server, as long as that is there. */
START_TEST(test_a_lost_record_moves_no_flow)
{
	struct frame first;
	uint8_t mac[6];

	records_most = 0;
	for (uint16_t port = 1; port <= 100; port++) {
		const struct shape syn = { .from_port = port, .flags = TCP_SYN };
		const struct shape ack = { .from_port = port, .flags = TCP_ACK };

		scene_forget(&aided);
		first = segment(&aided, &syn, 1000, 0);
		ck_assert(give(&aided, first));
		memcpy(mac, aided.sent[0].bytes, sizeof(mac));
		scene_forget(&aided);
		ck_assert(!give(&aided, segment(&aided, &ack, 1000, 1)));
		ck_assert_mem_eq(aided.sent[0].bytes, mac, sizeof(mac));
	}
	records_most = RECORDS_MOST;
	offload_sync(offload, UINT32_MAX, aided.now);
	ck_assert_uint_eq(aided.forwarder.stats.unrecorded, 100);
	ck_assert_uint_eq(aided.forwarder.stats.selected, 100);
	/* What was counted is exact all the same. */
	ck_assert_uint_eq(aided.forwarder.stats.forwarded, 200);
}
END_TEST

/* Both directors select by hash in a flood, one of them in the kernel; persistence is the daemon's. */
START_TEST(test_a_flood_is_selected_with_any_scheduler)
{
	ck_assert(!begins(1, 83, NULL, NULL));
	conn_set_flood(alone.forwarder.conns, aided.now + SECONDS(10));
	conn_set_flood(aided.forwarder.conns, aided.now + SECONDS(10));
	offload_set_flood(offload, true);
	for (uint16_t port = 2; port <= 60; port++) {
		const struct shape ack = { .from_port = port, .to_port = 83, .flags = TCP_ACK };

		ck_assert(begins(port, 83, NULL, NULL));
		ck_assert(!give_both(&ack, 1000, 1)); /* the daemon's, to the same server */
		ck_assert(give_both(&ack, 1000, 1));  /* offloaded */
		ck_assert(begins(port, 85, NULL, NULL));
		ck_assert(!begins(port, 84, NULL, NULL));
		ck_assert(!begins(port, 87, NULL, NULL)); /* what `limit-new` counts is the daemon's */
	}
	offload_set_flood(offload, false);
	ck_assert(!begins(100, 83, NULL, NULL));
	compare_counters();
	ck_assert_uint_gt(scene_server(&aided, "plain", "s1")->run->connections, 0);
}
END_TEST

/* A reload sets a limit while records of the kernel are on their way: those connections have begun. */
START_TEST(test_what_the_kernel_has_sent_is_not_limited)
{
	scene_server(&aided, "web", "s1")->service->settings.limit_new.service = 1;
	for (uint16_t port = 1; port <= 20; port++)
		ck_assert(begins(port, 80, NULL, NULL));
	ck_assert_uint_eq(conn_table_count(aided.forwarder.conns), 20);
	ck_assert_uint_eq(aided.forwarder.stats.dropped[DROP_LIMIT_NEW], 0);
}
END_TEST

/* Its SYN was scheduled; the one that it sends again is selected: the flow goes where that one went. */
START_TEST(test_the_last_syn_decides)
{
	unsigned moved = 0;

	offload_set_flood(offload, false);
	for (uint16_t port = 1; port <= 60; port++) {
		const struct shape syn = { .from_port = port, .to_port = 83, .flags = TCP_SYN };
		const struct shape ack = { .from_port = port, .to_port = 83, .flags = TCP_ACK };
		uint8_t first[6], last[6];

		scene_forget(&aided);
		ck_assert(!give(&aided, segment(&aided, &syn, 1000, 0)));
		memcpy(first, aided.sent[0].bytes, sizeof(first));
		offload_set_flood(offload, true);
		scene_forget(&aided);
		ck_assert(give(&aided, segment(&aided, &syn, 1000, 0)));
		memcpy(last, aided.sent[0].bytes, sizeof(last));
		offload_set_flood(offload, false);
		moved += memcmp(first, last, sizeof(first)) != 0;
		scene_forget(&aided);
		ck_assert(!give(&aided, segment(&aided, &ack, 1000, 1)));
		ck_assert_mem_eq(aided.sent[0].bytes, last, sizeof(last));
	}
	ck_assert_uint_gt(moved, 10);
}
END_TEST

/* Each processor counts on its own, and nothing is lost or counted twice. */
START_TEST(test_counts_of_all_processors_add_up)
{
	for (uint16_t port = 1; port <= 400; port++) {
		cpu = port % SHARED_CPUS;
		ck_assert(begins(port, 80, NULL, NULL));
	}
	cpu = 0;
	compare_counters();
	ck_assert_uint_eq(aided.forwarder.stats.selected, 400);
	for (uint32_t i = 0; i < SHARED_CPUS; i++) {
		uint64_t packets = 0;

		for (uint32_t slot = 0; slot < SELECT_SERVERS; slot++)
			packets += shared.counts[i].servers[slot].packets;
		ck_assert_uint_eq(packets, 400 / SHARED_CPUS);
	}
}
END_TEST

START_TEST(test_a_standby_selects_nothing)
{
	offload_serve_groups(offload, 0);
	pass_time(MILLISECONDS(20));
	both_compile(false);
	ck_assert(!begins(1, 80, NULL, NULL));
	ck_assert(!offload_selects(offload));
	offload_serve_groups(offload, 1);
	pass_time(MILLISECONDS(20));
	both_compile(false);
	pass_time(SECONDS(70));
	ck_assert(offload_selects(offload));
	ck_assert(begins(2, 80, NULL, NULL));
}
END_TEST

static uint32_t
draw(uint64_t *state, uint32_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*state >> 33) % below;
}

static void
any_frame(uint64_t *state)
{
	static const uint8_t flags[] = { TCP_SYN, TCP_SYN, TCP_SYN, TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH,
		TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN | TCP_ACK, TCP_SYN | TCP_URG, 0 };
	static const char *const macs[] = { NULL, NULL, NULL, "02:00:00:00:00:98", "02:00:00:00:00:12",
		"02:00:00:00:00:01" };
	struct shape shape = { .from_port = (uint16_t)(1 + draw(state, 40)), .to_port = (uint16_t)(80 + draw(state, 7)),
		.flags = flags[draw(state, ARRAY_LEN(flags))], .from_mac = macs[draw(state, ARRAY_LEN(macs))],
		.payload = draw(state, 5) == 0 ? draw(state, 1500) : 0 };

	cpu = draw(state, SHARED_CPUS);
	if (draw(state, 3) == 0) {
		shape.protocol = PROTOCOL_UDP;
		shape.to_port = 53;
	} else if (draw(state, 3) == 0) {
		shape.from = "2001:db8::99";
		shape.to = VIP6;
	}
	if (draw(state, 30) == 0)
		shape.fragment = draw(state, 2) == 0 ? 0x2000 : 0x0005;
	if (draw(state, 30) == 0)
		shape.vlan = 7;
	give_both(&shape, 1000 + draw(state, 4) * 100, draw(state, 50) * 1000);
}

START_TEST(test_any_frames_in_any_order)
{
	uint64_t state = (uint64_t)_i + 1000;

	/*
	 * The kernel's times are 1.05 ms each, and it keeps a flow until the end of the second in which the flow expires:
	 * so none is to expire when frames come, or at the turn of a second.
	 */
	pass_time(MILLISECONDS(50));
	for (unsigned i = 0; i < 20000; i++) {
		any_frame(&state);
		if (draw(&state, 20) == 0)
			pass_time(SECONDS(1) * draw(&state, _i < 2 ? 10 : 40));
		if (draw(&state, 400) == 0)
			both_down(draw(&state, 2) == 0 ? "s2" : "s3", draw(&state, 2) == 0);
		if (draw(&state, 100) == 0)
			compare_counters();
	}
	compare_counters();
	ck_assert_uint_gt(aided.forwarder.stats.selected, 1000);
}
END_TEST

Suite *
offload_select_suite(void)
{
	Suite *suite = suite_create("offload_select");
	TCase *cases = tcase_create("select");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, test_a_connection_is_selected_and_learned);
	tcase_add_test(cases, test_a_datagram_is_selected_and_its_flow_proven);
	tcase_add_test(cases, test_every_scheduler_by_hash_selects_the_same);
	tcase_add_test(cases, test_what_needs_judgement_is_the_daemons);
	tcase_add_test(cases, test_what_a_peer_sends_to_a_local_server_is_the_daemons);
	tcase_add_test(cases, test_a_record_is_not_delivered_here);
	tcase_add_test(cases, test_another_hash_key_settles_again);
	tcase_add_test(cases, test_known_flows_stay_when_the_table_changes);
	tcase_add_test(cases, test_a_bank_rests_before_it_is_written);
	tcase_add_test(cases, test_a_lost_record_moves_no_flow);
	tcase_add_test(cases, test_a_flood_is_selected_with_any_scheduler);
	tcase_add_test(cases, test_what_the_kernel_has_sent_is_not_limited);
	tcase_add_test(cases, test_the_last_syn_decides);
	tcase_add_test(cases, test_counts_of_all_processors_add_up);
	tcase_add_test(cases, test_a_standby_selects_nothing);
	tcase_add_loop_test(cases, test_any_frames_in_any_order, 0, 8);
	suite_add_tcase(suite, cases);
	return suite;
}
