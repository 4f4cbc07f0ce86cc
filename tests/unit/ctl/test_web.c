/* SPDX-License-Identifier: ISC */
/* HTTP over TCP under good and bad clients: answers are right, and cost a bounded share of everything. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/attr.h"
#include "suites.h"
#include "web/web.h"

#define LITTLE_PATIENCE 1500 /* milliseconds; to fill all places takes a third of it */

static struct event_base *base;
static struct web *web;
static uint16_t port;
static const char *names = "";
static unsigned answers;
static size_t answer_size, parts;
static unsigned answer_milliseconds;
static struct web_request last;

static unsigned
answer(void *context, const struct web_request *request, size_t part, FILE *out)
{
	const struct timespec time = { 0, (long)answer_milliseconds * 1000000 };

	ck_assert_ptr_eq(context, &answers);
	if (part < parts) {
		fprintf(out, "part %zu\n", part);
		return WEB_MORE;
	}
	answers++;
	last = *request;
	nanosleep(&time, NULL);
	for (size_t i = 0; i < answer_size; i++)
		fputc('x', out);
	fprintf(out, "resource %d\n", request->resource);
	return request->resource == WEB_HEALTH ? 503 : 200;
}

static struct web *
open_web(const char *address, unsigned patience, char error[WEB_ERROR])
{
	struct web_settings settings = { .port = port, .names = names, .patience = patience };

	ck_assert_int_eq(addr_parse(address, &settings.addr), 0);
	return web_open(base, &settings, answer, &answers, error);
}

/* Any port that is free. */
static void
setup(void)
{
	char error[WEB_ERROR] = "";

	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	srand((unsigned)getpid());
	for (unsigned i = 0; i < 100 && web == NULL; i++) {
		port = (uint16_t)(20000 + rand() % 10000);
		web = open_web("127.0.0.1", WEB_PATIENCE, error);
	}
	ck_assert_msg(web != NULL, "%s", error);
	answers = answer_milliseconds = 0;
	answer_size = parts = 0;
}

static void
teardown(void)
{
	web_close(web);
	web = NULL;
	event_base_free(base);
}

/* From now on clients have LITTLE_PATIENCE, so that a test can wait for its end. */
static void
reopen_with_little_patience(void)
{
	char error[WEB_ERROR] = "";

	web_close(web);
	web = open_web("127.0.0.1", LITTLE_PATIENCE, error);
	ck_assert_msg(web != NULL, "%s", error);
}

static void
turn(unsigned milliseconds)
{
	const struct timeval time = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}

static int
client(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ne(fd, -1);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1) {
		struct pollfd writable = { .fd = fd, .events = POLLOUT };

		/* The kernel accepts for the listener; on a busy machine not at once. */
		ck_assert_int_eq(errno, EINPROGRESS);
		ck_assert_int_eq(poll(&writable, 1, 5000), 1);
	}
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All there is until the other end closes, or `milliseconds` are over. */
static const char *
hear(int fd, unsigned milliseconds)
{
	static char text[1 << 17];
	size_t used = 0;

	for (unsigned i = 0; i <= milliseconds / 5; i++) {
		ssize_t got = recv(fd, text + used, sizeof(text) - 1 - used, 0);

		if (got > 0)
			used += (size_t)got;
		else if (got == 0 || errno == ECONNRESET)
			break;
		turn(5);
	}
	text[used] = '\0';
	return text;
}

static bool
is_closed(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK);

	return got == 0 || (got == -1 && errno == ECONNRESET);
}

/*
 * Closed behind what was sent, which the kernel may still be delivering; the loop does not turn, so nothing is added.
 */
static bool
ends(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t got;

	do {
		got = recv(fd, bytes, sizeof(bytes), 0);
		if (got == -1 && errno == EAGAIN && poll(&readable, 1, 2000) != 1)
			return false;
	} while (got > 0 || (got == -1 && errno == EAGAIN));
	return got == 0 || errno == ECONNRESET;
}

static const char *
ask(const char *request)
{
	int fd = client();
	const char *text;

	say(fd, request);
	text = hear(fd, 2000);
	close(fd);
	return text;
}

