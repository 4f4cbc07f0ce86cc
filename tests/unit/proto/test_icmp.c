/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "proto/icmp.h"
#include "sample.h"
#include "suites.h"

#define ERROR_HEADER 8

/* Turns a client's frame to the VIP into what the VIP answered: addresses and ports change places. */
static struct frame
make_answer(const struct sample *sample)
{
	struct frame frame = sample_make(sample);
	uint8_t *ip = frame.bytes + (sample->tagged ? 18 : 14);
	uint8_t *l4 = frame.bytes + sample_l4(sample);
	const uint32_t size = sample->ipv6 ? 16 : 4;
	uint8_t *source = ip + (sample->ipv6 ? 8 : 12);
	uint8_t kept[16];

	memcpy(kept, source, size);
	memcpy(source, source + size, size);
	memcpy(source + size, kept, size);
	if (sample_l4_length(sample) >= 4) {
		memcpy(kept, l4, 2);
		memcpy(l4, l4 + 2, 2);
		memcpy(l4 + 2, kept, 2);
	}
	return frame;
}

/* An error to the VIP that quotes the first `quoted` bytes of what `inner` describes. */
static struct frame
make_error(const struct sample *inner, uint8_t type, uint8_t code, uint32_t quoted, bool tagged)
{
	struct sample outer = { .ipv6 = inner->ipv6, .protocol = inner->ipv6 ? 58 : 1, .tagged = tagged,
		.payload = ERROR_HEADER + quoted };
	struct frame frame = sample_make(&outer), answer = make_answer(inner);
	uint8_t *icmp = frame.bytes + sample_l4(&outer);

	ck_assert_uint_le(quoted, answer.length - 14);
	icmp[0] = type;
	icmp[1] = code;
	store32(icmp + 4, 0x00000514); /* an MTU of 1300, in both families */
	memcpy(icmp + ERROR_HEADER, answer.bytes + 14, quoted);
	sample_free(&answer);
	return frame;
}

static struct packet
parsed(const struct frame *frame)
{
	struct packet packet;

	ck_assert_int_eq(packet_parse(frame, &packet), PACKET_OK);
	return packet;
}

static void
assert_flow(const struct icmp_inner *inner, bool ipv6, bool ports)
{
	static const uint8_t client[16] = SAMPLE_CLIENT6, vip[16] = SAMPLE_VIP6;
	static const uint8_t client4[4] = SAMPLE_CLIENT, vip4[4] = SAMPLE_VIP;
	struct addr destination = ipv6 ? addr_from_ipv6(client) : addr_from_ipv4(client4);
	struct addr source = ipv6 ? addr_from_ipv6(vip) : addr_from_ipv4(vip4);

	ck_assert(addr_equal(&inner->source, &source));
	ck_assert(addr_equal(&inner->destination, &destination));
	ck_assert_int_eq(inner->has_ports, ports);
	ck_assert_uint_eq(inner->source_port, ports ? SAMPLE_VIP_PORT : 0);
	ck_assert_uint_eq(inner->destination_port, ports ? SAMPLE_CLIENT_PORT : 0);
}

