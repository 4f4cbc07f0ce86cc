/* SPDX-License-Identifier: ISC */
/* The stream of a trace, from the director to dsrctl, and the capture file that dsrctl makes of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/trace.h"
#include "ctl/trace_record.h"
#include "suites.h"

static uint8_t stream[TRACE_RECORD_MOST];
static const uint8_t came[] = "the frame as it came", left[] = "and as it left";

static void
set_ends(struct trace_ends *ends, const char *source, const char *destination, uint16_t source_port,
    uint16_t destination_port)
{
	ck_assert_int_eq(addr_parse(source, &ends->source), 0);
	ck_assert_int_eq(addr_parse(destination, &ends->destination), 0);
	ends->source_port = source_port;
	ends->destination_port = destination_port;
	ends->has_ports = source_port != 0;
}

static void
fill(struct trace_record *record)
{
	memset(record, 0, sizeof(*record));
	record->kind = TRACE_DECISION;
	record->when = UINT64_C(1700000000123456);
	record->begins = true;
	record->has_ports = true;
	ck_assert_int_eq(addr_parse("2001:db8::7", &record->client), 0);
	ck_assert_int_eq(addr_parse("2001:db8::10", &record->vip), 0);
	record->client_port = 40000;
	record->vip_port = 443;
	ck_assert_int_eq(mac_parse("02:00:00:00:00:99", &record->came_from), 0);
	ck_assert_int_eq(mac_parse("02:00:00:00:00:11", &record->left_to), 0);
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		snprintf(record->texts[i], TRACE_TEXT, "text%zu", i);
	record->texts[TRACE_REASON][0] = '\0';
	snprintf(record->way.method, TRACE_TEXT, "gue");
	snprintf(record->way.inner_protocol, TRACE_TEXT, "tcp");
	ck_assert_int_eq(addr_parse("192.0.2.254", &record->way.gateway), 0);
	set_ends(&record->way.outer, "192.0.2.1", "203.0.113.11", 50000, 6080);
	set_ends(&record->way.inner, "2001:db8::7", "2001:db8::10", 40000, 443);
	record->frames[0] = (struct trace_frame){ false, 1500, sizeof(came), came };
	record->frames[1] = (struct trace_frame){ true, sizeof(left), sizeof(left), left };
	record->frame_count = 2;
}

START_TEST(what_is_written_is_read)
{
	struct trace_record *in = calloc(1, sizeof(*in)), *out = calloc(1, sizeof(*out));
	size_t length, used = 0;
	char way[TRACE_WAY_TEXT];

	ck_assert(in != NULL && out != NULL);
	fill(in);
	length = trace_record_write(in, stream, sizeof(stream));
	ck_assert_uint_gt(length, 0);
	for (size_t i = 0; i < length; i++)
		ck_assert_int_eq(trace_record_read(stream, i, out, &used), TRACE_MORE);
	ck_assert_int_eq(trace_record_read(stream, sizeof(stream), out, &used), TRACE_READ);
	ck_assert_uint_eq(used, length);
	ck_assert_uint_eq(out->when, in->when);
	ck_assert(out->begins && out->has_ports && !out->incomplete);
	ck_assert(addr_equal(&in->client, &out->client) && addr_equal(&in->vip, &out->vip));
	ck_assert_uint_eq(out->client_port, 40000);
	ck_assert_uint_eq(out->vip_port, 443);
	ck_assert(mac_equal(&in->came_from, &out->came_from) && mac_equal(&in->left_to, &out->left_to));
	ck_assert(mac_is_zero(&out->left_from));
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		ck_assert_str_eq(out->texts[i], in->texts[i]);
	ck_assert_str_eq(trace_way_text(&out->way, way), " method=gue gateway=192.0.2.254 "
	    "outer=192.0.2.1:50000>203.0.113.11:6080 inner-protocol=tcp "
	    "inner=[2001:db8::7]:40000>[2001:db8::10]:443");
	ck_assert_uint_eq(out->frame_count, 2);
	ck_assert_uint_eq(out->frames[0].wire, 1500);
	ck_assert(!out->frames[0].left && out->frames[1].left);
	ck_assert_uint_eq(out->frames[1].length, sizeof(left));
	ck_assert_mem_eq(out->frames[1].bytes, left, sizeof(left));
	ck_assert_uint_eq(trace_record_write(in, stream, length - 1), 0);
	free(in);
	free(out);
}
END_TEST

/* Only what there is: nothing for mac on the link; no ports of IPIP; a DSCP; the tunnel in which a frame came. */
START_TEST(ways_are_words)
{
	struct trace_way way = { .dscp = 0 };
	char text[TRACE_WAY_TEXT];

	ck_assert_str_eq(trace_way_text(&way, text), "");
	snprintf(way.method, TRACE_TEXT, "dscp");
	set_ends(&way.outer, "198.51.100.7", "203.0.113.11", 0, 0);
	way.dscp = 5;
	ck_assert_str_eq(trace_way_text(&way, text), " method=dscp outer=198.51.100.7>203.0.113.11 dscp=5");
	way = (struct trace_way){ .tunnel = "ipip", .inner_protocol = "icmp" };
	set_ends(&way.inner, "198.51.100.7", "192.0.2.10", 0, 0);
	ck_assert_str_eq(trace_way_text(&way, text), " tunnel=ipip inner-protocol=icmp inner=198.51.100.7>192.0.2.10");
	/* A stream of anyone's may have the longest texts. */
	memset(way.method, 'm', TRACE_TEXT - 1);
	memset(way.tunnel, 't', TRACE_TEXT - 1);
	memset(way.inner_protocol, 'p', TRACE_TEXT - 1);
	set_ends(&way.outer, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", 65535, 65535);
	way.inner = way.outer;
	way.gateway = way.outer.source;
	ck_assert_uint_lt(strlen(trace_way_text(&way, text)), TRACE_WAY_TEXT - 1);
	ck_assert_ptr_nonnull(strstr(text, ":fffe]:65535"));
}
END_TEST

START_TEST(what_was_skipped_is_told)
{
	struct trace_record *record = calloc(1, sizeof(*record));
	size_t length, used;

	ck_assert_ptr_nonnull(record);
	record->kind = TRACE_SKIPPED;
	record->skipped = UINT64_C(5000000000);
	length = trace_record_write(record, stream, sizeof(stream));
	ck_assert_uint_eq(length, 13);
	memset(record, 0, sizeof(*record));
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_READ);
	ck_assert_int_eq(record->kind, TRACE_SKIPPED);
	ck_assert_uint_eq(record->skipped, UINT64_C(5000000000));
	free(record);
}
END_TEST

