/* SPDX-License-Identifier: ISC */
/* Real sockets, but only on loopback: listeners of the test's own. */
#include "config.h"

#include "check/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/duration.h"
#include "check/children.h"
#include "check/runner.h"
#include "suites.h"

#define SERVERS 8

/* What the checker told of each server, by the number in its name. */
struct told {
	unsigned count[SERVERS];
	unsigned all;
	enum health_reason last[SERVERS];
	char detail[160];
};

struct bench {
	struct event_base *base;
	struct children *children;
	struct checker *checker;
	struct model *model;
	struct told told;
};

static void
on_result(void *context, struct server *server, size_t check, const struct check_report *report)
{
	struct told *told = context;
	const unsigned number = (unsigned)(server->settings.name[0] - '0');
	const char *detail = report->detail;

	ck_assert_uint_eq(check, 0);

	ck_assert_uint_lt(number, SERVERS);
	told->count[number]++;
	told->all++;
	told->last[number] = report->reason;
	ck_assert_uint_lt(strlen(detail), sizeof(told->detail));
	memcpy(told->detail, detail, strlen(detail) + 1);
}

static struct bench *
bench_new(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	ck_assert_ptr_nonnull(bench);
	bench->base = event_base_new();
	bench->model = model_new();
	ck_assert(bench->base != NULL && bench->model != NULL);
	bench->children = children_new(bench->base, NULL, NULL);
	ck_assert_ptr_nonnull(bench->children);
	bench->checker = checker_new(bench->base, bench->children, on_result, &bench->told);
	ck_assert_ptr_nonnull(bench->checker);
	return bench;
}

static void
bench_free(struct bench *bench)
{
	checker_free(bench->checker);
	children_free(bench->children);
	model_free(bench->model);
	event_base_free(bench->base);
	free(bench);
}

/* Lets the loop run until `*counter` reaches `least`; false when that takes longer than `most`. */
static bool
run_until(struct bench *bench, const unsigned *counter, unsigned least, uint64_t most)
{
	struct timeval begin, now, passed;

	(void)event_base_gettimeofday_cached(bench->base, &begin);
	do {
		const struct timeval tick = { 0, 5000 };

		if (*counter >= least)
			return true;
		(void)event_base_loopexit(bench->base, &tick);
		(void)event_base_dispatch(bench->base);
		(void)event_base_gettimeofday_cached(bench->base, &now);
		evutil_timersub(&now, &begin, &passed);
	} while (SECONDS(passed.tv_sec) + (uint64_t)passed.tv_usec < most);
	return *counter >= least;
}

static void
run_for(struct bench *bench, uint64_t duration)
{
	static const unsigned never = 0;

	ck_assert(!run_until(bench, &never, 1, duration));
}

/* A TCP socket on a loopback port of the kernel's choice. Until listen() Linux refuses; a BSD may drop the SYN. */
static int
bound_socket(int family, uint16_t *port)
{
	struct sockaddr_storage storage = { .ss_family = (sa_family_t)family };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t length = family == AF_INET ? sizeof(v4) : sizeof(v6);
	const int fd = socket(family, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	if (family == AF_INET)
		memcpy(&storage, &v4, sizeof(v4));
	else
		memcpy(&storage, &v6, sizeof(v6));
	if (bind(fd, (struct sockaddr *)&storage, length) == -1 ||
	    getsockname(fd, (struct sockaddr *)&storage, &length) == -1) {
		(void)close(fd);
		return -1;
	}
	memcpy(&v4, &storage, sizeof(v4));
	*port = ntohs(v4.sin_port); /* at the same place in both */
	return fd;
}

/* Refuses on every system. */
static uint16_t
closed_port(void)
{
	uint16_t port;
	const int fd = bound_socket(AF_INET, &port);

	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	return port;
}

/*
 * No BSD has 127.0.0.2 and 127.0.0.3, unless they were added to lo0: servers there cannot be asked. Without assertions,
 * since the suite is still being made.
 */
static bool
has_three_loopbacks(void)
{
	const struct sockaddr_in third = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool has = fd != -1 && bind(fd, (const struct sockaddr *)&third, sizeof(third)) == 0;

	if (fd != -1)
		(void)close(fd);
	return has;
}

static int
listener(uint16_t *port)
{
	const int fd = bound_socket(AF_INET, port);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

/* A service whose servers, "0", "1" ..., are all this machine, by different addresses, asked on `port`. */
static void
apply(struct bench *bench, unsigned servers, const char *addr, uint16_t port, uint64_t interval, uint64_t timeout)
{
	struct settings settings = { .service_count = 1 };
	struct service_settings *service = settings.services = calloc(1, sizeof(*service));

	ck_assert_ptr_nonnull(service);
	memcpy(service->name, "web", 4);
	service->checks = calloc(1, sizeof(*service->checks));
	ck_assert_ptr_nonnull(service->checks);
	service->checks[0].port = port;
	service->check_count = 1;
	service->interval = interval;
	service->timeout = timeout;
	service->servers = calloc(servers, sizeof(*service->servers));
	ck_assert_ptr_nonnull(service->servers);
	for (service->server_count = 0; service->server_count < servers; service->server_count++) {
		struct server_settings *server = &service->servers[service->server_count];

		server->name[0] = (char)('0' + service->server_count);
		server->weight = 1;
		ck_assert_int_eq(addr_parse(addr, &server->addr), 0);
		/* 127.0.0.1, 127.0.0.2 ...: the same address would be the same question. */
		if (server->addr.family == ADDR_IPV4)
			server->addr.bytes[3] = (uint8_t)(1 + service->server_count);
	}
	ck_assert_int_eq(model_apply(bench->model, &settings, 1), 0);
	ck_assert_int_eq(checker_sync(bench->checker, bench->model), 0);
}

START_TEST(test_listener_is_well)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);
	char expected[80];

	apply(bench, 1, "127.0.0.1", port, SECONDS(10), SECONDS(1));
	/* The first answer comes at once, long before the interval is over. */
	ck_assert(run_until(bench, &bench->told.all, 1, SECONDS(1)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_NONE);
	(void)snprintf(expected, sizeof(expected), "tcp 127.0.0.1:%u", port);
	ck_assert_str_eq(bench->told.detail, expected);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

/* A server must not be shown an error by being checked: it reads an ordinary end. */
START_TEST(test_server_sees_an_ordinary_end)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);
	int accepted;
	char byte;

	apply(bench, 1, "127.0.0.1", port, SECONDS(10), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.all, 1, SECONDS(1)));
	accepted = accept(fd, NULL, NULL);
	ck_assert_int_ne(accepted, -1);
	ck_assert_int_eq(recv(accepted, &byte, 1, 0), 0);
	(void)close(accepted);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