#define EXTENSIONS4 .extension_count = 4, .extensions = { 0, 60, 43, 44 }
static const struct {
	const char *what;
	struct sample inner;
	uint8_t type, code;
	bool ports;
	uint32_t mtu;
} errors[] = {
	{ "host unreachable", { .protocol = 6, .payload = 20 }, 3, 1, true, 0 },
	{ "port unreachable", { .protocol = 17, .payload = 20 }, 3, 3, true, 0 },
	{ "fragmentation needed", { .protocol = 6, .payload = 1400 }, 3, 4, true, 1300 },
	{ "source quench", { .protocol = 6, .payload = 20 }, 4, 0, true, 0 },
	{ "time exceeded", { .protocol = 17, .payload = 20 }, 11, 0, true, 0 },
	{ "parameter problem", { .protocol = 6, .payload = 20, .ip_options = 40 }, 12, 0, true, 0 },
	{ "an echo", { .protocol = 1, .payload = 20 }, 3, 1, false, 0 },
	{ "GRE", { .protocol = 47, .payload = 20 }, 3, 2, false, 0 },
	{ "a first fragment", { .protocol = 17, .payload = 20, .fragment = 0x2000 }, 11, 1, true, 0 },
	{ "a later fragment", { .protocol = 17, .payload = 20, .fragment = 0x2005 }, 11, 1, false, 0 },
	{ "no route", { .ipv6 = true, .protocol = 6, .payload = 20 }, 1, 0, true, 0 },
	{ "too big", { .ipv6 = true, .protocol = 6, .payload = 1200 }, 2, 0, true, 1300 },
	{ "hop limit", { .ipv6 = true, .protocol = 17, .payload = 20 }, 3, 0, true, 0 },
	{ "parameter problem 6", { .ipv6 = true, .protocol = 6 }, 4, 1, true, 0 },
	{ "a chain", { .ipv6 = true, .protocol = 6, EXTENSIONS4 }, 2, 0, true, 1300 },
	{ "a first fragment 6", { .ipv6 = true, .protocol = 6, EXTENSIONS4, .fragment = 1 }, 3, 1, true, 0 },
	{ "a later fragment 6", { .ipv6 = true, .protocol = 6, EXTENSIONS4, .fragment = 80 }, 3, 1, false, 0 },
	{ "an echo 6", { .ipv6 = true, .protocol = 58, .payload = 20 }, 1, 0, false, 0 },
	{ "ESP", { .ipv6 = true, .protocol = 50, .payload = 20 }, 1, 0, false, 0 },
};

START_TEST(icmp_reads_errors)
{
	const struct sample *sample = &errors[_i].inner;

	for (int tagged = 0; tagged < 2; tagged++) {
		struct frame frame = make_error(sample, errors[_i].type, errors[_i].code,
		    sample_l4(sample) + sample_l4_length(sample) - 14, tagged == 1);
		struct packet packet = parsed(&frame);
		struct icmp_inner inner;

		ck_assert(icmp_is_error(&packet));
		ck_assert(!icmp_is_echo_request(&packet));
		ck_assert_msg(icmp_inner(&frame, &packet, &inner) == 0, "%s", errors[_i].what);
		assert_flow(&inner, sample->ipv6, errors[_i].ports);
		ck_assert_uint_eq(inner.protocol, sample->protocol);
		ck_assert_uint_eq(inner.mtu, errors[_i].mtu);
		sample_free(&frame);
	}
}
END_TEST

/* Every length of quotation: nothing without the whole IP header, ports once 8 bytes of transport are there. */
START_TEST(icmp_reads_cut_quotations)
{
	struct sample sample = errors[_i].inner;
	uint32_t l4;
	struct icmp_inner inner, before;

	sample.payload = 12;
	l4 = sample_l4(&sample) - 14;
	/* A later fragment's chain ends with the fragment header, which is the last here. */
	for (uint32_t quoted = 0; quoted <= l4 + sample_l4_length(&sample); quoted++) {
		struct frame frame = make_error(&sample, errors[_i].type, errors[_i].code, quoted, false);
		struct packet packet = parsed(&frame);
		int result;

		memset(&inner, 0x5a, sizeof(inner));
		before = inner;
		result = icmp_inner(&frame, &packet, &inner);
		ck_assert_msg(result == (quoted < l4 ? -1 : 0), "%s: %u", errors[_i].what, quoted);
		if (result == 0)
			assert_flow(&inner, sample.ipv6, errors[_i].ports && quoted >= l4 + 8);
		else
			ck_assert_mem_eq(&inner, &before, sizeof(inner));
		sample_free(&frame);
	}
}
END_TEST

static const struct {
	const char *what;
	bool ipv6;
	uint32_t offset; /* in the quoted IP header */
	uint8_t value;
	int result;
} spoilt[] = {
	{ "version 6 in IPv4", false, 0, 0x65, -1 },
	{ "header length 16", false, 0, 0x44, -1 },
	{ "header longer than all", false, 0, 0x4f, -1 },
	{ "total length high", false, 2, 0xff, 0 }, /* some quote it in another byte order, or less their header */
	{ "total length low", false, 3, 0, 0 },
	{ "wrong checksum", false, 10, 0x12, 0 },
	{ "time to live gone", false, 8, 0, 0 },
	{ "another sender", false, 12, 1, -1 },
	{ "version 4 in IPv6", true, 0, 0x45, -1 },
	{ "payload length", true, 4, 0xff, 0 },
	{ "hop limit gone", true, 7, 0, 0 },
	{ "another sender 6", true, 23, 9, -1 },
	{ "hop-by-hop too long", true, 6, 0, -1 },
};

