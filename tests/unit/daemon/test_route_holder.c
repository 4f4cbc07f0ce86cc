/* SPDX-License-Identifier: ISC */
/* Requests to the process that holds routes, and what it answers when the director is silent or gone. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "announce/announce.h"
#include "base/attr.h"
#include "daemon/route_holder.h"

static struct route_holder_request
request_of(uint32_t operation, uint8_t family, uint32_t metric)
{
	struct route_holder_request request;

	memset(&request, 0, sizeof(request));
	request.operation = operation;
	request.metric = metric;
	request.addr.family = family;
	if (family != ADDR_NONE)
		request.addr.bytes[3] = 10;
	return request;
}

static bool
is_read(const struct route_holder_request *request)
{
	struct route_holder_request read;

	return route_holder_request_read(request, sizeof(*request), &read) == 0;
}

static const struct {
	uint32_t operation;
	uint8_t family;
	uint32_t metric;
	bool good;
} requests[] = {
	{ ROUTE_HOLDER_BEAT, ADDR_NONE, 0, true },
	{ ROUTE_HOLDER_BEAT, ADDR_IPV4, 0, false },
	{ ROUTE_HOLDER_BEAT, ADDR_NONE, 1, false },
	{ ROUTE_HOLDER_ADD, ADDR_IPV4, 1, true },
	{ ROUTE_HOLDER_ADD, ADDR_IPV6, ANNOUNCE_METRIC_MOST + ANNOUNCE_RAISE, true },
	{ ROUTE_HOLDER_ADD, ADDR_IPV4, ANNOUNCE_METRIC_MOST + ANNOUNCE_RAISE + 1, false },
	{ ROUTE_HOLDER_ADD, ADDR_IPV4, 0, false },
	{ ROUTE_HOLDER_ADD, ADDR_NONE, 1, false },
	{ ROUTE_HOLDER_ADD, 7, 1, false },
	{ ROUTE_HOLDER_REMOVE, ADDR_IPV6, 0, true },
	{ ROUTE_HOLDER_REMOVE, ADDR_IPV4, 1, false },
	{ ROUTE_HOLDER_REMOVE, ADDR_NONE, 0, false },
	{ 0, ADDR_NONE, 0, false },
	{ ROUTE_HOLDER_RELOAD, ADDR_NONE, 0, true },
	{ ROUTE_HOLDER_RELOAD, ADDR_IPV4, 0, false },
	{ ROUTE_HOLDER_RELOAD, ADDR_NONE, 1, false },
	{ ROUTE_HOLDER_RELOAD + 1, ADDR_NONE, 0, false },
	{ UINT32_MAX, ADDR_IPV4, 1, false },
};

START_TEST(each_request_has_its_form)
{
	struct route_holder_request request = request_of(requests[_i].operation, requests[_i].family,
	    requests[_i].metric);
	char longer[sizeof(request) + 1] = { 0 };
	struct route_holder_request read;

	ck_assert_int_eq(is_read(&request), requests[_i].good);
	request.zero[1] = 1;
	ck_assert(!is_read(&request));
	request.zero[1] = 0;
	request.addr.bytes[9] = 1;
	ck_assert_int_eq(is_read(&request), requests[_i].good && requests[_i].family == ADDR_IPV6);
	memcpy(longer, &request, sizeof(request));
	ck_assert_int_eq(route_holder_request_read(longer, sizeof(longer), &read), -1);
	ck_assert_int_eq(route_holder_request_read(longer, sizeof(request) - 1, &read), -1);
	ck_assert_int_eq(route_holder_request_read(longer, 0, &read), -1);
}
END_TEST

/* What it said last is read although it ended with requests that it had not read. */
START_TEST(the_last_answer_is_heard)
{
	struct route_holder_answer answer = { .result = ROUTE_HOLDER_ENDS, .reason = "why" };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	ck_assert_int_eq(route_holder_read(ends[0], &answer), 0);
	ck_assert_int_eq(route_holder_send(ends[0], ROUTE_HOLDER_BEAT, NULL, 0), 0);
	answer.result = ROUTE_HOLDER_ENDS;
	memcpy(answer.reason, "why", 4);
	ck_assert_int_eq(send(ends[1], &answer, sizeof(answer), 0), sizeof(answer));
	memset(&answer, 0, sizeof(answer));
	(void)close(ends[1]);
	ck_assert_int_eq(route_holder_read(ends[0], &answer), 1);
	ck_assert_uint_eq(answer.result, ROUTE_HOLDER_ENDS);
	ck_assert_str_eq(answer.reason, "why");
	ck_assert_int_eq(route_holder_read(ends[0], &answer), -1);
	ck_assert_int_eq(route_holder_send(ends[0], ROUTE_HOLDER_BEAT, NULL, 0), -1);
	(void)close(ends[0]);
}
END_TEST

/* A message of another size is the end of trust. */
START_TEST(a_short_answer_is_none)
{
	struct route_holder_answer answer;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	ck_assert_int_eq(send(ends[1], "x", 1, 0), 1);
	ck_assert_int_eq(route_holder_read(ends[0], &answer), -1);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

Suite *route_holder_suite(void);

Suite *
route_holder_suite(void)
{
	Suite *suite = suite_create("route_holder");
	TCase *tcase = tcase_create("route_holder");

	tcase_add_loop_test(tcase, each_request_has_its_form, 0, (int)ARRAY_LEN(requests));
	tcase_add_test(tcase, the_last_answer_is_heard);
	tcase_add_test(tcase, a_short_answer_is_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
