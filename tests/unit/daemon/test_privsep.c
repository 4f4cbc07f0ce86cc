/* SPDX-License-Identifier: ISC */
/* Requests to the privileged process: each that is malformed, and what it refuses although the form is right. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "daemon/confine.h"
#include "daemon/privsep.h"
#include "io/io_lend.h"

static struct privsep_request
request_of(enum privsep_operation operation, const char *iface)
{
	struct privsep_request request;

	memset(&request, 0, sizeof(request));
	request.operation = operation;
	memcpy(request.iface, iface, strlen(iface));
	return request;
}

static bool
is_read(const struct privsep_request *request, size_t descriptors)
{
	struct privsep_request read;

	return privsep_message_read(request, sizeof(*request), descriptors, &read) == 0;
}

static struct privsep_request
ping_of(uint8_t family)
{
	struct privsep_request request = request_of(PRIVSEP_PING, "");

	request.addr.family = family;
	request.addr.bytes[3] = 1;
	return request;
}

START_TEST(each_operation_has_its_form)
{
	for (uint32_t operation = PRIVSEP_CAPTURE; operation <= PRIVSEP_ROUTES; operation++) {
		struct privsep_request request = request_of((enum privsep_operation)operation, "eth0");

		if (operation == PRIVSEP_PING)
			request = ping_of(ADDR_IPV4);
		if (operation >= PRIVSEP_SYNC_KEY)
			request = request_of((enum privsep_operation)operation, "");
		ck_assert_msg(is_read(&request, operation == PRIVSEP_ATTACH), "operation %u", operation);
		ck_assert_msg(!is_read(&request, operation != PRIVSEP_ATTACH), "operation %u, other descriptors",
		    operation);
		ck_assert_msg(!is_read(&request, 2), "operation %u, two descriptors", operation);
		request.zero[2] = 1;
		ck_assert_msg(!is_read(&request, operation == PRIVSEP_ATTACH), "operation %u, rest is not zero",
		    operation);
	}
}
END_TEST

START_TEST(a_request_has_one_size)
{
	const struct privsep_request request = request_of(PRIVSEP_LOCK, "eth0");
	char longer[sizeof(request) + 1] = { 0 };
	struct privsep_request read;

	memcpy(longer, &request, sizeof(request));
	for (size_t length = 0; length < sizeof(request); length++)
		ck_assert_int_eq(privsep_message_read(&request, length, 0, &read), -1);
	ck_assert_int_eq(privsep_message_read(longer, sizeof(longer), 0, &read), -1);
}
END_TEST

START_TEST(an_operation_is_known)
{
	static const uint32_t unknown[] = { 0, PRIVSEP_ROUTES + 1, 0x80000001, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		struct privsep_request request = request_of(PRIVSEP_LOCK, "eth0");

		request.operation = unknown[i];
		ck_assert(!is_read(&request, 0));
	}
}
END_TEST

START_TEST(a_name_is_a_name)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/etc", "-i", "a b", "a\tb", "a\n" };
	struct privsep_request request;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		request = request_of(PRIVSEP_CAPTURE, bad[i]);
		ck_assert_msg(!is_read(&request, 0), "`%s`", bad[i]);
	}
	/* Without an end, and with something behind it. */
	memset(request.iface, 'a', IFACE_NAME);
	ck_assert(!is_read(&request, 0));
	request = request_of(PRIVSEP_CAPTURE, "eth0");
	request.iface[IFACE_NAME - 1] = 'x';
	ck_assert(!is_read(&request, 0));
	/* Where there is none. */
	request = request_of(PRIVSEP_LAUNCHER, "eth0");
	ck_assert(!is_read(&request, 0));
	request = ping_of(ADDR_IPV4);
	request.iface[0] = 'e';
	ck_assert(!is_read(&request, 0));
}
END_TEST

START_TEST(a_value_is_in_its_range)
{
	struct privsep_request request = request_of(PRIVSEP_ATTACH, "eth0");

	request.value = ATTACH_PLACES - 1;
	ck_assert(is_read(&request, 1));
	request.value = ATTACH_PLACES;
	ck_assert(!is_read(&request, 1));
	request = request_of(PRIVSEP_OFFLOADS_RESTORE, "eth0");
	request.value = 0x100;
	ck_assert(!is_read(&request, 0));
	request = request_of(PRIVSEP_CAPTURE, "eth0");
	request.value = 1;
	ck_assert(!is_read(&request, 0));
}
END_TEST

START_TEST(an_address_is_of_a_family)
{
	struct privsep_request request = ping_of(ADDR_IPV6);

	ck_assert(is_read(&request, 0));
	request.addr.family = ADDR_IPV4;
	request.addr.bytes[4] = 1;
	ck_assert(!is_read(&request, 0));
	request = ping_of(ADDR_NONE);
	ck_assert(!is_read(&request, 0));
	request = ping_of(5);
	ck_assert(!is_read(&request, 0));
	request = request_of(PRIVSEP_LOCK, "eth0");
	request.addr.bytes[15] = 1;
	ck_assert(!is_read(&request, 0));
}
END_TEST

/* --- the process -------------------------------------------------------------------------------------------------- */