START_TEST(test_closed_port_refuses)
{
	struct bench *bench = bench_new();

	apply(bench, 1, "127.0.0.1", closed_port(), SECONDS(10), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.all, 1, SECONDS(1)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_REFUSED);
	bench_free(bench);
}
END_TEST

START_TEST(test_ipv6)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = bound_socket(AF_INET6, &port);
	char expected[80];

	/* Where there is no IPv6 there is nothing to see. */
	if (fd != -1) {
		ck_assert_int_eq(listen(fd, 4), 0);
		apply(bench, 1, "::1", port, SECONDS(10), SECONDS(1));
		ck_assert(run_until(bench, &bench->told.all, 1, SECONDS(1)));
		ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_NONE);
		(void)snprintf(expected, sizeof(expected), "tcp [::1]:%u", port);
		ck_assert_str_eq(bench->told.detail, expected);
		(void)close(fd);
	}
	bench_free(bench);
}
END_TEST

/* More than OpenBSD's smallest backlog, kern.sominconn = 80. */
#define BACKLOG_MOST 100

/* Fills the listener's backlog, which no one accepts from. Gives back the number of sockets. */
static unsigned
fill_backlog(uint16_t port, int fds[BACKLOG_MOST])
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned count;

	for (count = 0; count < BACKLOG_MOST; count++) {
		fds[count] = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_ne(fds[count], -1);
		ck_assert_int_eq(evutil_make_socket_nonblocking(fds[count]), 0);
		(void)connect(fds[count], (struct sockaddr *)&sa, sizeof(sa));
	}
	return count;
}

START_TEST(test_full_backlog_times_out)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = bound_socket(AF_INET, &port);
	int fds[BACKLOG_MOST];
	unsigned filled;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(listen(fd, 0), 0);
	filled = fill_backlog(port, fds);
	/* The timeout is longer than the interval: still one question at a time. */
	apply(bench, 1, "127.0.0.1", port, MILLISECONDS(50), MILLISECONDS(300));
	run_for(bench, MILLISECONDS(200));
	ck_assert_uint_eq(bench->told.all, 0);
	ck_assert(run_until(bench, &bench->told.all, 1, SECONDS(2)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_TIMEOUT);
	bench_free(bench);
	while (filled > 0)
		(void)close(fds[--filled]);
	(void)close(fd);
}
END_TEST

