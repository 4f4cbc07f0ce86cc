/* SPDX-License-Identifier: ISC */
/* The doctor's own questions, and what is made of the answers. */
#include "config.h"

#include <string.h>

#include "doctor/examine.h"
#include "model/model.h"
#include "proto/arp.h"
#include "proto/packet.h"
#include "suites.h"

#define HEARD_MOST 16

static const struct mac director_mac = { { 2, 0, 0, 0, 0, 1 } }, server_mac = { { 2, 0, 0, 0, 0, 0x11 } },
    stranger_mac = { { 2, 0, 0, 0, 0, 0x99 } };
static struct examination examination;
static struct subject *subject;
static struct iface iface;
static struct craft *craft;
static struct model *model;

/* What was sent: parsed at once, since crafted frames do not last. */
static struct {
	struct packet packet;
	struct arp arp;
	bool is_arp;
} sent[HEARD_MOST];
static size_t sent_count;

static void
remember(void *context, const struct frame *frame)
{
	ck_assert_ptr_eq(context, &sent_count);
	ck_assert_uint_lt(sent_count, HEARD_MOST);
	ck_assert_int_eq(packet_parse(frame, &sent[sent_count].packet), PACKET_OK);
	sent[sent_count].is_arp = arp_parse(frame, &sent[sent_count].arp) == 0;
	sent_count++;
}

static const struct frame_tx tx = { remember, &sent_count, NULL };

