/* SPDX-License-Identifier: ISC */
/* News of interfaces: the messages of routing sockets, and what each platform makes of its own (news_samples). */
#include "config.h"

#include "os/os.h"

#include <sys/socket.h>

#include <check.h>
#include <string.h>
#include <unistd.h>

#include "news_samples.h"
#include "os/bsd_bytes.h"

Suite *news_suite(void);

#define ROUTE_VERSION 5
#define IFINFO 0x0e
#define ROUTE_ADDED 0x01

static const uint8_t wanted[] = {0x0c, IFINFO};

/* Appends a message of `size` bytes that says it has `said`. */
static size_t
message(uint8_t *at, uint16_t said, size_t size, uint8_t version, uint8_t type)
{
	memset(at, 0xa5, size);
	memcpy(at, &said, sizeof(said));
	at[2] = version;
	at[3] = type;
	return size;
}

START_TEST(wanted_message_is_found_behind_others)
{
	uint8_t bytes[256];
	size_t length = 0;

	length += message(bytes, 92, 92, ROUTE_VERSION, ROUTE_ADDED);
	ck_assert(!route_message_find(bytes, length, ROUTE_VERSION, wanted, sizeof(wanted)));
	length += message(bytes + length, 4, 4, ROUTE_VERSION, IFINFO);
	ck_assert(route_message_find(bytes, length, ROUTE_VERSION, wanted, sizeof(wanted)));
	length += message(bytes + length, 92, 92, ROUTE_VERSION, ROUTE_ADDED);
	ck_assert(route_message_find(bytes, length, ROUTE_VERSION, wanted, sizeof(wanted)));
}
END_TEST

START_TEST(message_of_another_version_is_not_understood)
{
	uint8_t bytes[64];

	(void)message(bytes, sizeof(bytes), sizeof(bytes), ROUTE_VERSION - 1, IFINFO);
	ck_assert(!route_message_find(bytes, sizeof(bytes), ROUTE_VERSION, wanted, sizeof(wanted)));
}
END_TEST

START_TEST(lengths_that_lie_end_the_search)
{
	static const uint16_t lies[] = {0, 1, 3, 65, 0xffff};
	uint8_t bytes[64];

	(void)message(bytes, lies[_i], sizeof(bytes), ROUTE_VERSION, ROUTE_ADDED);
	(void)message(bytes + 32, 32, 32, ROUTE_VERSION, IFINFO);
	ck_assert(!route_message_find(bytes, sizeof(bytes), ROUTE_VERSION, wanted, sizeof(wanted)));
	/* The wanted one itself, when it is not all there. */
	(void)message(bytes, lies[_i], sizeof(bytes), ROUTE_VERSION, IFINFO);
	ck_assert(!route_message_find(bytes, sizeof(bytes), ROUTE_VERSION, wanted, sizeof(wanted)));
	for (size_t length = 0; length < 4; length++)
		ck_assert(!route_message_find(bytes, length, ROUTE_VERSION, wanted, sizeof(wanted)));
}
END_TEST

START_TEST(quiet_socket_has_no_news)
{
	int fd = os_news_open();

	if (fd == -1)
		return; /* the system tells nothing */
	(void)os_news_read(fd, false); /* whatever this machine is doing */
	ck_assert_int_eq(close(fd), 0);
	ck_assert(!os_news_read(fd, false));
}
END_TEST

/* What the kernel would say, sent by ourselves. */
START_TEST(each_kind_of_news_is_news)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	ck_assert(!os_news_read(fds[1], false));
	for (size_t i = 0; i < news_sample_count(); i++) {
		const struct news_sample *sample = news_sample(i);

		ck_assert_int_eq(send(fds[0], sample->bytes, sample->length, 0), (ssize_t)sample->length);
		ck_assert_msg(os_news_read(fds[1], false) == sample->news, "sample %zu", i);
		ck_assert_msg(!os_news_read(fds[1], false), "sample %zu was not taken", i);
	}
	/* On Linux the sample of a route is news to those who want it. */
	for (size_t i = 0; i < news_sample_count(); i++) {
		const struct news_sample *sample = news_sample(i);

		ck_assert_int_eq(send(fds[0], sample->bytes, sample->length, 0), (ssize_t)sample->length);
		ck_assert_msg(os_news_read(fds[1], true) == (sample->news || sample->is_route), "sample %zu", i);
	}
	ck_assert_int_eq(close(fds[0]), 0);
	ck_assert_int_eq(close(fds[1]), 0);
}
END_TEST

Suite *
news_suite(void)
{
	Suite *suite = suite_create("news");
	TCase *tests = tcase_create("messages");

	tcase_add_test(tests, wanted_message_is_found_behind_others);
	tcase_add_test(tests, message_of_another_version_is_not_understood);
	tcase_add_loop_test(tests, lengths_that_lie_end_the_search, 0, 5);
	tcase_add_test(tests, quiet_socket_has_no_news);
	tcase_add_test(tests, each_kind_of_news_is_news);
	suite_add_tcase(suite, tests);
	return suite;
}