START_TEST(test_goes_on_asking)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = bound_socket(AF_INET, &port);

	ck_assert_int_ne(fd, -1);
	apply(bench, 1, "127.0.0.1", port, MILLISECONDS(100), MILLISECONDS(100));
	ck_assert(run_until(bench, &bench->told.all, 3, SECONDS(5)));
	ck_assert_int_ne(bench->told.last[0], HEALTH_REASON_NONE);
	/* The server starts to listen; the next answer is another. */
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert(run_until(bench, &bench->told.all, bench->told.all + 2, SECONDS(5)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_NONE);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

START_TEST(test_interval_is_kept)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);

	/* In 1.5 s: the first at once, the second after 0.5 to 1 interval, then one each. Fewer when busy. */
	apply(bench, 1, "127.0.0.1", port, MILLISECONDS(200), MILLISECONDS(200));
	run_for(bench, MILLISECONDS(1500));
	ck_assert_uint_ge(bench->told.all, 3);
	ck_assert_uint_le(bench->told.all, 9);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

START_TEST(test_first_checks_are_soon_and_all)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);

	apply(bench, SERVERS, "127.0.0.1", port, SECONDS(60), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.all, SERVERS, SECONDS(2)));
	for (unsigned i = 0; i < SERVERS; i++)
		ck_assert_uint_eq(bench->told.count[i], 1);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

START_TEST(test_sync_leaves_unchanged_checks_alone)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);

	apply(bench, 2, "127.0.0.1", port, SECONDS(60), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.all, 2, SECONDS(2)));
	/* A third server: it alone is asked at once. */
	apply(bench, 3, "127.0.0.1", port, SECONDS(60), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.count[2], 1, SECONDS(2)));
	run_for(bench, MILLISECONDS(300));
	ck_assert_uint_eq(bench->told.all, 3);
	/* A new interval is a new check. */
	apply(bench, 3, "127.0.0.1", port, SECONDS(50), SECONDS(1));
	ck_assert(run_until(bench, &bench->told.all, 6, SECONDS(2)));
	bench_free(bench);
	(void)close(fd);
}
END_TEST

/* Removed in the middle of a check: the answer, were it to come, would speak of freed memory. */
START_TEST(test_removed_server_is_never_told_of)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = bound_socket(AF_INET, &port);
	int fds[BACKLOG_MOST];
	unsigned filled;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(listen(fd, 0), 0);
	filled = fill_backlog(port, fds);
	apply(bench, 3, "127.0.0.1", port, SECONDS(60), MILLISECONDS(600));
	run_for(bench, MILLISECONDS(250));
	ck_assert_uint_eq(bench->told.all, 0);
	apply(bench, 1, "127.0.0.1", port, SECONDS(60), MILLISECONDS(600));
	run_for(bench, MILLISECONDS(900));
	ck_assert_uint_eq(bench->told.count[0], 1);
	ck_assert_uint_eq(bench->told.all, 1);
	bench_free(bench);
	while (filled > 0)
		(void)close(fds[--filled]);
	(void)close(fd);
}
END_TEST

START_TEST(test_unchecked_service_is_not_asked)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);

	apply(bench, 1, "127.0.0.1", port, MILLISECONDS(20), SECONDS(1));
	bench->model->services[0]->settings.check_count = 0;
	ck_assert_int_eq(checker_sync(bench->checker, bench->model), 0);
	run_for(bench, MILLISECONDS(200));
	ck_assert_uint_eq(bench->told.all, 0);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

