/* SPDX-License-Identifier: ISC */
/* Records and frames on the wire: what is written is read again, and nothing else is. */
#include "config.h"

#include "sync/wire.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/packet.h"
#include "suites.h"

static struct wire_flow
make_flow(const char *client)
{
	struct wire_flow flow = { .vip = 3, .server = 700, .protocol = PROTOCOL_TCP, .state = CONN_ESTABLISHED,
		.client_port = 40001, .vip_port = 443, .age = 100000, .left = 899 };
	struct addr addr;

	ck_assert_int_eq(addr_parse(client, &addr), 0);
	addr_mapped(&addr, flow.client);
	return flow;
}

START_TEST(test_flows)
{
	static const struct {
		const char *client;
		size_t length;
	} cases[] = { { "203.0.113.7", WIRE_FLOW4 }, { "2001:db8::7", WIRE_FLOW6 } };
	uint8_t bytes[WIRE_FLOW6];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct wire_flow flow = make_flow(cases[i].client);
		struct wire_flow read;
		struct wire_out out;
		struct cursor in;

		memset(&read, 0, sizeof(read));
		wire_out_init(&out, bytes, sizeof(bytes));
		wire_put_flow(&out, &flow);
		ck_assert(!out.failed);
		ck_assert_uint_eq(sizeof(bytes) - out.left, cases[i].length);
		cursor_init(&in, bytes, cases[i].length);
		ck_assert(wire_get_flow(&in, &read));
		ck_assert_uint_eq(read.vip, 3);
		ck_assert_uint_eq(read.server, 700);
		ck_assert_uint_eq(read.protocol, PROTOCOL_TCP);
		ck_assert_int_eq(read.state, CONN_ESTABLISHED);
		ck_assert_uint_eq(read.client_port, 40001);
		ck_assert_uint_eq(read.vip_port, 443);
		ck_assert_mem_eq(read.client, flow.client, sizeof(flow.client));
		ck_assert_uint_eq(read.age, 100000);
		ck_assert_uint_eq(read.left, 899);
		/* Every shorter one is refused. */
		for (size_t length = 0; length < cases[i].length; length++) {
			cursor_init(&in, bytes, length);
			ck_assert(!wire_get_flow(&in, &read));
		}
	}
}
END_TEST

/* A flow that no director may share: unproven, of another protocol, with bits that no version has. */
START_TEST(test_flows_refused)
{
	static const uint8_t firsts[] = { CONN_NONE, CONN_SYN, CONN_NEW, CONN_UDP, CONN_STATE_COUNT, 0xf,
		CONN_ESTABLISHED | 1 << 4, CONN_ESTABLISHED | 3 << 4, CONN_ESTABLISHED | 0x80 };
	const struct wire_flow flow = make_flow("203.0.113.7");
	uint8_t bytes[WIRE_FLOW4];

	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct wire_flow read;
		struct wire_out out;
		struct cursor in;

		wire_out_init(&out, bytes, sizeof(bytes));
		wire_put_flow(&out, &flow);
		bytes[0] = firsts[i];
		cursor_init(&in, bytes, sizeof(bytes));
		ck_assert_msg(!wire_get_flow(&in, &read), "first byte %#x", firsts[i]);
	}
}
END_TEST

/* The longest records of each kind: they fit a body, are not written in part, and not read when short. */
START_TEST(test_longest)
{
	struct wire_service service = { .number = 65535, .protocol = PROTOCOL_SCTP, .port = 65535,
		.candidates = UINT64_MAX }, service_read;
	struct wire_server server = { .number = 65535, .service = 65535, .file_weight = WEIGHT_MOST,
		.state = SERVER_DISABLED }, server_read;
	struct wire_order order = { .server = 65535, .weight = true, .value = WEIGHT_MOST, .drain_left = UINT32_MAX,
		.author = { .user = -1, .when = UINT32_MAX } }, order_read;
	uint8_t bytes[512];
	struct wire_out out;
	struct cursor in;
	size_t length;

	memset(service.name, 'n', sizeof(service.name) - 1);
	memset(service.scheduler, 's', sizeof(service.scheduler) - 1);
	memset(server.name, 'm', sizeof(server.name) - 1);
	memset(server.reason, ' ', sizeof(server.reason) - 1);
	memset(order.author.name, 'a', sizeof(order.author.name) - 1);
	wire_out_init(&out, bytes, sizeof(bytes));
	wire_put_service(&out, &service);
	wire_put_server(&out, &server);
	wire_put_order(&out, &order);
	ck_assert(!out.failed);
	length = sizeof(bytes) - out.left;
	cursor_init(&in, bytes, length);
	ck_assert(wire_get_service(&in, &service_read) && wire_get_server(&in, &server_read) &&
	    wire_get_order(&in, &order_read));
	ck_assert_uint_eq(in.left, 0);
	ck_assert_str_eq(service_read.name, service.name);
	ck_assert_str_eq(server_read.reason, server.reason);
	ck_assert_str_eq(order_read.author.name, order.author.name);
	ck_assert_int_eq(order_read.author.user, -1);
	for (size_t room = 0; room < length; room++) {
		wire_out_init(&out, bytes, room);
		wire_put_service(&out, &service);
		wire_put_server(&out, &server);
		wire_put_order(&out, &order);
		ck_assert(out.failed);
		cursor_init(&in, bytes, room - out.left);
		ck_assert(!wire_get_service(&in, &service_read) || !wire_get_server(&in, &server_read) ||
		    !wire_get_order(&in, &order_read));
	}
}
END_TEST