/* What is no such stream is refused, wherever it is wrong; and no text steers a terminal. */
START_TEST(garbled_streams_are_refused)
{
	struct trace_record *record = calloc(1, sizeof(*record));
	size_t length, used;

	ck_assert_ptr_nonnull(record);
	fill(record);
	memcpy(record->texts[TRACE_SERVER], "a\033[2Jb", 7);
	length = trace_record_write(record, stream, sizeof(stream));
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_READ);
	ck_assert_str_eq(record->texts[TRACE_SERVER], "a?[2Jb");
	stream[4] = 7;
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_GARBLED);
	stream[4] = TRACE_DECISION;
	store32(stream, (uint32_t)length - 5);
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_GARBLED);
	store32(stream, (uint32_t)length - 3);
	ck_assert_int_eq(trace_record_read(stream, length + 1, record, &used), TRACE_GARBLED);
	store32(stream, 0);
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_GARBLED);
	store32(stream, TRACE_RECORD_MOST + 1);
	ck_assert_int_eq(trace_record_read(stream, length, record, &used), TRACE_GARBLED);
	free(record);
}
END_TEST

/* Each block says its length at both ends, in units of four bytes. */
START_TEST(capture_files_are_made_of_blocks)
{
	static const char *const names[] = { "in", "out", NULL };
	static const uint32_t types[] = { 0x0a0d0d0a, 1, 1, 6, 6 };
	char *bytes = NULL;
	size_t length = 0, at = 0, block = 0;
	FILE *out = open_memstream(&bytes, &length);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(pcapng_begin(out, "test", names), 0);
	ck_assert_int_eq(pcapng_frame(out, 0, UINT64_C(1700000000123456), came, sizeof(came), 1500, "a comment"), 0);
	ck_assert_int_eq(pcapng_frame(out, 1, UINT64_C(1700000000123456), left, 4, 4, "four"), 0);
	ck_assert_int_eq(fclose(out), 0);
	for (; at < length; block++) {
		const uint8_t *here = (const uint8_t *)bytes + at;
		const uint32_t size = load32(here + 4);

		ck_assert_uint_lt(block, 5);
		ck_assert_uint_eq(load32(here), types[block]);
		ck_assert_uint_eq(size % 4, 0);
		ck_assert_uint_le(size, length - at);
		ck_assert_uint_eq(load32(here + size - 4), size);
		if (block == 3) {
			ck_assert_uint_eq((uint64_t)load32(here + 12) << 32 | load32(here + 16),
			    UINT64_C(1700000000123456));
			ck_assert_uint_eq(load32(here + 20), sizeof(came));
			ck_assert_uint_eq(load32(here + 24), 1500);
			ck_assert_mem_eq(here + 28, came, sizeof(came));
			ck_assert_uint_eq(load32(here + 28 + 24), 1 << 16 | 9);
			ck_assert_mem_eq(here + 28 + 24 + 4, "a comment", 9);
		}
		at += size;
	}
	ck_assert_uint_eq(block, 5);
	free(bytes);
}
END_TEST

Suite *
trace_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");

	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, ways_are_words);
	tcase_add_test(tcase, what_was_skipped_is_told);
	tcase_add_test(tcase, garbled_streams_are_refused);
	tcase_add_test(tcase, capture_files_are_made_of_blocks);
	suite_add_tcase(suite, tcase);
	return suite;
}
