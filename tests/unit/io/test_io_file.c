/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "io/io.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/duration.h"

Suite *io_file_suite(void);

#define SEEN_MOST 8

/* What a dispatch() delivered. */
struct seen {
	size_t count;
	struct record {
		uint64_t when;
		uint32_t length, wire_length;
		uint16_t iface;
		uint8_t first, last;
	} records[SEEN_MOST];
};

static char directory[64];
static char path[128];

static void
setup(void)
{
	(void)snprintf(directory, sizeof(directory), "%s", "/tmp/dsrd-io.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/file.pcap", directory);
}

static void
teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void
remember(void *context, struct frame *frame, uint64_t when)
{
	struct seen *seen = context;
	struct record *record = &seen->records[seen->count++];

	ck_assert_uint_le(seen->count, SEEN_MOST);
	record->when = when;
	record->length = frame->length;
	record->wire_length = frame->wire_length;
	record->iface = frame->iface;
	if (frame->length > 0) {
		record->first = frame->bytes[0];
		record->last = frame->bytes[frame->length - 1];
		frame->bytes[0] = 0xee; /* frames are writable: a fault shows here */
	}
}

static void
put(const void *bytes, size_t length)
{
	FILE *file = fopen(path, "ab");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

/* 32-bit words in this machine's order, as savefiles have them. */
static void
put_words(const uint32_t *words, size_t count)
{
	put(words, count * sizeof(*words));
}

/* The header of a savefile: magic number, version 2.4, zone, accuracy, snaplen, link type. */
static void
put_header(uint32_t magic, uint32_t link)
{
	uint16_t version[2] = {2, 4};
	uint32_t rest[4] = {0, 0, 262144, link};

	put(&magic, sizeof(magic));
	put(version, sizeof(version));
	put_words(rest, ARRAY_LEN(rest));
}

static void
put_record(uint32_t seconds, uint32_t fraction, uint32_t captured, uint32_t length)
{
	uint32_t header[4] = {seconds, fraction, captured, length};
	uint8_t bytes[256];

	ck_assert_uint_le(captured, sizeof(bytes));
	memset(bytes, 0xab, sizeof(bytes));
	put_words(header, ARRAY_LEN(header));
	put(bytes, captured);
}

static struct receiver *
open_file(void)
{
	char error[IO_ERROR] = "";
	struct receiver *receiver = io_file_read(path, 3, error);

	ck_assert_msg(receiver != NULL, "%s", error);
	return receiver;
}

static int
dispatch(struct receiver *receiver, int budget, struct seen *seen)
{
	char error[IO_ERROR] = "";

	memset(seen, 0, sizeof(*seen));
	return receiver->ops->dispatch(receiver, budget, remember, seen, error);
}

static void
write_three(void)
{
	static uint8_t bytes[FRAME_MOST];
	static const uint32_t lengths[3] = {60, FRAME_MOST, 1};
	char error[IO_ERROR] = "";
	struct sender *sender = io_file_write(path, error);

	ck_assert_msg(sender != NULL, "%s", error);
	for (uint8_t i = 0; i < 3; i++) {
		struct frame frame = {.bytes = bytes, .length = lengths[i], .wire_length = lengths[i]};

		memset(bytes, 0x10 + i, sizeof(bytes));
		io_file_time(sender, SECONDS(1700000000 + i) + 999990 + i);
		sender->ops->send(sender, &frame);
		sender->ops->flush(sender);
	}
	ck_assert_uint_eq(sender->stats.sent, 3);
	ck_assert_uint_eq(sender->stats.failed, 0);
	ck_assert_int_eq(sender->ops->descriptor(sender), -1);
	ck_assert_msg(sender->ops->close(sender, error) == 0, "%s", error);
}

START_TEST(reads_what_was_written)
{
	struct receiver_stats stats;
	struct receiver *receiver;
	struct seen seen;

	write_three();
	receiver = open_file();
	ck_assert_int_eq(receiver->ops->descriptor(receiver), -1);
	ck_assert_ptr_null(receiver->ops->wait(receiver));
	ck_assert_int_eq(dispatch(receiver, 2, &seen), 2);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_uint_eq(seen.records[0].when, SECONDS(1700000000) + 999990);
	ck_assert_uint_eq(seen.records[0].length, 60);
	ck_assert_uint_eq(seen.records[0].wire_length, 60);
	ck_assert_uint_eq(seen.records[0].iface, 3);
	ck_assert_uint_eq(seen.records[0].first, 0x10);
	ck_assert_uint_eq(seen.records[1].when, SECONDS(1700000001) + 999991);
	ck_assert_uint_eq(seen.records[1].length, FRAME_MOST);
	ck_assert_uint_eq(seen.records[1].last, 0x11);
	/* The end of the file comes within this one: its frame must not be lost for it. */
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 1);
	ck_assert_uint_eq(seen.records[0].length, 1);
	ck_assert_uint_eq(seen.records[0].first, 0x12);
	ck_assert_int_eq(dispatch(receiver, 100, &seen), -2);
	ck_assert_int_eq(dispatch(receiver, 100, &seen), -2);
	receiver->ops->stats(receiver, &stats);
	ck_assert_uint_eq(stats.received, 3);
	ck_assert_uint_eq(stats.dropped, 0);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(file_without_frames_just_ends)
{
	struct receiver *receiver;
	struct seen seen;

	put_header(0xa1b2c3d4, 1);
	receiver = open_file();
	ck_assert_int_eq(dispatch(receiver, 100, &seen), -2);
	receiver->ops->close(receiver);
}
END_TEST

/* OpenBSD's base libpcap reads only plain savefiles, and does not see that one is cut in a record's header. */
static bool
is_base_libpcap(void)
{
	return strncmp(pcap_lib_version(), "OpenBSD", 7) == 0;
}

START_TEST(nanoseconds_become_microseconds)
{
	struct receiver *receiver;
	struct seen seen;

	if (is_base_libpcap())
		return;
	put_header(0xa1b23c4d, 1);
	put_record(5, 1999, 60, 60);
	receiver = open_file();
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 1);
	ck_assert_uint_eq(seen.records[0].when, SECONDS(5) + 1);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(other_byte_order_is_read)
{
	/*
	 * The same header and a frame of one byte at 1.000002 s, once in each order: one of them is not this
	 * machine's.
	 */
	static const uint8_t big[] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0,
	    1,
	    0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x55};
	static const uint8_t little[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0,
	    0, 0,
	    1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0x55};
	struct receiver *receiver;
	struct seen seen;

	put(_i == 0 ? big : little, sizeof(big));
	receiver = open_file();
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 1);
	ck_assert_uint_eq(seen.records[0].when, SECONDS(1) + 2);
	ck_assert_uint_eq(seen.records[0].first, 0x55);
	receiver->ops->close(receiver);
}
END_TEST