/* The longest STATE, and every shorter beginning of it; counts and states that cannot be right. */
START_TEST(test_state)
{
	static struct wire_state state, read;
	static uint8_t bytes[WIRE_BODY];
	struct wire_out out;
	struct cursor in;
	size_t length;

	memset(state.version, 'v', sizeof(state.version) - 1);
	state.self.role_count = ROLE_GROUPS;
	state.self.mac_count = WIRE_MACS;
	state.self.router_count = WIRE_ROUTERS;
	for (size_t i = 0; i < ROLE_GROUPS; i++) {
		memset(state.self.roles[i].group, 'g', sizeof(state.self.roles[i].group) - 1);
		memset(state.self.roles[i].why, 'w', sizeof(state.self.roles[i].why) - 1);
		state.self.roles[i].state = ROLE_OBSERVE;
		state.self.roles[i].epoch = UINT32_MAX;
	}
	state.self.routers[WIRE_ROUTERS - 1].mac.bytes[5] = 7;
	wire_out_init(&out, bytes, sizeof(bytes));
	wire_put_state(&out, &state);
	ck_assert(!out.failed);
	length = sizeof(bytes) - out.left;
	cursor_init(&in, bytes, length);
	ck_assert(wire_get_state(&in, &read));
	ck_assert_uint_eq(in.left, 0);
	ck_assert_str_eq(read.self.roles[ROLE_GROUPS - 1].why, state.self.roles[0].why);
	ck_assert_uint_eq(read.self.routers[WIRE_ROUTERS - 1].mac.bytes[5], 7);
	for (size_t shorter = 0; shorter < length; shorter++) {
		cursor_init(&in, bytes, shorter);
		ck_assert(!wire_get_state(&in, &read));
	}
	state.self.roles[3].epoch = UINT64_C(1) << 32;
	wire_out_init(&out, bytes, sizeof(bytes));
	wire_put_state(&out, &state);
	cursor_init(&in, bytes, sizeof(bytes) - out.left);
	ck_assert(!wire_get_state(&in, &read));
	state.self.roles[3].epoch = 0;
	state.self.roles[3].state = ROLE_STATE_COUNT;
	wire_out_init(&out, bytes, sizeof(bytes));
	wire_put_state(&out, &state);
	cursor_init(&in, bytes, sizeof(bytes) - out.left);
	ck_assert(!wire_get_state(&in, &read));
}
END_TEST

START_TEST(test_text_is_printable)
{
	struct wire_server server = { .number = 1, .name = "s1", .reason = "a\033[31mb" }, read;
	uint8_t bytes[256];
	struct wire_out out;
	struct cursor in;

	wire_out_init(&out, bytes, sizeof(bytes));
	wire_put_server(&out, &server);
	cursor_init(&in, bytes, sizeof(bytes) - out.left);
	ck_assert(!wire_get_server(&in, &read));
}
END_TEST

START_TEST(test_header)
{
	const struct wire_header header = { WIRE_BODY, WIRE_FLOWS, UINT64_C(0x0102030405060708) };
	uint8_t bytes[WIRE_HEADER];
	struct wire_header read;

	wire_put_header(bytes, &header);
	ck_assert(wire_get_header(bytes, &read));
	ck_assert_uint_eq(read.length, WIRE_BODY);
	ck_assert_uint_eq(read.type, WIRE_FLOWS);
	ck_assert_uint_eq(read.sequence, UINT64_C(0x0102030405060708));
	bytes[3]++;
	ck_assert(!wire_get_header(bytes, &read));
	bytes[3]--;
	bytes[6] = 1;
	ck_assert(!wire_get_header(bytes, &read));
}
END_TEST

Suite *
wire_suite(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("records");

	tcase_add_test(tcase, test_flows);
	tcase_add_test(tcase, test_flows_refused);
	tcase_add_test(tcase, test_longest);
	tcase_add_test(tcase, test_state);
	tcase_add_test(tcase, test_text_is_printable);
	tcase_add_test(tcase, test_header);
	suite_add_tcase(suite, tcase);
	return suite;
}