START_TEST(answers_and_closes)
{
	int fd = client();
	const char *text;

	say(fd, "GET /metr");
	turn(20);
	say(fd, "ics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	text = hear(fd, 2000);
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/plain; version=0.0.4"));
	ck_assert_ptr_nonnull(strstr(text, "X-Content-Type-Options: nosniff"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\nresource 1\n"));
	ck_assert(is_closed(fd));
	close(fd);
	ck_assert_ptr_nonnull(strstr(ask("GET /healthz HTTP/1.1\r\n\r\n"), "HTTP/1.1 503 Service Unavailable\r\n"));
	text = ask("HEAD /status.json HTTP/1.1\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(text, "Content-Type: application/json\r\n"));
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	ck_assert_uint_eq(answers, 3);
	/* Who says that nothing more comes waits for the answer all the same. */
	fd = client();
	say(fd, "GET /healthz HTTP/1.1\r\n\r\n");
	shutdown(fd, SHUT_WR);
	ck_assert_ptr_nonnull(strstr(hear(fd, 2000), "resource 3\n"));
	close(fd);
}
END_TEST

START_TEST(answers_in_parts)
{
	int fd = client();

	parts = 2;
	ck_assert_ptr_nonnull(strstr(ask("GET /metrics HTTP/1.1\r\n\r\n"), "\r\n\r\npart 0\npart 1\nresource 1\n"));
	/* Who leaves in between, or stays until the end of time, leaves nothing behind. */
	parts = SIZE_MAX;
	say(fd, "GET /metrics HTTP/1.1\r\n\r\n");
	turn(50);
	ck_assert(!is_closed(fd));
	close(fd);
	turn(50);
}
END_TEST

struct host {
	const char *host;
	bool known;
};

static const struct host hosts[] = {
	{ "192.0.2.1", true },
	{ "192.0.2.1:9190", true },
	{ "192.0.2.2", false },
	{ "0.0.0.0:9190", false },
	{ "127.0.0.1:1", true },
	{ "127.1.2.3", true },
	{ "[::1]:9190", true },
	{ "[::1", true },
	{ "[2001:db8::1]", false },
	{ "localhost:9190", true },
	{ "LocalHost", true },
	{ "director.example.org", true },
	{ "DIRECTOR.example.org.:80", true },
	{ "director", true },
	{ "director.example", false },
	{ "rector", false },
	{ "rebound.attacker.example", false },
	{ "127.0.0.1.attacker.example", false },
	{ "localhost.attacker.example", false },
	{ "", false },
	{ ":9190", false },
	{ ".", false },
};

START_TEST(knows_its_hosts)
{
	struct addr local;

	ck_assert_int_eq(addr_parse("192.0.2.1", &local), 0);
	ck_assert_int_eq(web_host_is_known(hosts[_i].host, &local, ", director.example.org,director "),
	    hosts[_i].known);
}
END_TEST

START_TEST(refuses_other_hosts)
{
	names = "director";
	reopen_with_little_patience();
	ck_assert_ptr_nonnull(strstr(ask("GET /status.json HTTP/1.1\r\nHost: attacker.example\r\n\r\n"),
	    "HTTP/1.1 421 "));
	ck_assert_ptr_nonnull(strstr(ask("GET http://attacker.example/metrics HTTP/1.1\r\nHost: director\r\n\r\n"),
	    "HTTP/1.1 421 "));
	/* Not even which paths there are is for that page. */
	ck_assert_ptr_nonnull(strstr(ask("GET /shew HTTP/1.1\r\nHost: attacker.example\r\n\r\n"), "HTTP/1.1 421 "));
	ck_assert_uint_eq(answers, 0);
	ck_assert_ptr_nonnull(strstr(ask("GET /metrics HTTP/1.1\r\nHost: director:1\r\n\r\n"), "HTTP/1.1 200 "));
	ck_assert_uint_eq(answers, 1);
	names = "";
}
END_TEST

START_TEST(refuses)
{
	ck_assert_ptr_nonnull(strstr(ask("GET /show HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 "));
	ck_assert_ptr_nonnull(strstr(ask("POST / HTTP/1.1\r\n\r\n"), "\r\nAllow: GET, HEAD\r\n"));
	ck_assert_ptr_nonnull(strstr(ask("\x16\x03\x01 tls\r\n\r\n"), "HTTP/1.1 400 "));
	ck_assert_uint_eq(answers, 0);
}
END_TEST

/* Each page has a nonce of its own, in its policy and in place of all that the file has. */
START_TEST(the_page_has_a_nonce)
{
	char first[WEB_NONCE_LENGTH + 1];
	const char *text = ask("GET / HTTP/1.1\r\n\r\n"), *nonce = strstr(text, "script-src 'nonce-");
	unsigned count = 0;

	ck_assert_ptr_nonnull(nonce);
	snprintf(first, sizeof(first), "%s", nonce + strlen("script-src 'nonce-"));
	ck_assert_ptr_null(strstr(text, WEB_NONCE));
	for (const char *at = text; (at = strstr(at, first)) != NULL; at++)
		count++;
	ck_assert_uint_eq(count, 4);
	ck_assert_ptr_nonnull(strstr(text, "</html>\n"));
	text = ask("GET / HTTP/1.1\r\n\r\n");
	ck_assert_ptr_null(strstr(text, first));
	/* No other policy lets anything in. */
	ck_assert_ptr_nonnull(strstr(ask("GET /metrics HTTP/1.1\r\n\r\n"), "Content-Security-Policy: default-src "
	    "'none';"));
}
END_TEST

START_TEST(refuses_greed)
{
	int fd = client();
	char piece[1024];

	memset(piece, 'a', sizeof(piece));
	for (unsigned i = 0; i < 64; i++) {
		if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) == -1)
			break;
		turn(1);
	}
	turn(50);
	ck_assert_uint_eq(answers, 0);
	ck_assert(is_closed(fd) || strncmp(hear(fd, 100), "HTTP/1.1 413 ", 13) == 0);
	close(fd);
}
END_TEST

/* When all places are taken by the silent, the one that is silent longest gives way. */
START_TEST(the_silent_give_way)
{
	int silent[WEB_CONNECTIONS];

	reopen_with_little_patience();
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++) {
		silent[i] = client();
		say(silent[i], i % 2 == 0 ? "GET /sh" : "\r");
		turn(10);
	}
	turn(200);
	ck_assert(!is_closed(silent[0]));
	ck_assert_ptr_nonnull(strstr(ask("GET /metrics HTTP/1.1\r\n\r\n"), "resource 1\n"));
	ck_assert(is_closed(silent[0]));
	ck_assert(!is_closed(silent[WEB_CONNECTIONS - 1]));
	turn(LITTLE_PATIENCE + 500);
	for (unsigned i = 0; i < WEB_CONNECTIONS; i++) {
		ck_assert(is_closed(silent[i]));
		close(silent[i]);
	}
}
END_TEST

START_TEST(drops_who_does_not_read)
{
	int fd;

	reopen_with_little_patience();
	fd = client();
	answer_size = 16 << 20;
	say(fd, "GET /metrics HTTP/1.1\r\n\r\n");
	turn(500);
	ck_assert_uint_eq(answers, 1);
	turn(LITTLE_PATIENCE + 500);
	ck_assert(ends(fd));
	close(fd);
}
END_TEST

/* However many ask at once: an answer of 5 ms is followed by 95 ms in which frames have the loop for themselves. */
START_TEST(answers_leave_time_for_frames)
{
	int fds[8];
	unsigned before;

	answer_milliseconds = 5;
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client();
		say(fds[i], "GET /metrics HTTP/1.1\r\n\r\n");
		turn(1);
	}
	turn(300);
	before = answers;
	/* Four, if each took no longer than it must. */
	ck_assert_uint_ge(before, 1);
	ck_assert_uint_le(before, 5);
	for (unsigned i = 0; i < 100 && answers < ARRAY_LEN(fds); i++)
		turn(100);
	ck_assert_uint_eq(answers, ARRAY_LEN(fds));
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}
END_TEST

START_TEST(errors_name_the_remedy)
{
	char error[WEB_ERROR] = "";

	ck_assert_ptr_null(open_web("127.0.0.1", WEB_PATIENCE, error));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(error, "another program uses that port"));
	ck_assert_ptr_null(open_web("203.0.113.1", WEB_PATIENCE, error));
	ck_assert_ptr_nonnull(strstr(error, "no interface of this host has that address"));
}
END_TEST