START_TEST(icmp_judges_quotations)
{
	struct sample sample = { .ipv6 = spoilt[_i].ipv6, .protocol = 6 };
	struct frame frame = make_error(&sample, spoilt[_i].ipv6 ? 1 : 3, 1, sample_l4(&sample) - 14 + 8, false);
	struct packet packet = parsed(&frame);
	struct icmp_inner inner;

	frame.bytes[packet.payload + spoilt[_i].offset] = spoilt[_i].value;
	ck_assert_msg(icmp_inner(&frame, &packet, &inner) == spoilt[_i].result, "%s", spoilt[_i].what);
	sample_free(&frame);
}
END_TEST

/* All types of both families: which are errors, which echo. */
START_TEST(icmp_knows_types)
{
	const bool ipv6 = _i == 1;
	struct sample sample = { .ipv6 = ipv6, .protocol = ipv6 ? 58 : 1, .payload = 100 };
	struct frame frame = sample_make(&sample);
	const uint32_t l4 = sample_l4(&sample);

	for (int type = 0; type < 256; type++) {
		struct packet packet;
		struct icmp_echo echo;
		bool error = ipv6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11 || type == 12;
		bool request = type == (ipv6 ? 128 : 8), reply = type == (ipv6 ? 129 : 0);

		frame.bytes[l4] = (uint8_t)type;
		packet = parsed(&frame);
		ck_assert_int_eq(icmp_is_error(&packet), error);
		ck_assert_int_eq(icmp_is_echo_request(&packet), request);
		ck_assert_int_eq(icmp_echo(&frame, &packet, &echo), request || reply ? 0 : -1);
		if (!request && !reply)
			continue;
		ck_assert_uint_eq(echo.identifier, 0x0405);
		ck_assert_uint_eq(echo.sequence, 0x0607);
		ck_assert_uint_eq(echo.data, l4 + 8);
		ck_assert_uint_eq(packet.end - echo.data, 92);
	}
	sample_free(&frame);
}
END_TEST

/* The first bytes of a later fragment are data, and a part of an echo is none. */
START_TEST(icmp_is_not_read_in_fragments)
{
	const bool ipv6 = _i >= 2, first = _i % 2 == 0;
	struct sample sample = { .ipv6 = ipv6, .protocol = ipv6 ? 58 : 1, .payload = 100, .seed = ipv6 ? 128 : 8,
		.extension_count = ipv6 ? 1 : 0, .extensions = { 44 } };
	struct frame frame;
	struct packet packet;
	struct icmp_echo echo;
	struct icmp_inner inner;

	if (ipv6)
		sample.fragment = first ? 1 : 8;
	else
		sample.fragment = first ? 0x2000 : 0x0001;
	frame = sample_make(&sample);
	packet = parsed(&frame);
	ck_assert_int_eq(icmp_is_echo_request(&packet), first);
	ck_assert_int_eq(icmp_echo(&frame, &packet, &echo), -1);
	frame.bytes[packet.l4] = 3;
	packet = parsed(&frame);
	ck_assert_int_eq(icmp_is_error(&packet), first);
	if (!first)
		ck_assert_int_eq(icmp_inner(&frame, &packet, &inner), -1);
	sample_free(&frame);
}
END_TEST

