/* SPDX-License-Identifier: ISC */
/* What is judged without a socket: HTTP responses, DNS answers, bytes in a stream. */
#include "config.h"

#include <string.h>

#include "bench.h"
#include "base/bytes.h"
#include "check/dns_message.h"
#include "check/http_answer.h"
#include "check/matcher.h"
#include "suites.h"

static const struct {
	const char *wanted;
	const char *stream;
	bool found;
} matches[] = {
	{ "", "", true },
	{ "a", "bca", true },
	{ "a", "bcd", false },
	{ "aab", "aaab", true },
	{ "abab", "abacabab", true },
	{ "ababac", "abababac", true },
	{ "+PONG", "+PON+PONG\r\n", true },
	{ "abc", "ababab", false },
};

START_TEST(test_matcher)
{
	struct check_bytes wanted = { .length = 0 };
	struct matcher whole, bytewise;
	const uint8_t *stream = (const uint8_t *)matches[_i].stream;
	const size_t length = strlen(matches[_i].stream);

	bench_bytes(&wanted, matches[_i].wanted);
	matcher_begin(&whole, &wanted);
	ck_assert_int_eq(matcher_feed(&whole, stream, length), matches[_i].found);
	matcher_begin(&bytewise, &wanted);
	for (size_t i = 0; i < length; i++)
		(void)matcher_feed(&bytewise, stream + i, 1);
	ck_assert_int_eq(bytewise.found, matches[_i].found);
}
END_TEST

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
	const char *response;
	const char *body; /* expected; NULL: none */
	enum health_reason reason;
	const char *detail;
} responses[] = {
	{ OK "\r\n", NULL, HEALTH_REASON_NONE, "" },
	{ "HTTP/1.0 200\n\n", NULL, HEALTH_REASON_NONE, "" },
	{ "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", NULL, HEALTH_REASON_NONE, "" },
	{ "HTTP/1.1 503 Busy\r\n\r\n", NULL, HEALTH_REASON_STATUS, "status 503" },
	{ "HTTP/1.1 503 Busy\r\n\r\nwell", "well", HEALTH_REASON_STATUS, "status 503" },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\n\r\n", NULL, HEALTH_REASON_STATUS, "status 404" },
	{ OK "\r\nall is well", "is well", HEALTH_REASON_NONE, "" },
	{ OK "\r\nall is we", "is well", HEALTH_REASON_BODY, "" },
	{ OK "Content-Length: 6\r\n\r\nall is well", "well", HEALTH_REASON_BODY, "" },
	{ OK "content-length:11 \r\n\r\nall is well", "well", HEALTH_REASON_NONE, "" },
	{ OK "Content-Length: 0\r\n\r\n", "well", HEALTH_REASON_BODY, "" },
	{ OK "Content-Length: x\r\n\r\n", NULL, HEALTH_REASON_GARBLED, "its Content-Length is not a number" },
	{ OK "Content-Length: 99\r\n\r\nall", "well", HEALTH_REASON_CLOSED, "" },
	{ OK "Transfer-Encoding: gzip, Chunked\r\n\r\n6\r\nall is\r\n5;x=y\r\n well\r\n0\r\n\r\n", "is well",
	    HEALTH_REASON_NONE, "" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nall\r\n0\r\n\r\n", "well", HEALTH_REASON_BODY, "" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n3\r\nall is\r\n0\r\n\r\n", "well", HEALTH_REASON_GARBLED,
	    "a chunk is longer than its size" },
	{ OK "Transfer-Encoding: chunked\r\n\r\nwell\r\n", "well", HEALTH_REASON_GARBLED, "a chunk's size is not a "
	    "number" },
	{ OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "well", HEALTH_REASON_GARBLED,
	    "a chunk's size is not a number" },
	{ OK "Transfer-Encoding: chunked\r\n\r\n5\r\nal", "well", HEALTH_REASON_CLOSED, "" },
	{ "HTTP/1.1 204 No Content\r\n\r\n", "well", HEALTH_REASON_BODY, "" },
	{ "", NULL, HEALTH_REASON_CLOSED, "no answer" },
	{ OK "Server: x\r\n", NULL, HEALTH_REASON_CLOSED, "" },
	{ "SSH-2.0-OpenSSH\r\n", NULL, HEALTH_REASON_GARBLED, "it does not start with an HTTP/1 status line" },
	{ "HTTP/1.1 20 OK\r\n\r\n", NULL, HEALTH_REASON_GARBLED, "it does not start with an HTTP/1 status line" },
	{ "HTTP/1.1 2000 OK\r\n\r\n", NULL, HEALTH_REASON_GARBLED, "it does not start with an HTTP/1 status line" },
};

