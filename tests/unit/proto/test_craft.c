/* SPDX-License-Identifier: ISC */
/* Needs no privilege, as the contract says: run it as any user. */
#include "config.h"

#include <string.h>

#include "proto/arp.h"
#include "proto/craft.h"
#include "suites.h"

static struct craft *craft;

static void
set_up(void)
{
	char error[256] = "";

	craft = craft_new(error, sizeof(error));
	ck_assert_msg(craft != NULL, "%s", error);
}

static void
tear_down(void)
{
	craft_free(craft);
}

static struct addr
parsed(const char *text)
{
	struct addr addr = { .family = ADDR_NONE };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static const struct mac ours = { { 2, 0, 0, 0, 0, 1 } };
static const struct mac theirs = { { 2, 0, 0, 0, 0, 7 } };

static const uint8_t reply_bytes[42] = {
	2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 2,
	2, 0, 0, 0, 0, 1, 192, 0, 2, 10, 2, 0, 0, 0, 0, 7, 192, 0, 2, 7
};

static const uint8_t request_bytes[42] = {
	255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1,
	2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 11
};

static const struct frame *
craft_reply(void)
{
	struct arp arp = { .operation = ARP_REPLY, .sender_mac = ours, .sender = parsed("192.0.2.10"),
		.target_mac = theirs, .target = parsed("192.0.2.7") };

	return craft_arp(craft, &theirs, &arp);
}

static const struct frame *
craft_request(void)
{
	struct arp arp = { .operation = ARP_REQUEST, .sender_mac = ours, .sender = parsed("192.0.2.1"),
		.target = parsed("192.0.2.11") };

	return craft_arp(craft, &mac_broadcast, &arp);
}

START_TEST(craft_makes_a_reply)
{
	const struct frame *frame = craft_reply();

	ck_assert_ptr_nonnull(frame);
	ck_assert_uint_eq(frame->length, sizeof(reply_bytes));
	ck_assert_uint_eq(frame->wire_length, sizeof(reply_bytes));
	ck_assert_mem_eq(frame->bytes, reply_bytes, sizeof(reply_bytes));
}
END_TEST

START_TEST(craft_makes_a_request)
{
	const struct frame *frame = craft_request();

	ck_assert_ptr_nonnull(frame);
	ck_assert_uint_eq(frame->length, sizeof(request_bytes));
	ck_assert_mem_eq(frame->bytes, request_bytes, sizeof(request_bytes));
}
END_TEST

/* Frames made in turn do not show in each other, nor grow. */
START_TEST(craft_can_be_used_often)
{
	for (int i = 0; i < 1000; i++) {
		const struct frame *frame = i % 2 == 0 ? craft_request() : craft_reply();

		ck_assert_ptr_nonnull(frame);
		ck_assert_uint_eq(frame->length, 42);
		ck_assert_mem_eq(frame->bytes, i % 2 == 0 ? request_bytes : reply_bytes, 42);
	}
}
END_TEST

START_TEST(craft_is_read_by_arp_parse)
{
	const struct frame *frame = craft_reply();
	struct arp arp;

	ck_assert_ptr_nonnull(frame);
	ck_assert_int_eq(arp_parse(frame, &arp), 0);
	ck_assert_int_eq(arp.operation, ARP_REPLY);
	ck_assert(mac_equal(&arp.sender_mac, &ours));
	ck_assert(mac_equal(&arp.target_mac, &theirs));
}
END_TEST

START_TEST(craft_free_takes_null)
{
	craft_free(NULL);
}
END_TEST

static void
keep_frame(void *context, const struct frame *frame)
{
	*(struct frame *)context = *frame;
}

/* What one of several interfaces made has no interface of its own, and is not changed by being sent. */
START_TEST(craft_is_sent_at_an_interface)
{
	uint8_t bytes[14] = { 0 };
	struct frame sent = { .iface = 9 };
	const struct frame made = frame_of(bytes, sizeof(bytes), 0);
	const struct frame_tx tx = { keep_frame, &sent, NULL };

	ck_assert(!frame_tx_send(&tx, NULL, 3));
	ck_assert_uint_eq(sent.iface, 9);
	ck_assert(frame_tx_send(&tx, &made, 3));
	ck_assert_uint_eq(sent.iface, 3);
	ck_assert_uint_eq(made.iface, 0);
	ck_assert_ptr_eq(sent.bytes, bytes);
	ck_assert_uint_eq(sent.length, sizeof(bytes));
}
END_TEST

Suite *
craft_suite(void)
{
	Suite *suite = suite_create("craft");
	TCase *tcase = tcase_create("craft");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, craft_makes_a_reply);
	tcase_add_test(tcase, craft_makes_a_request);
	tcase_add_test(tcase, craft_can_be_used_often);
	tcase_add_test(tcase, craft_is_read_by_arp_parse);
	tcase_add_test(tcase, craft_free_takes_null);
	tcase_add_test(tcase, craft_is_sent_at_an_interface);
	suite_add_tcase(suite, tcase);
	return suite;
}