/* A redirect to the VIP: in IPv6 the quotation is an option behind two addresses, and perhaps behind another option. */
static struct frame
make_redirect(const struct sample *inner, uint32_t quoted, bool other_option)
{
	const uint32_t before = (inner->ipv6 ? ERROR_HEADER + 32 + 8 : ERROR_HEADER) + (other_option ? 8 : 0);
	struct sample outer = { .ipv6 = inner->ipv6, .protocol = inner->ipv6 ? 58 : 1, .payload = before + quoted };
	struct frame frame = sample_make(&outer), answer = make_answer(inner);
	uint8_t *icmp = frame.bytes + sample_l4(&outer);

	memset(icmp, 0, before);
	icmp[0] = inner->ipv6 ? 137 : 5;
	if (other_option) {
		icmp[before - 16] = 2; /* RFC 4861 section 4.6.1: the target's MAC */
		icmp[before - 15] = 1;
	}
	if (inner->ipv6) {
		icmp[before - 8] = 4;
		icmp[before - 7] = (uint8_t)(quoted / 8 + 1);
	}
	memcpy(icmp + before, answer.bytes + 14, quoted);
	sample_free(&answer);
	return frame;
}

START_TEST(icmp_reads_redirects)
{
	const struct sample inner = { .protocol = 17, .payload = 28, .ipv6 = _i > 0 };
	const uint32_t whole = _i > 0 ? 64 : 40;
	struct icmp_inner read;
	struct packet packet;
	struct frame frame = make_redirect(&inner, whole, _i == 2);
	const uint8_t *quoted;

	packet = parsed(&frame);
	ck_assert(icmp_is_redirect(&packet) && !icmp_is_error(&packet));
	ck_assert_int_eq(icmp_inner(&frame, &packet, &read), -1);
	ck_assert_int_eq(icmp_redirected(&frame, &packet, &read), 0);
	assert_flow(&read, _i > 0, true);
	quoted = frame.bytes + packet.end - whole;
	ck_assert_uint_eq(read.second, load32(quoted + (_i > 0 ? 44 : 24)));
	ck_assert_uint_eq(read.ident, _i > 0 ? load32(quoted) & 0xfffff : load16(quoted + 4));
	if (_i > 0) {
		/* An option without length, and one that ends behind the packet. */
		frame.bytes[packet.end - whole - 7] = 0;
		ck_assert_int_eq(icmp_redirected(&frame, &packet, &read), -1);
		frame.bytes[packet.end - whole - 7] = (uint8_t)(whole / 8 + 2);
		ck_assert_int_eq(icmp_redirected(&frame, &packet, &read), -1);
	}
	sample_free(&frame);
	/* Cut before the ports end. */
	frame = make_redirect(&inner, _i > 0 ? 40 : 24, _i == 2);
	packet = parsed(&frame);
	ck_assert(icmp_redirected(&frame, &packet, &read) == -1 || !read.has_ports);
	sample_free(&frame);
}
END_TEST

START_TEST(icmp_is_no_other_protocol)
{
	struct sample sample = { .protocol = 17, .payload = 60 };
	struct frame frame = sample_make(&sample);
	struct packet packet = parsed(&frame);
	struct icmp_inner inner;
	struct icmp_echo echo;

	packet.icmp_type = 3;
	ck_assert(!icmp_is_error(&packet));
	ck_assert_int_eq(icmp_inner(&frame, &packet, &inner), -1);
	packet.icmp_type = 8;
	ck_assert(!icmp_is_echo_request(&packet));
	ck_assert_int_eq(icmp_echo(&frame, &packet, &echo), -1);
	sample_free(&frame);
}
END_TEST

Suite *
icmp_suite(void)
{
	Suite *suite = suite_create("icmp");
	TCase *tcase = tcase_create("icmp");

	tcase_add_loop_test(tcase, icmp_reads_errors, 0, (int)ARRAY_LEN(errors));
	tcase_add_loop_test(tcase, icmp_reads_cut_quotations, 0, (int)ARRAY_LEN(errors));
	tcase_add_loop_test(tcase, icmp_judges_quotations, 0, (int)ARRAY_LEN(spoilt));
	tcase_add_loop_test(tcase, icmp_knows_types, 0, 2);
	tcase_add_loop_test(tcase, icmp_is_not_read_in_fragments, 0, 4);
	tcase_add_loop_test(tcase, icmp_reads_redirects, 0, 3);
	tcase_add_test(tcase, icmp_is_no_other_protocol);
	suite_add_tcase(suite, tcase);
	return suite;
}
