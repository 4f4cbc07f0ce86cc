/* SPDX-License-Identifier: ISC */
/* The parser of HTTP messages, as RFC 9112 has them. */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "http/message.h"
#include "suites.h"

#define GET "GET / HTTP/1.1\r\n"
#define TEXT 512

struct request {
	const char *bytes;
	unsigned status;
	const char *target;
	const char *host;
};

static const struct request requests[] = {
	{ GET "\r\n", 0, "/", NULL },
	{ "GET /a?b HTTP/1.0\nhost:x\n\n", 0, "/a?b", "x" },
	{ GET "Accept: */*\r\nHost: \t director:9190 \r\nX-Host: y\r\n\r\n", 0, "/", "director:9190" },
	{ GET "Host:\r\n\r\n", 0, "/", "" },
	{ "GET http://director:9190/a HTTP/1.1\r\nHost: other\r\n\r\n", 0, "/a", "director:9190" },
	{ "GET HTTP://director HTTP/1.1\r\n\r\n", 0, "", "director" },
	{ "GET http:///a HTTP/1.1\r\nHost: other\r\n\r\n", 0, "/a", "" },
	{ GET "Content-Length: 0\r\n\r\n", 0, "/", NULL },
	{ GET "Content-Length: 1\r\n\r\n", 413, NULL, NULL },
	{ GET "Content-Length: 0\r\nContent-Length: 1\r\n\r\n", 400, NULL, NULL },
	{ GET "Content-Length: -1\r\n\r\n", 400, NULL, NULL },
	{ GET "Transfer-Encoding: chunked\r\n\r\n", 413, NULL, NULL },
	{ GET "Host: a\r\nHost: a\r\n\r\n", 400, NULL, NULL },
	{ "GET /\r\n\r\n", 400, NULL, NULL },
	{ "\r\n\r\n", 400, NULL, NULL },
	{ "GET / HTTP/1.2\r\n\r\n", 505, NULL, NULL },
};

START_TEST(reads_requests)
{
	const struct request *request = &requests[_i];
	struct http_head head;
	const char *why = "";
	char text[TEXT];

	ck_assert_uint_eq(http_head_length(request->bytes, strlen(request->bytes)), strlen(request->bytes));
	ck_assert_uint_eq(http_request_head(request->bytes, strlen(request->bytes), text, &head, &why),
	    request->status);
	if (request->status != 0) {
		ck_assert_str_ne(why, "");
		return;
	}
	ck_assert_str_eq(head.method, "GET");
	ck_assert_str_eq(head.target, request->target);
	if (request->host == NULL)
		ck_assert_ptr_null(head.host);
	else
		ck_assert_str_eq(head.host, request->host);
}
END_TEST

START_TEST(reads_status_lines)
{
	static const char *const bad[] = { "", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 099 x",
	    "HTTP/1.1 600 x",
		"HTTP/2 200 OK", "HTTP/1.x 200 OK", "HTTP/1.1  200", "HTTP/1.1 2xx" };

	ck_assert_uint_eq(http_status_line("HTTP/1.1 200 OK"), 200);
	ck_assert_uint_eq(http_status_line("HTTP/1.0 599"), 599);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_uint_eq(http_status_line(bad[i]), 0);
}
END_TEST

START_TEST(reads_chunk_sizes)
{
	static const char *const bad[] = { "", "x", ";", "-1", "1g", "1000000000000000" };
	uint64_t size = 1;

	ck_assert_int_eq(http_chunk_size("0", &size), 0);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(http_chunk_size("aBc;name=value", &size), 0);
	ck_assert_uint_eq(size, 0xabc);
	ck_assert_int_eq(http_chunk_size("fffffffffffffff \t", &size), 0);
	ck_assert_uint_eq(size, 0xfffffffffffffffU);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(http_chunk_size(bad[i], &size), -1);
}
END_TEST

Suite *
message_suite(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("message");

	tcase_add_loop_test(tcase, reads_requests, 0, (int)ARRAY_LEN(requests));
	tcase_add_test(tcase, reads_status_lines);
	tcase_add_test(tcase, reads_chunk_sizes);
	suite_add_tcase(suite, tcase);
	return suite;
}