static void
judge(struct http_answer *answer, const struct check_settings *check, const char *response, size_t piece)
{
	const size_t length = strlen(response);

	http_answer_begin(answer, check);
	for (size_t at = 0; at < length; at += piece) {
		const size_t left = length - at;

		(void)http_answer_feed(answer, (const uint8_t *)response + at, left < piece ? left : piece);
	}
	http_answer_end(answer);
	ck_assert(answer->decided);
}

START_TEST(test_http_answer)
{
	struct check_settings check = { .kind = CHECK_HTTP };
	struct http_answer answer;

	if (responses[_i].body != NULL)
		bench_bytes(&check.expect, responses[_i].body);
	for (size_t piece = 1; piece < 80; piece += 13) {
		judge(&answer, &check, responses[_i].response, piece);
		ck_assert_int_eq(answer.reason, responses[_i].reason);
		ck_assert_str_eq(answer.detail, responses[_i].detail);
	}
}
END_TEST

START_TEST(test_http_statuses)
{
	struct check_settings check = { .kind = CHECK_HTTP, .statuses = { { 200, 200 }, { 401, 403 } },
	    .status_count = 2 };
	struct http_answer answer;

	judge(&answer, &check, "HTTP/1.1 402 Pay\r\n\r\n", 100);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_NONE);
	judge(&answer, &check, "HTTP/1.1 201 Made\r\n\r\n", 100);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_STATUS);
}
END_TEST

/* A server that never stops is stopped listening to. */
static unsigned
feed_forever(const char *begin, const char *again, struct http_answer *answer, struct check_settings *check)
{
	unsigned count = 0;

	bench_bytes(&check->expect, "well");
	http_answer_begin(answer, check);
	(void)http_answer_feed(answer, (const uint8_t *)begin, strlen(begin));
	while (!http_answer_feed(answer, (const uint8_t *)again, strlen(again)))
		ck_assert_uint_lt(++count, 1000000);
	return count * (unsigned)strlen(again);
}

START_TEST(test_http_limits)
{
	struct check_settings check = { .kind = CHECK_HTTP };
	struct http_answer answer;

	ck_assert_uint_le(feed_forever(OK, "X-Header: value\r\n", &answer, &check), HTTP_HEAD_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_GARBLED);
	ck_assert_uint_le(feed_forever("", "x", &answer, &check), HTTP_HEAD_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_GARBLED);
	ck_assert_uint_le(feed_forever("", "HTTP/1.1 100 Continue\r\n\r\n", &answer, &check), HTTP_HEAD_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_GARBLED);
	ck_assert_uint_le(feed_forever(OK "\r\n", "ill ", &answer, &check), HTTP_BODY_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_BODY);
	ck_assert_uint_le(feed_forever(OK "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", &answer, &check),
	    HTTP_BODY_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_BODY);
	ck_assert_uint_le(feed_forever(OK "Transfer-Encoding: chunked\r\n\r\n", "1;", &answer, &check), HTTP_BODY_MOST);
	ck_assert_int_eq(answer.reason, HEALTH_REASON_BODY);
}
END_TEST

/* example.org, type A; the answer to it with one address. */
static const uint8_t record[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80 };

struct exchange {
	struct check_settings check;
	uint8_t question[DNS_QUESTION_MOST];
	size_t length;
	uint8_t answer[DNS_QUESTION_MOST + sizeof(record)];
	size_t answer_length;
	enum health_reason reason;
	char detail[DNS_DETAIL];
};

static void
exchange_begin(struct exchange *exchange)
{
	memset(exchange, 0, sizeof(*exchange));
	exchange->check = (struct check_settings) { .kind = CHECK_DNS, .name = "example.org.", .type = 1 };
	exchange->length = dns_question(&exchange->check, 0x1234, exchange->question);
	memcpy(exchange->answer, exchange->question, exchange->length);
	store16(exchange->answer + 2, 0x8180);
	store16(exchange->answer + 6, 1);
	memcpy(exchange->answer + exchange->length, record, sizeof(record));
	exchange->answer_length = exchange->length + sizeof(record);
}

static bool
exchange_judge(struct exchange *exchange)
{
	return dns_judge(&exchange->check, exchange->question, exchange->length, exchange->answer,
	    exchange->answer_length, &exchange->reason, exchange->detail);
}

