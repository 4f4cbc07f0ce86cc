/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "cli/client.h"
#include "ctl/http.h"
#include "http/message.h"
#include "suites.h"

struct good {
	const char *head;
	enum http_method method;
	enum command_id command;
	bool text;
	bool colour;
	const char *argument;
};

static const struct good good[] = {
	{ "GET http://x/show HTTP/1.1\r\n\r\n", HTTP_GET, COMMAND_SHOW, false, false, NULL },
	{ "GET /show HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_GET, COMMAND_SHOW, false, false, NULL },
	{ "GET /show HTTP/1.0\n\n", HTTP_GET, COMMAND_SHOW, false, false, NULL },
	{ "HEAD /show/drops HTTP/1.1\r\n\r\n", HTTP_HEAD_ONLY, COMMAND_SHOW_DROPS, false, false, NULL },
	{ "GET /show?format=text&colour=yes HTTP/1.1\r\n\r\n", HTTP_GET, COMMAND_SHOW, true, true, NULL },
	{ "GET /doctor?format=json&arg=web%2Fweb1 HTTP/1.1\r\n\r\n", HTTP_GET, COMMAND_DOCTOR, false, false,
	    "web/web1" },
	{ "GET /doctor?arg=a+b HTTP/1.1\r\nContent-Length: 0\r\n\r\n", HTTP_GET, COMMAND_DOCTOR, false, false, "a b" },
};

START_TEST(takes_requests)
{
	struct http_request request;
	const char *why = "";
	const size_t length = strlen(good[_i].head);

	ck_assert_uint_eq(http_head_length(good[_i].head, length), length);
	ck_assert_uint_eq(http_head_length(good[_i].head, length - 1), 0);
	ck_assert_uint_eq(http_parse(good[_i].head, length, &request, &why), 0);
	ck_assert_int_eq(request.method, good[_i].method);
	ck_assert_int_eq(request.command, good[_i].command);
	ck_assert_int_eq(request.text, good[_i].text);
	ck_assert_int_eq(request.colour, good[_i].colour);
	ck_assert_uint_eq(request.argument_count, good[_i].argument != NULL);
	if (good[_i].argument != NULL)
		ck_assert_str_eq(request.arguments[0], good[_i].argument);
}
END_TEST

struct bad {
	const char *head;
	unsigned status;
};

static const struct bad bad[] = {
	{ "\r\n\r\n", 400 },
	{ "hello\r\n\r\n", 400 },
	{ "GET /show\r\n\r\n", 400 },
	{ "GET /show HTTP/2.0\r\n\r\n", 505 },
	{ "BREW /show HTTP/1.1\r\n\r\n", 501 },
	{ "GET / HTTP/1.1\r\n\r\n", 404 },
	{ "GET /shew HTTP/1.1\r\n\r\n", 404 },
	{ "GET /show/web HTTP/1.1\r\n\r\n", 404 },
	{ "GET /show/drops/more HTTP/1.1\r\n\r\n", 404 },
	{ "GET show HTTP/1.1\r\n\r\n", 400 },
	{ "POST /show HTTP/1.1\r\n\r\n", 405 },
	{ "GET /version?arg=web HTTP/1.1\r\n\r\n", 400 },
	{ "POST /drain?arg=--timeout=5m HTTP/1.1\r\n\r\n", 400 },
	{ "GET /reload?arg=a HTTP/1.1\r\n\r\n", 400 },
	{ "GET /why?arg=1&arg=2&arg=3&arg=4&arg=5 HTTP/1.1\r\n\r\n", 400 },
	{ "GET /doctor?arg=%0a HTTP/1.1\r\n\r\n", 400 },
	{ "GET /doctor?arg=%00 HTTP/1.1\r\n\r\n", 400 },
	{ "GET /doctor?arg=%4 HTTP/1.1\r\n\r\n", 400 },
	{ "GET /doctor?arg=%zz HTTP/1.1\r\n\r\n", 400 },
	{ "GET /show?format=xml HTTP/1.1\r\n\r\n", 400 },
	{ "GET /show?surprise=1 HTTP/1.1\r\n\r\n", 400 },
	{ "GET /show HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 413 },
	{ "GET /show HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400 },
	{ "GET /show HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413 },
};

START_TEST(refuses_with_a_reason)
{
	struct http_request request;
	const char *why = "";

	ck_assert_uint_eq(http_parse(bad[_i].head, strlen(bad[_i].head), &request, &why), bad[_i].status);
	ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(refuses_what_is_too_large)
{
	char head[HTTP_HEAD + 2];
	struct http_request request;
	const char *why;

	memset(head, 'a', sizeof(head));
	ck_assert_uint_eq(http_parse(head, sizeof(head), &request, &why), 413);
	memcpy(head, "GET /doctor?arg=", 16);
	head[HTTP_HEAD] = '\0';
	memcpy(head + 16 + COMMAND_ARGUMENT, " HTTP/1.1\n\n", 12);
	ck_assert_uint_eq(http_parse(head, strlen(head), &request, &why), 400);
	ck_assert_uint_eq(http_parse("GET /\0 HTTP/1.1\n\n", 17, &request, &why), 400);
}
END_TEST

/* dsrctl's side. */
START_TEST(answers_are_read)
{
	char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDsrd-Result: ok\r\n\r\nabc";
	char wrong[] = "HTTP/1.1 200 OK\r\ndsrd-result: wrong\r\n\r\n";
	char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc";
	char endless[] = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc";
	char other[] = "SSH-2.0-x\r\n\r\n", status[] = "HTTP/1.1 2xx\r\n\r\n", open[] = "HTTP/1.1 200 OK\r\n";
	struct client_answer answer;

	ck_assert_int_eq(client_parse(fine, strlen(fine), &answer), 0);
	ck_assert_uint_eq(answer.status, 200);
	ck_assert_str_eq(answer.body, "abc");
	ck_assert(!answer.wrong);
	ck_assert_int_eq(client_parse(wrong, strlen(wrong), &answer), 0);
	ck_assert(answer.wrong);
	ck_assert_uint_eq(answer.length, 0);
	ck_assert_int_eq(client_parse(cut, strlen(cut), &answer), -1);
	ck_assert_int_eq(client_parse(endless, strlen(endless), &answer), -1);
	ck_assert_int_eq(client_parse(other, strlen(other), &answer), -1);
	ck_assert_int_eq(client_parse(status, strlen(status), &answer), -1);
	ck_assert_int_eq(client_parse(open, strlen(open), &answer), -1);
}
END_TEST

Suite *
http_suite(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_add_loop_test(tcase, takes_requests, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, refuses_with_a_reason, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, refuses_what_is_too_large);
	tcase_add_test(tcase, answers_are_read);
	suite_add_tcase(suite, tcase);
	return suite;
}