/* Two numbers of 16 bits, in the machine's order like everything else. */
static uint32_t
halves(uint16_t first, uint16_t second)
{
	const uint16_t both[] = { first, second };
	uint32_t word;

	memcpy(&word, both, sizeof(word));
	return word;
}

START_TEST(pcapng_is_read)
{
	/*
	 * Section header (version 1.0), interface description (link type 1), enhanced packet: 64-bit microseconds, 4
	 * bytes of 60.
	 */
	const uint32_t words[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, halves(1, 0), 0xffffffff, 0xffffffff, 28,
		1, 20, halves(1, 0), 262144, 20,
		6, 36, 0, 1, 7, 4, 60, 0x77777777, 36,
	};
	struct receiver *receiver;
	struct seen seen;

	if (is_base_libpcap())
		return;
	put_words(words, ARRAY_LEN(words));
	receiver = open_file();
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 1);
	ck_assert_uint_eq(seen.records[0].when, (1ULL << 32) + 7);
	ck_assert_uint_eq(seen.records[0].length, 4);
	ck_assert_uint_eq(seen.records[0].wire_length, 60);
	ck_assert_uint_eq(seen.records[0].first, 0x77);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(wire_length_is_never_less_than_length)
{
	struct receiver *receiver;
	struct seen seen;

	put_header(0xa1b2c3d4, 1);
	put_record(1, 0, 60, 1514); /* cut by the capture */
	put_record(1, 0, 60, 10);   /* nonsense */
	receiver = open_file();
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 2);
	ck_assert_uint_eq(seen.records[0].length, 60);
	ck_assert_uint_eq(seen.records[0].wire_length, 1514);
	ck_assert_uint_eq(seen.records[1].length, 60);
	ck_assert_uint_eq(seen.records[1].wire_length, 60);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(cut_file_gives_what_was_whole)
{
	struct receiver *receiver;
	char error[IO_ERROR] = "";
	struct seen seen = {0};

	/* At a record's boundary nothing shows it. */
	if (is_base_libpcap() && _i >= 60)
		return;
	put_header(0xa1b2c3d4, 1);
	put_record(1, 0, 60, 60);
	put_record(2, 0, 60, 60);
	put_record(3, 0, 60, 60);
	ck_assert_int_eq(truncate(path, 24 + 3 * (16 + 60) - 1 - _i), 0);
	receiver = open_file();
	ck_assert_int_eq(receiver->ops->dispatch(receiver, 100, remember, &seen, error), -1);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_uint_eq(seen.records[1].when, SECONDS(2));
	ck_assert_msg(strstr(error, "after 2 frames") != NULL, "%s", error);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(refuses_what_is_no_savefile)
{
	static const char text[] = "[dsrd]\ninterface = eth0\n; no savefile, however long it is\n";
	char error[IO_ERROR] = "";

	put(text, _i == 0 ? 0 : _i == 1 ? 3 : sizeof(text)); /* empty, shorter than a magic number, a text */
	ck_assert_ptr_null(io_file_read(path, 0, error));
	ck_assert_int_ne(errno, 0);
	ck_assert_msg(strstr(error, path) != NULL, "%s", error);
}
END_TEST

START_TEST(refuses_a_missing_file)
{
	char error[IO_ERROR] = "";

	ck_assert_ptr_null(io_file_read(path, 0, error));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_msg(strstr(error, "file.pcap: No such") != NULL, "%s", error);
	ck_assert_ptr_eq(strstr(error, path), strrchr(error, '/') - strlen(directory)); /* once is enough */
}
END_TEST

START_TEST(refuses_other_links)
{
	char error[IO_ERROR] = "";

	put_header(0xa1b2c3d4, 101); /* LINKTYPE_RAW: IP without Ethernet */
	put_record(1, 0, 60, 60);
	ck_assert_ptr_null(io_file_read(path, 0, error));
	ck_assert_int_eq(errno, ENOTSUP);
	ck_assert_msg(strstr(error, "no Ethernet") != NULL && strstr(error, "RAW") != NULL, "%s", error);
}
END_TEST

START_TEST(reads_standard_input)
{
	struct receiver *receiver;
	char error[IO_ERROR] = "";
	struct seen seen;
	int fd;

	write_three();
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(close(fd), 0);
	receiver = io_file_read("-", 0, error);
	ck_assert_msg(receiver != NULL, "%s", error);
	ck_assert_int_eq(dispatch(receiver, 100, &seen), 3);
	receiver->ops->close(receiver);
}
END_TEST

START_TEST(writing_needs_a_place)
{
	char error[IO_ERROR] = "";

	(void)strncat(path, "/not/there", sizeof(path) - strlen(path) - 1);
	ck_assert_ptr_null(io_file_write(path, error));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_msg(strstr(error, "/not/there") != NULL, "%s", error);
}
END_TEST

/* Linux, FreeBSD and NetBSD have a device that is always full. */
START_TEST(full_disk_is_told)
{
	uint8_t bytes[60] = {0}; /* less than any C library's buffer, which 200 of them fill */
	struct frame frame = {.bytes = bytes, .length = sizeof(bytes), .wire_length = sizeof(bytes)};
	char error[IO_ERROR] = "";
	struct sender *sender;
	int frames = _i == 0 ? 1 : 200; /* noticed when it is closed, or on the way */

	if (access("/dev/full", W_OK) != 0)
		return;
	sender = io_file_write("/dev/full", error);
	ck_assert_msg(sender != NULL, "%s", error);
	for (int i = 0; i < frames; i++)
		sender->ops->send(sender, &frame);
	ck_assert_int_eq(sender->stats.failed > 0, _i == 1);
	ck_assert_int_eq(sender->ops->close(sender, error), -1);
	ck_assert_msg(strstr(error, strerror(ENOSPC)) != NULL, "%s", error);
}
END_TEST

Suite *
io_file_suite(void)
{
	Suite *suite = suite_create("io_file");
	TCase *tests = tcase_create("savefiles");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, reads_what_was_written);
	tcase_add_test(tests, file_without_frames_just_ends);
	tcase_add_test(tests, nanoseconds_become_microseconds);
	tcase_add_loop_test(tests, other_byte_order_is_read, 0, 2);
	tcase_add_test(tests, pcapng_is_read);
	tcase_add_test(tests, wire_length_is_never_less_than_length);
	tcase_add_loop_test(tests, cut_file_gives_what_was_whole, 0, 61 + 16 - 2);
	tcase_add_loop_test(tests, refuses_what_is_no_savefile, 0, 3);
	tcase_add_test(tests, refuses_a_missing_file);
	tcase_add_test(tests, refuses_other_links);
	tcase_add_test(tests, reads_standard_input);
	tcase_add_test(tests, writing_needs_a_place);
	tcase_add_loop_test(tests, full_disk_is_told, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