START_TEST(test_dns_question)
{
	static const uint8_t expected[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 'e', 'x', 'a', 'm', 'p', 'l',
	    'e',
		3, 'o', 'r', 'g', 0, 0, 1, 0, 1 };
	struct exchange exchange;

	exchange_begin(&exchange);
	ck_assert_uint_eq(exchange.length, sizeof(expected));
	ck_assert_mem_eq(exchange.question, expected, sizeof(expected));
	/* The root, and the longest name there is. */
	memcpy(exchange.check.name, ".", 2);
	ck_assert_uint_eq(dns_question(&exchange.check, 1, exchange.question), 12 + 1 + 4);
	memset(exchange.check.name, 'a', CHECK_TEXT - 1);
	for (size_t i = 63; i < CHECK_TEXT; i += 64)
		exchange.check.name[i] = '.';
	ck_assert_uint_eq(dns_question(&exchange.check, 1, exchange.question), 12 + 1 + CHECK_TEXT - 1 + 1 + 4);
}
END_TEST

START_TEST(test_dns_answer)
{
	struct exchange exchange;

	exchange_begin(&exchange);
	ck_assert(exchange_judge(&exchange));
	ck_assert_int_eq(exchange.reason, HEALTH_REASON_NONE);
	ck_assert_int_eq(addr_parse("192.0.2.80", &exchange.check.answer), 0);
	ck_assert(exchange_judge(&exchange));
	ck_assert_int_eq(exchange.reason, HEALTH_REASON_NONE);
	ck_assert_int_eq(addr_parse("192.0.2.81", &exchange.check.answer), 0);
	ck_assert(exchange_judge(&exchange));
	ck_assert_int_eq(exchange.reason, HEALTH_REASON_ANSWER);
	ck_assert_str_eq(exchange.detail, "the expected address is not in it");
	/* Letters in another case are the same name. */
	exchange.answer[13] = 'E';
	ck_assert(exchange_judge(&exchange));
}
END_TEST

START_TEST(test_dns_rcode)
{
	struct exchange exchange;

	exchange_begin(&exchange);
	store16(exchange.answer + 2, 0x8183);
	ck_assert(exchange_judge(&exchange));
	ck_assert_int_eq(exchange.reason, HEALTH_REASON_ANSWER);
	ck_assert_str_eq(exchange.detail, "response code nxdomain");
	exchange.check.rcode = 3;
	ck_assert(exchange_judge(&exchange));
	ck_assert_int_eq(exchange.reason, HEALTH_REASON_NONE);
	/* Some refuse without repeating the question. */
	store16(exchange.answer + 2, 0x8185);
	store16(exchange.answer + 4, 0);
	exchange.answer_length = 12;
	ck_assert(exchange_judge(&exchange));
	ck_assert_str_eq(exchange.detail, "response code refused");
}
END_TEST

START_TEST(test_dns_not_ours)
{
	struct exchange exchange;

	exchange_begin(&exchange);
	exchange.answer[0] ^= 1; /* number */
	ck_assert(!exchange_judge(&exchange));
	exchange_begin(&exchange);
	exchange.answer[14] ^= 1; /* name */
	ck_assert(!exchange_judge(&exchange));
	exchange_begin(&exchange);
	exchange.answer[2] = 1; /* a question */
	ck_assert(!exchange_judge(&exchange));
	exchange_begin(&exchange);
	exchange.answer[5] = 0; /* success without the question */
	ck_assert(!exchange_judge(&exchange));
	/* Cut anywhere: ignored, or judged without reading on; the sanitizer would tell. */
	exchange_begin(&exchange);
	ck_assert_int_eq(addr_parse("192.0.2.80", &exchange.check.answer), 0);
	for (size_t length = exchange.answer_length; length-- > 0;) {
		exchange.answer_length = length;
		if (exchange_judge(&exchange))
			ck_assert_int_eq(exchange.reason, HEALTH_REASON_ANSWER);
	}
}
END_TEST

Suite *
answers_suite(void)
{
	Suite *suite = suite_create("answers");
	TCase *tcase = tcase_create("answers");

	tcase_add_loop_test(tcase, test_matcher, 0, ARRAY_LEN(matches));
	tcase_add_loop_test(tcase, test_http_answer, 0, ARRAY_LEN(responses));
	tcase_add_test(tcase, test_http_statuses);
	tcase_add_test(tcase, test_http_limits);
	tcase_add_test(tcase, test_dns_question);
	tcase_add_test(tcase, test_dns_answer);
	tcase_add_test(tcase, test_dns_rcode);
	tcase_add_test(tcase, test_dns_not_ours);
	suite_add_tcase(suite, tcase);
	return suite;
}