struct good {
	const char *head;
	struct web_request request;
};

static const struct good good[] = {
	{ "GET / HTTP/1.1\r\n\r\n", { WEB_PAGE, false, false, false, "" } },
	{ "GET /?a=b HTTP/1.0\n\n", { WEB_PAGE, false, false, false, "" } },
	{ "HEAD /healthz HTTP/1.1\r\n\r\n", { WEB_HEALTH, true, false, false, "" } },
	{ "GET http://director:9190/status.json HTTP/1.1\r\nContent-Length: 0\r\n\r\n", { WEB_STATUS, false, false, false, "" } },
	{ "GET /events.json HTTP/1.1\r\n\r\n", { WEB_EVENTS, false, false, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: */*\r\n\r\n", { WEB_METRICS, false, false, false, "" } },
	{ "GET /metrics HTTP/1.1\r\naccept:application/openmetrics-text\r\n\r\n",
	    { WEB_METRICS, false, true, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text; version=1.0.0; q=0.5 , "
	    "text/plain;q=0.4\r\n\r\n",
	    { WEB_METRICS, false, true, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;q=0.5, text/plain\r\n\r\n",
	    { WEB_METRICS, false, false, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;q=0\r\n\r\n",
	    { WEB_METRICS, false, false, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;q=many\r\n\r\n",
	    { WEB_METRICS, false, false, false, "" } },
	{ "GET /metrics HTTP/1.1\r\nAccept: ,;,;q=,\r\n\r\n", { WEB_METRICS, false, false, false, "" } },
};

START_TEST(takes_requests)
{
	struct web_request request;
	const char *why = "";

	ck_assert_uint_eq(web_parse(good[_i].head, strlen(good[_i].head), &request, &why), 0);
	ck_assert_int_eq(request.resource, good[_i].request.resource);
	ck_assert_int_eq(request.head_only, good[_i].request.head_only);
	ck_assert_int_eq(request.openmetrics, good[_i].request.openmetrics);
}
END_TEST

struct bad {
	const char *head;
	unsigned status;
};

static const struct bad bad[] = {
	{ "\r\n\r\n", 400 },
	{ "GET /\r\n\r\n", 400 },
	{ "GET / HTTP/2.0\r\n\r\n", 505 },
	{ "POST /metrics HTTP/1.1\r\n\r\n", 405 },
	{ "GET /doctor HTTP/1.1\r\n\r\n", 404 },
	{ "GET /metrics/ HTTP/1.1\r\n\r\n", 404 },
	{ "GET http://director HTTP/1.1\r\n\r\n", 404 },
	{ "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 413 },
	{ "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413 },
};

START_TEST(refuses_requests)
{
	struct web_request request;
	const char *why = "";

	ck_assert_uint_eq(web_parse(bad[_i].head, strlen(bad[_i].head), &request, &why), bad[_i].status);
	ck_assert_str_ne(why, "");
}
END_TEST

Suite *
web_suite(void)
{
	Suite *suite = suite_create("web");
	TCase *tcase = tcase_create("web");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 90);
	tcase_add_test(tcase, answers_and_closes);
	tcase_add_test(tcase, answers_in_parts);
	tcase_add_test(tcase, refuses);
	tcase_add_test(tcase, refuses_other_hosts);
	tcase_add_loop_test(tcase, knows_its_hosts, 0, (int)ARRAY_LEN(hosts));
	tcase_add_test(tcase, the_page_has_a_nonce);
	tcase_add_test(tcase, refuses_greed);
	tcase_add_test(tcase, the_silent_give_way);
	tcase_add_test(tcase, drops_who_does_not_read);
	tcase_add_test(tcase, answers_leave_time_for_frames);
	tcase_add_test(tcase, errors_name_the_remedy);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("requests");
	tcase_add_loop_test(tcase, takes_requests, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tcase, refuses_requests, 0, (int)ARRAY_LEN(bad));
	suite_add_tcase(suite, tcase);
	return suite;
}