static const char text[] = "[dsrd]\ninterface = dsrd-none0\nsandbox = off\n[service web]\nlisten = 192.0.2.10 tcp/80\n"
    "server = web1 192.0.2.11\n";
static struct conf conf;
static struct options options;

static int
stay(const void *order UNUSED, void *outcome UNUSED, char reason[LAUNCHER_REASON] UNUSED)
{
	return 0;
}

static struct privsep *
start(void)
{
	const struct privsep_order order = { .options = &options, .conf = &conf, .become = confine_launcher,
	    .checker = stay };
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct errlist *errors = errlist_new();
	struct privsep *privsep;
	char error[OS_ERROR];

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(conf_read(in, "test", &conf, errors), 0);
	(void)fclose(in);
	errlist_free(errors);
	options.config = "/nonexistent/dsrd.conf";
	ck_assert_int_eq(privsep_start(&order, &privsep, error), 0);
	return privsep;
}

static void
stop(struct privsep *privsep)
{
	privsep_stop(privsep);
	conf_clear(&conf);
}

START_TEST(only_what_the_configuration_names)
{
	struct privsep *privsep = start();
	char error[PRIVSEP_REASON] = "";
	const struct addr other = { .family = ADDR_IPV4, .bytes = { 127, 0, 0, 1 } };

	if (privsep == NULL)
		return; /* not on this system */
	errno = 0;
	ck_assert_int_eq(privsep_lend(privsep, PRIVSEP_CAPTURE, "lo", error, sizeof(error)), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_msg(strstr(error, "the configuration does not name it") != NULL, "%s", error);
	ck_assert_int_eq(privsep_ping(privsep, &other), -1);
	ck_assert_int_eq(errno, EACCES);
	/* It is named, and does not exist: another reason. */
	ck_assert_int_eq(privsep_lend(privsep, PRIVSEP_SENDER, "dsrd-none0", error, sizeof(error)), -1);
	ck_assert_int_eq(errno, ENXIO);
	stop(privsep);
}
END_TEST

START_TEST(it_forks_launchers)
{
	struct privsep *privsep = start();
	struct launcher launcher;
	struct launcher_answer answer;

	if (privsep == NULL)
		return;
	ck_assert_int_eq(privsep_launcher(privsep, &launcher), 0);
	ck_assert_int_ne(kill(launcher.pid, 0), -1);
	ck_assert_int_eq(launcher_answer(&launcher, &answer), 0);
	launcher_close(&launcher);
	stop(privsep);
}
END_TEST

START_TEST(it_replaces_checkers)
{
	struct privsep *privsep = start();
	struct launcher first, second;
	char ended[PRIVSEP_REASON], byte;

	if (privsep == NULL)
		return;
	ck_assert_int_eq(privsep_checker(privsep, &first, ended), 0);
	ck_assert_str_eq(ended, "");
	/* The first ends for the second, and its socket shows it. */
	ck_assert_int_eq(privsep_checker(privsep, &second, ended), 0);
	ck_assert_int_ne(first.pid, second.pid);
	while (recv(first.fd, &byte, sizeof(byte), 0) > 0)
		continue;
	for (unsigned i = 0; i < 5000 && kill(first.pid, 0) == 0; i++)
		(void)poll(NULL, 0, 1);
	ck_assert_int_eq(kill(first.pid, 0), -1);
	(void)close(first.fd);
	/* One that was killed, as for lack of memory. */
	ck_assert_int_eq(kill(second.pid, SIGKILL), 0);
	while (recv(second.fd, &byte, sizeof(byte), 0) > 0)
		continue;
	(void)close(second.fd);
	ck_assert_int_eq(privsep_checker(privsep, &first, ended), 0);
	ck_assert_str_eq(ended, "signal 9 (Killed)");
	(void)close(first.fd);
	stop(privsep);
}
END_TEST

START_TEST(one_that_is_gone_is_reported)
{
	struct privsep *privsep = start();
	const struct os_sandbox *sandbox;
	char error[PRIVSEP_REASON] = "";
	pid_t pid;

	if (privsep == NULL)
		return;
	ck_assert(privsep_process(privsep, &pid, &sandbox));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(privsep_lock(privsep, "dsrd-none0", error, sizeof(error)), -1);
	ck_assert_msg(strstr(error, "has ended") != NULL, "%s", error);
	ck_assert(!privsep_process(privsep, &pid, &sandbox));
	stop(privsep);
}
END_TEST

Suite *privsep_suite(void);

Suite *
privsep_suite(void)
{
	Suite *suite = suite_create("privsep");
	TCase *tests = tcase_create("requests");

	tcase_add_test(tests, each_operation_has_its_form);
	tcase_add_test(tests, a_request_has_one_size);
	tcase_add_test(tests, an_operation_is_known);
	tcase_add_test(tests, a_name_is_a_name);
	tcase_add_test(tests, a_value_is_in_its_range);
	tcase_add_test(tests, an_address_is_of_a_family);
	tcase_add_test(tests, only_what_the_configuration_names);
	tcase_add_test(tests, it_forks_launchers);
	tcase_add_test(tests, it_replaces_checkers);
	tcase_add_test(tests, one_that_is_gone_is_reported);
	suite_add_tcase(suite, tests);
	return suite;
}