/* Check runs each test in a process of its own, so the limit ends with the test. */
START_TEST(test_no_descriptors_is_our_own_trouble)
{
	struct bench *bench = bench_new();
	uint16_t port;
	const int fd = listener(&port);
	struct rlimit limit, none;
	const int next = dup(fd);

	ck_assert_int_ne(next, -1);
	(void)close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)next; /* not 0, at which poll(2) gives EINVAL on OpenBSD */
	apply(bench, 1, "127.0.0.1", port, MILLISECONDS(50), SECONDS(1));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	(void)run_until(bench, &bench->told.all, 2, SECONDS(2));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_ge(bench->told.all, 2);
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_LOCAL);
	ck_assert_ptr_nonnull(strstr(bench->told.detail, "too many open files: raise"));
	/* And it recovers by itself. */
	ck_assert(run_until(bench, &bench->told.all, bench->told.all + 1, SECONDS(2)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_NONE);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

/* Two checks of two servers, one of them in two services: as many questions as there are different ones. */
START_TEST(test_equal_checks_are_asked_once)
{
	struct bench *bench = bench_new();
	struct settings settings = { .service_count = 2 };
	uint16_t port;
	const int fd = listener(&port);
	int accepted = 0;

	settings.services = calloc(2, sizeof(*settings.services));
	ck_assert_ptr_nonnull(settings.services);
	for (size_t i = 0; i < 2; i++) {
		struct service_settings *service = &settings.services[i];

		(void)snprintf(service->name, sizeof(service->name), "service%zu", i);
		service->interval = SECONDS(60);
		service->timeout = SECONDS(1);
		service->checks = calloc(1, sizeof(*service->checks));
		service->check_count = 1;
		service->checks[0].port = port;
		service->servers = calloc(2, sizeof(*service->servers));
		service->server_count = 2;
		for (size_t j = 0; j < 2; j++) {
			service->servers[j].name[0] = (char)('0' + 2 * i + j);
			/* 127.0.0.1 in both services, 127.0.0.2 and 3 in one each. */
			service->servers[j].addr = (struct addr) { ADDR_IPV4,
			    { 127, 0, 0, (uint8_t)(j == 0 ? 1 : 2 + i) } };
		}
	}
	ck_assert_int_eq(model_apply(bench->model, &settings, 1), 0);
	ck_assert_int_eq(checker_sync(bench->checker, bench->model), 0);
	ck_assert_uint_eq(checker_jobs(bench->checker), 3);
	ck_assert(run_until(bench, &bench->told.all, 4, SECONDS(2)));
	run_for(bench, MILLISECONDS(100));
	ck_assert_uint_eq(bench->told.all, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(bench->told.count[i], 1);
	ck_assert_int_eq(evutil_make_socket_nonblocking(fd), 0);
	for (int peer; (peer = accept(fd, NULL, NULL)) != -1; accepted++)
		(void)close(peer);
	ck_assert_int_eq(accepted, 3);
	/* Of another timeout, another question. */
	bench->model->services[1]->settings.timeout = SECONDS(2);
	ck_assert_int_eq(checker_sync(bench->checker, bench->model), 0);
	ck_assert_uint_eq(checker_jobs(bench->checker), 4);
	bench_free(bench);
	(void)close(fd);
}
END_TEST

static const struct {
	int error;
	enum health_reason reason;
} reasons[] = {
	{ 0, HEALTH_REASON_NONE },
	{ ECONNREFUSED, HEALTH_REASON_REFUSED },
	{ ETIMEDOUT, HEALTH_REASON_TIMEOUT },
	{ ECONNRESET, HEALTH_REASON_RESET },
	{ EHOSTUNREACH, HEALTH_REASON_UNREACHABLE },
	{ ENETUNREACH, HEALTH_REASON_UNREACHABLE },
	{ ENOPROTOOPT, HEALTH_REASON_UNREACHABLE },
	{ EMFILE, HEALTH_REASON_LOCAL },
	{ ENOBUFS, HEALTH_REASON_LOCAL },
	{ EADDRNOTAVAIL, HEALTH_REASON_LOCAL },
	{ EPERM, HEALTH_REASON_LOCAL },
};

START_TEST(test_reason_of)
{
	ck_assert_int_eq(check_reason_of(reasons[_i].error), reasons[_i].reason);
}
END_TEST

/* A failed check is repeated soon, until the server is down; then, and when all is well, the interval counts. */
START_TEST(test_retry)
{
	struct bench *bench = bench_new();
	struct health *health;
	unsigned before;

	apply(bench, 1, "127.0.0.1", closed_port(), SECONDS(60), SECONDS(1));
	bench->model->services[0]->settings.retry = MILLISECONDS(20);
	ck_assert_int_eq(checker_sync(bench->checker, bench->model), 0);
	health = &bench->model->services[0]->servers[0]->checks[0].health;
	health->state = HEALTH_UP;
	ck_assert(run_until(bench, &bench->told.all, 3, SECONDS(5)));
	ck_assert_int_eq(bench->told.last[0], HEALTH_REASON_REFUSED);
	health->state = HEALTH_DOWN;
	run_for(bench, MILLISECONDS(100));
	before = bench->told.all;
	run_for(bench, MILLISECONDS(200));
	ck_assert_uint_eq(bench->told.all, before);
	bench_free(bench);
}
END_TEST

Suite *
probe_suite(void)
{
	Suite *suite = suite_create("probe");
	TCase *tcase = tcase_create("tcp");

	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, test_listener_is_well);
	tcase_add_test(tcase, test_server_sees_an_ordinary_end);
	tcase_add_test(tcase, test_closed_port_refuses);
	tcase_add_test(tcase, test_ipv6);
	tcase_add_test(tcase, test_full_backlog_times_out);
	tcase_add_test(tcase, test_goes_on_asking);
	tcase_add_test(tcase, test_interval_is_kept);
	tcase_add_test(tcase, test_first_checks_are_soon_and_all);
	if (has_three_loopbacks())
		tcase_add_test(tcase, test_sync_leaves_unchanged_checks_alone);
	if (has_three_loopbacks())
		tcase_add_test(tcase, test_removed_server_is_never_told_of);
	if (has_three_loopbacks())
		tcase_add_test(tcase, test_equal_checks_are_asked_once);
	tcase_add_test(tcase, test_unchecked_service_is_not_asked);
	tcase_add_test(tcase, test_no_descriptors_is_our_own_trouble);
	tcase_add_test(tcase, test_retry);
	tcase_add_loop_test(tcase, test_reason_of, 0, sizeof(reasons) / sizeof(reasons[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