static struct addr
at(const char *text)
{
	struct addr addr = { 0 };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void
setup(void)
{
	char error[256] = "";

	memset(&examination, 0, sizeof(examination));
	memset(&iface, 0, sizeof(iface));
	iface.mac = director_mac;
	iface.addresses[0] = (struct prefix){ at("192.0.2.1"), 24 };
	iface.address_count = 1;
	craft = craft_new(error, sizeof(error));
	ck_assert_msg(craft != NULL, "%s", error);
	model = model_new();
	ck_assert_ptr_nonnull(model);
	subject = &examination.subjects[0];
	examination.count = 1;
	subject->vip = at("192.0.2.10");
	subject->own = at("192.0.2.11");
	subject->mac = server_mac;
	subject->port = 80;
	subject->first = true;
	subject->asks_from_far = true;
	subject->unused[0] = at("192.0.2.101");
	subject->unused[1] = at("192.0.2.202");
	subject->far = at("203.0.113.250");
	subject->far_port = 40001;
	subject->far_sequence = 7;
	sent_count = 0;
}

static void
teardown(void)
{
	craft_free(craft);
	model_free(model);
}

static void
ask(void)
{
	sent_count = 0;
	examine_ask(&examination, craft, &iface, &tx);
}

/* `mac` says that it has `addr`. */
static void
claim(const struct mac *mac, const char *addr)
{
	struct arp arp = { .operation = ARP_REPLY, .sender_mac = *mac, .sender = at(addr), .target_mac = director_mac,
		.target = at("192.0.2.1") };
	const struct frame *frame = craft_arp(craft, &director_mac, &arp);

	ck_assert_ptr_nonnull(frame);
	examine_hear(&examination, frame, model, &iface, 1);
}

START_TEST(asks_all_then_the_server_alone)
{
	const struct addr none = at("0.0.0.0"), director = at("192.0.2.1");

	ask();
	ck_assert_uint_eq(sent_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert(sent[i].is_arp && sent[i].arp.operation == ARP_REQUEST);
		ck_assert(mac_equal(&sent[i].packet.ether_destination, &mac_broadcast));
		/* Nobody learns anything by these questions. */
		ck_assert(addr_equal(&sent[i].arp.sender, &none));
	}
	ck_assert(addr_equal(&sent[0].arp.target, &subject->vip));
	ck_assert(addr_equal(&sent[1].arp.target, &subject->own));
	ask();
	ck_assert_uint_eq(sent_count, 5);
	for (size_t i = 0; i < 4; i++)
		ck_assert(mac_equal(&sent[i].packet.ether_destination, &server_mac));
	ck_assert(addr_equal(&sent[0].arp.target, &subject->vip));
	ck_assert(addr_equal(&sent[1].arp.target, &subject->unused[0]));
	ck_assert(addr_equal(&sent[2].arp.target, &subject->unused[1]));
	ck_assert_uint_eq(sent[3].packet.tcp_flags, TCP_SYN);
	ck_assert(addr_equal(&sent[3].packet.source, &subject->far));
	ck_assert(addr_equal(&sent[3].packet.destination, &subject->vip));
	/* The own address once more, as the director: what takes the director's network for its own does not answer. */
	ck_assert(addr_equal(&sent[4].arp.target, &subject->own) && addr_equal(&sent[4].arp.sender, &director));
	sent_count = 0;
	examine_end(&examination, craft, &iface, &tx);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(sent[0].packet.tcp_flags, TCP_RST);
	ck_assert_uint_eq(sent[0].packet.tcp_sequence, 8);
}
END_TEST

START_TEST(who_answers_is_told_apart)
{
	ask();
	claim(&server_mac, "192.0.2.11");
	ck_assert(mac_is_zero(&subject->twin));
	claim(&server_mac, "192.0.2.10");
	ck_assert(subject->arp_broadcast && !subject->arp_unicast);
	ask();
	claim(&server_mac, "192.0.2.10");
	ck_assert(subject->arp_unicast);
	ck_assert(mac_is_zero(&subject->foreign));
	claim(&director_mac, "192.0.2.10");
	ck_assert(mac_is_zero(&subject->foreign));
	claim(&stranger_mac, "192.0.2.10");
	ck_assert(mac_equal(&subject->foreign, &stranger_mac));
	claim(&stranger_mac, "192.0.2.11");
	ck_assert(mac_equal(&subject->twin, &stranger_mac));
	claim(&stranger_mac, "192.0.2.101");
	claim(&server_mac, "192.0.2.102");
	ck_assert(!subject->unused_answered[0] && !subject->unused_answered[1]);
	claim(&server_mac, "192.0.2.202");
	ck_assert(!subject->unused_answered[0] && subject->unused_answered[1]);
}
END_TEST

START_TEST(an_unknown_mac_is_learned)
{
	subject->mac = mac_zero;
	ask();
	claim(&server_mac, "192.0.2.11");
	ck_assert(mac_equal(&subject->mac, &server_mac));
	ask();
	ck_assert_uint_eq(sent_count, 5);
	/* Without an answer no host can be asked alone. */
	subject->mac = mac_zero;
	ask();
	ck_assert_uint_eq(sent_count, 1);
}
END_TEST

/* `own` is at `mac`, says its answer to `asker`. */
static void
answer_to(const char *asker)
{
	struct arp arp = { .operation = ARP_REPLY, .sender_mac = server_mac, .sender = at("192.0.2.11"),
		.target_mac = director_mac, .target = at(asker) };
	const struct frame *frame = craft_arp(craft, &director_mac, &arp);

	ck_assert_ptr_nonnull(frame);
	examine_hear(&examination, frame, model, &iface, 1);
}

/* A MAC address that was known before proves nothing: the server may have been switched off since. */
START_TEST(silence_is_known_after_the_second_round)
{
	ask();
	ck_assert(!examine_is_silent(&examination, subject));
	ask();
	ck_assert(examine_is_silent(&examination, subject));
	answer_to("0.0.0.0");
	ck_assert(!examine_is_silent(&examination, subject));
	ck_assert(subject->requested_as && !subject->answered_as);
	answer_to("192.0.2.1");
	ck_assert(subject->answered_as);
}
END_TEST

START_TEST(an_answer_to_a_far_client_makes_a_gateway)
{
	struct craft_tcp tcp = { .source_port = 80, .destination_port = 40001, .flags = TCP_SYN | TCP_ACK };
	const struct frame *frame;

	ask();
	ask();
	tcp.ends.ether_source = server_mac;
	tcp.ends.ether_destination = director_mac;
	tcp.ends.source = subject->vip;
	tcp.ends.destination = at("203.0.113.249");
	frame = craft_tcp(craft, &tcp);
	ck_assert_ptr_nonnull(frame);
	examine_hear(&examination, frame, model, &iface, 1);
	ck_assert(!subject->gateway);
	tcp.ends.destination = subject->far;
	frame = craft_tcp(craft, &tcp);
	ck_assert_ptr_nonnull(frame);
	examine_hear(&examination, frame, model, &iface, 1);
	ck_assert(subject->gateway);
}
END_TEST

/* A machine may have the right gateway for one family, and the director for the other. */
START_TEST(a_machine_is_asked_from_far_once_for_each_family)
{
	static const struct {
		const char *vip;
		uint8_t protocol;
		bool far;
	} vips[] = { { "192.0.2.8", PROTOCOL_UDP, false }, { "192.0.2.10", PROTOCOL_TCP, true },
		{ "2001:db8::10", PROTOCOL_TCP, true }, { "192.0.2.9", PROTOCOL_TCP, false } };
	struct listen_settings listens[ARRAY_LEN(vips)] = { 0 };
	struct service service = { .settings = { .listens = listens, .listen_count = ARRAY_LEN(vips) } };
	struct server server = { .service = &service, .settings = { .addr = at("192.0.2.11") } };

	for (size_t i = 0; i < ARRAY_LEN(vips); i++)
		listens[i] = (struct listen_settings) { .vip = at(vips[i].vip), .protocol = vips[i].protocol,
		    .first = 80,
			.last = 80 };
	examination.count = 0;
	ck_assert(examine_add(&examination, &server, &iface, 1));
	ck_assert_uint_eq(examination.count, ARRAY_LEN(vips));
	for (size_t i = 0; i < ARRAY_LEN(vips); i++)
		ck_assert_int_eq(examination.subjects[i].asks_from_far, vips[i].far);
}
END_TEST

START_TEST(nothing_is_heard_before_the_first_question)
{
	claim(&stranger_mac, "192.0.2.10");
	ck_assert(mac_is_zero(&subject->foreign));
}
END_TEST

Suite *
examine_suite(void)
{
	Suite *suite = suite_create("examine");
	TCase *tcase = tcase_create("examine");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, asks_all_then_the_server_alone);
	tcase_add_test(tcase, who_answers_is_told_apart);
	tcase_add_test(tcase, an_unknown_mac_is_learned);
	tcase_add_test(tcase, silence_is_known_after_the_second_round);
	tcase_add_test(tcase, an_answer_to_a_far_client_makes_a_gateway);
	tcase_add_test(tcase, a_machine_is_asked_from_far_once_for_each_family);
	tcase_add_test(tcase, nothing_is_heard_before_the_first_question);
	suite_add_tcase(suite, tcase);
	return suite;
}
