/* SPDX-License-Identifier: ISC */
/* Each kind of check against a server of the test's own. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "suites.h"

static void
nap(unsigned milliseconds)
{
	const struct timespec time = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };

	(void)nanosleep(&time, NULL);
}

/* Reads the request, says the text in two pieces, hangs up. */
static void
say(int fd, const void *context)
{
	const char *text = context;
	const size_t half = strlen(text) / 2;
	char request[2048];

	(void)!recv(fd, request, sizeof(request), 0);
	(void)!send(fd, text, half, MSG_NOSIGNAL);
	nap(20);
	(void)!send(fd, text + half, strlen(text) - half, MSG_NOSIGNAL);
}

/* Says the text at once and stays silent for longer than any check waits. */
static void
say_and_hold(int fd, const void *context)
{
	(void)!send(fd, context, strlen(context), MSG_NOSIGNAL);
	nap(3000);
}

static void
drip(int fd, const void *context)
{
	const char *text = context;

	for (unsigned i = 0; i < 100; i++) {
		(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
		nap(50);
	}
}

/* Sends back the request, as the body of a response. */
static void
echo(int fd, const void *context)
{
	char request[2048];
	const ssize_t got = recv(fd, request, sizeof(request), 0);

	(void)!send(fd, context, strlen(context), MSG_NOSIGNAL);
	if (got > 0)
		(void)!send(fd, request, (size_t)got, MSG_NOSIGNAL);
}

/* The answer of a check of one connection to such a server. */
static void
ask_server(struct bench *bench, void (*serve)(int fd, const void *context), const char *text)
{
	const int listener = bench_socket(SOCK_STREAM, &bench->target.port);
	const pid_t pid = bench_serve(listener, 1, serve, text);

	bench_run(bench);
	bench_unserve(pid);
	(void)close(listener);
}

static const struct {
	const char *send;
	const char *expect;
	const char *says;
	enum health_reason reason;
} talks[] = {
	{ "PING\r\n", "+PONG", "+PONG\r\n", HEALTH_REASON_NONE },
	{ "PING\r\n", "+PONG", "-LOADING\r\n", HEALTH_REASON_MISSING },
	{ "PING\r\n", NULL, "", HEALTH_REASON_NONE },
	{ "PING\r\n", "", "x", HEALTH_REASON_NONE },
	{ "PING\r\n", "", "", HEALTH_REASON_MISSING },
};

START_TEST(test_tcp_talk)
{
	struct bench bench;

	bench_begin(&bench, CHECK_TCP);
	bench_bytes(&bench.target.check.send, talks[_i].send);
	if (talks[_i].expect != NULL)
		bench_bytes(&bench.target.check.expect, talks[_i].expect);
	ask_server(&bench, say, talks[_i].says);
	ck_assert_int_eq(bench.reason, talks[_i].reason);
	bench_end(&bench);
}
END_TEST

START_TEST(test_tcp_banner)
{
	struct bench bench;

	bench_begin(&bench, CHECK_TCP);
	bench_bytes(&bench.target.check.expect, "220 ");
	ask_server(&bench, say_and_hold, "220 mail.example.org\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench.target.timeout = (struct timeval) { 0, 200000 };
	ask_server(&bench, say_and_hold, "421 busy\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	bench_end(&bench);
}
END_TEST

/* The time of the check is over when this process goes on, and only the connection is there: the answer still counts. */
START_TEST(test_held_up)
{
	struct bench bench;
	void *runner;
	int listener;
	pid_t pid;

	bench_begin(&bench, CHECK_TCP);
	bench_bytes(&bench.target.check.send, "PING\r\n");
	bench_bytes(&bench.target.check.expect, "+PONG");
	bench.target.timeout = (struct timeval) { 0, 200000 };
	listener = bench_socket(SOCK_STREAM, &bench.target.port);
	pid = bench_serve(listener, 1, say, "+PONG\r\n");
	runner = bench_runner(&bench);
	bench_run_held_up(&bench, runner, 300);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_unserve(pid);
	/* It is put off once: a server that does not answer is not waited for any longer. */
	pid = bench_serve(listener, 1, say_and_hold, "");
	bench_run_held_up(&bench, runner, 300);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	bench_unserve(pid);
	bench_drop(&bench, runner);
	(void)close(listener);
	bench_end(&bench);
}
END_TEST

/* Neither a flood nor a trickle of the wrong bytes goes on for long. */
START_TEST(test_tcp_limits)
{
	char flood[6001];
	struct bench bench;

	memset(flood, 'x', sizeof(flood) - 1);
	flood[sizeof(flood) - 1] = '\0';
	memcpy(flood + 5000, "220", 3);
	bench_begin(&bench, CHECK_TCP);
	bench_bytes(&bench.target.check.expect, "220");
	ask_server(&bench, say_and_hold, flood);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_MISSING);
	bench.target.timeout = (struct timeval) { 0, 300000 };
	ask_server(&bench, drip, "x");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	bench_end(&bench);
}
END_TEST

START_TEST(test_http)
{
	struct bench bench;

	bench_begin(&bench, CHECK_HTTP);
	ask_server(&bench, say, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	ask_server(&bench, say, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_STATUS);
	ck_assert_str_eq(bench.detail, "status 503");
	ask_server(&bench, say, "nonsense\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_GARBLED);
	ask_server(&bench, say, "HTTP/1.1 200 O");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_CLOSED);
	bench_bytes(&bench.target.check.expect, "all is well");
	ask_server(&bench, say, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "6\r\nall is\r\n5\r\n well\r\n0\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	ask_server(&bench, say, "HTTP/1.1 200 OK\r\n\r\nall is not well");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_BODY);
	bench_end(&bench);
}
END_TEST

START_TEST(test_http_slow)
{
	struct bench bench;

	bench_begin(&bench, CHECK_HTTP);
	bench.target.timeout = (struct timeval) { 0, 300000 };
	bench_bytes(&bench.target.check.expect, "well");
	ask_server(&bench, say_and_hold, "");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	ck_assert_str_eq(bench.detail, "connected, but no answer");
	ask_server(&bench, drip, "HTTP/1.1 100 Continue\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	ck_assert_str_eq(bench.detail, "the answer is not complete");
	/* What is enough to know is enough: no wait for the end. */
	ask_server(&bench, say_and_hold, "HTTP/1.1 200 OK\r\n\r\nall is well");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_end(&bench);
}
END_TEST

START_TEST(test_http_request)
{
	struct bench bench;

	bench_begin(&bench, CHECK_HTTP);
	bench_bytes(&bench.target.check.expect, "GET /healthz?a=b HTTP/1.1\r\nHost: www.example.org\r\n");
	memcpy(bench.target.check.path, "/healthz?a=b", 13);
	memcpy(bench.target.check.host, "www.example.org", 16);
	ask_server(&bench, echo, "HTTP/1.1 200 OK\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench.target.check.host[0] = bench.target.check.path[0] = '\0';
	bench_bytes(&bench.target.check.expect, "Connection: close\r\n\r\n");
	ask_server(&bench, echo, "HTTP/1.1 200 OK\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_bytes(&bench.target.check.expect, "Host: 127.0.0.1:");
	ask_server(&bench, echo, "HTTP/1.1 200 OK\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_end(&bench);
}
END_TEST

static const enum check_kind stream_kinds[] = { CHECK_TCP, CHECK_HTTP };

START_TEST(test_refused_and_given_up)
{
	struct bench bench;
	int fd;

	bench_begin(&bench, stream_kinds[_i]);
	bench_bytes(&bench.target.check.expect, "never");
	fd = bench_socket(SOCK_STREAM, &bench.target.port);
	bench_give_up(&bench, 30);
	(void)close(fd);
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_REFUSED);
	bench_end(&bench);
}
END_TEST

/* A server of one datagram, answered with `bytes`; with the number and name of the question when `dns`. */
static pid_t
answer_datagram(int fd, const char *text, bool dns)
{
	const pid_t pid = fork();
	struct sockaddr_storage from;
	socklen_t from_length = sizeof(from);
	uint8_t bytes[512];
	ssize_t got;

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	got = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_length);
	if (dns && got > 12) {
		/* First somebody else's: another number. */
		bytes[2] = 0x81;
		bytes[0] ^= 1;
		(void)!sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, from_length);
		bytes[0] ^= 1;
		bytes[3] = (uint8_t)text[0];
		(void)!sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, from_length);
	} else if (!dns) {
		(void)!sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, from_length);
	}
	_exit(0);
}

static void
ask_datagram(struct bench *bench, const char *text)
{
	const int fd = bench_socket(SOCK_DGRAM, &bench->target.port);
	const pid_t pid = answer_datagram(fd, text, bench->target.check.kind == CHECK_DNS);

	(void)close(fd);
	bench_run(bench);
	bench_unserve(pid);
}

START_TEST(test_udp)
{
	struct bench bench;
	void *runner;
	int fd;

	bench_begin(&bench, CHECK_UDP);
	bench.target.timeout = (struct timeval) { 0, 300000 };
	bench_bytes(&bench.target.check.send, "hello");
	bench_bytes(&bench.target.check.expect, "world");
	ask_datagram(&bench, "hello world");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	ask_datagram(&bench, "hello");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_MISSING);
	/* Silence. */
	fd = bench_socket(SOCK_DGRAM, &bench.target.port);
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	bench.target.check.expect.given = false;
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_give_up(&bench, 20);
	/* Port unreachable. */
	(void)close(fd);
	runner = bench_runner(&bench);
	bench_run_with(&bench, runner);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_REFUSED);
	/* Silence right after it is a limit of ICMP errors, and no success until that has passed. */
	{
		struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(bench.target.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		fd = socket(AF_INET, SOCK_DGRAM, 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	}
	bench_run_with(&bench, runner);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_REFUSED);
	(void)usleep(1500 * 1000);
	bench_run_with(&bench, runner);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_drop(&bench, runner);
	(void)close(fd);
	bench_end(&bench);
}
END_TEST

START_TEST(test_dns)
{
	struct bench bench;

	bench_begin(&bench, CHECK_DNS);
	memcpy(bench.target.check.name, "example.org", 12);
	bench.target.check.type = 1;
	ask_datagram(&bench, "\200"); /* recursion available, noerror */
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	ask_datagram(&bench, "\202");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_ANSWER);
	ck_assert_str_eq(bench.detail, "response code servfail");
	bench_end(&bench);
}
END_TEST

static const char *const ping_addresses[] = { "127.0.0.1", "::1" };

START_TEST(test_icmp)
{
	struct bench bench;

	bench_begin(&bench, CHECK_ICMP);
	ck_assert_int_eq(addr_parse(ping_addresses[_i], &bench.target.addr), 0);
	bench_run(&bench);
	/* Where this process may not ping, or there is no IPv6, it must say that it is the director's trouble. */
	ck_assert(bench.reason == HEALTH_REASON_NONE || bench.reason == HEALTH_REASON_LOCAL);
	if (geteuid() == 0 && _i == 0)
		ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_end(&bench);
}
END_TEST

static TCase *
kinds_tests(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, test_tcp_talk, 0, ARRAY_LEN(talks));
	tcase_add_test(tcase, test_tcp_banner);
	tcase_add_test(tcase, test_tcp_limits);
	tcase_add_test(tcase, test_held_up);
	tcase_add_test(tcase, test_http);
	tcase_add_test(tcase, test_http_slow);
	tcase_add_test(tcase, test_http_request);
	tcase_add_loop_test(tcase, test_refused_and_given_up, 0, ARRAY_LEN(stream_kinds));
	tcase_add_test(tcase, test_udp);
	tcase_add_test(tcase, test_dns);
	return tcase;
}

Suite *
kinds_suite(void)
{
	Suite *suite = suite_create("kinds");
	TCase *here = kinds_tests("here"), *checker = kinds_tests("in the checker");

	tcase_add_loop_test(here, test_icmp, 0, ARRAY_LEN(ping_addresses));
	tcase_add_unchecked_fixture(checker, bench_use_checker, bench_use_none);
	suite_add_tcase(suite, here);
	suite_add_tcase(suite, checker);
	return suite;
}
