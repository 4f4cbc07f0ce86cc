/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/conf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "proto/packet.h"
#include "sched/scheduler.h"
#include "suites.h"
#include "tool.h"

#define SERVICE "[service web]\nlisten = 192.0.2.10 tcp/80\nserver = web1 192.0.2.11\n"

static void
check_addr(const struct addr *addr, const char *expected)
{
	char text[ADDR_TEXT];

	ck_assert_str_eq(addr_format(addr, text), expected);
}

START_TEST(test_defaults)
{
	struct conf conf = must_read("[dsrd]\ninterface = eth0\n" SERVICE);
	const struct conn_timeouts timeouts = conn_timeouts_default();
	const struct service_settings *service = conf.settings.services;

	ck_assert_str_eq(conf.iface, "eth0");
	ck_assert_str_eq(conf.user, DSRD_USER);
	ck_assert_int_eq(conf.log, SINK_SYSLOG);
	ck_assert(mac_is_zero(&conf.mac));
	ck_assert(!addr_is_set(&conf.address4.addr));
	ck_assert(!addr_is_set(&conf.address6.addr));
	ck_assert_uint_eq(conf.settings.connections, 1000000);
	ck_assert_mem_eq(&service->timeouts, &timeouts, sizeof(timeouts));
	ck_assert_uint_eq(conf.settings.service_count, 1);
	ck_assert_str_eq(service->name, "web");
	ck_assert_str_eq(service->iface, "eth0");
	ck_assert_str_eq(service->scheduler->name, "wlc");
	ck_assert_uint_eq(service->check_count, 1);
	ck_assert_int_eq(service->checks[0].kind, CHECK_TCP);
	ck_assert_uint_eq(service->checks[0].port, 0);
	ck_assert_uint_eq(service->interval, SECONDS(2));
	ck_assert_uint_eq(service->timeout, SECONDS(1));
	ck_assert_uint_eq(service->rise, 2);
	ck_assert_uint_eq(service->fall, 3);
	ck_assert_uint_eq(service->servers[0].weight, 1);
	ck_assert(mac_is_zero(&service->servers[0].mac));
	ck_assert_str_eq(service->servers[0].iface, "");
	ck_assert(!service->servers[0].backup);
	conf_clear(&conf);
	ck_assert_ptr_null(conf.settings.services);
}
END_TEST

START_TEST(test_dsrd)
{
	struct conf conf = must_read("[dsrd]\nuser = _dsrd:daemon\nlog = stderr\nconnections = 64k\n"
	    "mac = 02:00:00:00:00:FE\naddress = 192.0.2.250/24\n" SERVICE);
	char mac[MAC_TEXT];

	ck_assert_str_eq(conf.iface, "");
	ck_assert_str_eq(conf.settings.services[0].iface, "");
	ck_assert_str_eq(conf.user, "_dsrd:daemon");
	ck_assert_int_eq(conf.log, SINK_STDERR);
	ck_assert_uint_eq(conf.settings.connections, 65536);
	ck_assert_str_eq(mac_format(&conf.mac, mac), "02:00:00:00:00:fe");
	check_addr(&conf.address4.addr, "192.0.2.250");
	ck_assert_uint_eq(conf.address4.length, 24);
	conf_clear(&conf);
}
END_TEST

static void
check_http(const char *value, const char *addr, uint16_t port)
{
	char text[200];
	struct conf conf;

	(void)snprintf(text, sizeof(text), "[dsrd]\nhttp = %s\n" SERVICE, value);
	conf = must_read(text);
	check_addr(&conf.http_address, addr);
	ck_assert_uint_eq(conf.http_port, port);
	conf_clear(&conf);
}

START_TEST(test_http)
{
	static const char *const bad[] = { "9190", ":9190", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "::1:9190",
		"[::1]", "[::1]9190", "[127.0.0.1]:9190", "[::1:9190", "::1]:9190", "localhost:9190", "127.0.0.1:9190x",
		    "[]:1" };
	struct conf conf = must_read("[dsrd]\nhttp = off\n" SERVICE);

	ck_assert(!addr_is_set(&conf.http_address));
	conf_clear(&conf);
	check_http("127.0.0.1:9190", "127.0.0.1", 9190);
	check_http("0.0.0.0:80", "0.0.0.0", 80);
	check_http("[2001:db8::1]:65535", "2001:db8::1", 65535);
	check_http("[::]:1", "::", 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[200], expected[200];

		(void)snprintf(text, sizeof(text), "[dsrd]\nhttp = %s\n" SERVICE, bad[i]);
		(void)snprintf(expected, sizeof(expected), "t:2: `http` cannot be `%s`: it takes ADDRESS:PORT, such as "
		    "127.0.0.1:9190 or [::1]:9190, or off\n", bad[i]);
		must_fail(text, expected);
	}
}
END_TEST

START_TEST(test_listens)
{
	static const struct {
		const char *vip;
		uint8_t protocol;
		uint16_t first;
		uint16_t last;
	} expected[] = {
		{ "192.0.2.10", PROTOCOL_TCP, 80, 80 },
		{ "192.0.2.10", PROTOCOL_TCP, 443, 443 },
		{ "192.0.2.10", PROTOCOL_UDP, 8000, 8099 },
		{ "198.51.100.1", PROTOCOL_UDP, 1, 65535 },
		{ "198.51.100.2", PROTOCOL_TCP, 65535, 65535 },
	};
	struct conf conf = must_read("[service a]\nlisten = 192.0.2.10 tcp/80,443 udp/8000-8099\n"
	    "listen = 198.51.100.1 udp/*\nlisten = 198.51.100.2 tcp/65535\nserver = a 192.0.2.11\n");
	const struct service_settings *service = conf.settings.services;

	ck_assert_uint_eq(service->listen_count, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		check_addr(&service->listens[i].vip, expected[i].vip);
		ck_assert_uint_eq(service->listens[i].protocol, expected[i].protocol);
		ck_assert_uint_eq(service->listens[i].first, expected[i].first);
		ck_assert_uint_eq(service->listens[i].last, expected[i].last);
	}
	conf_clear(&conf);
}
END_TEST

START_TEST(test_servers)
{
	struct conf conf = must_read("[service web]\nlisten = 192.0.2.10 tcp/80\n"
	    "server = a 192.0.2.11 weight=0\nserver = b.1-c_2 192.0.2.12 backup mac=02-00-00-00-00-0b weight=65535\n"
	    "server = c 192.0.2.13 interface=eth1\n");
	const struct server_settings *servers = conf.settings.services[0].servers;
	const struct mac mac = { { 2, 0, 0, 0, 0, 11 } };

	ck_assert_uint_eq(conf.settings.services[0].server_count, 3);
	ck_assert_str_eq(servers[0].name, "a");
	check_addr(&servers[0].addr, "192.0.2.11");
	ck_assert_uint_eq(servers[0].weight, 0);
	ck_assert_str_eq(servers[1].name, "b.1-c_2");
	ck_assert_uint_eq(servers[1].weight, 65535);
	ck_assert(mac_equal(&servers[1].mac, &mac));
	ck_assert(servers[1].backup);
	ck_assert_str_eq(servers[2].iface, "eth1");
	ck_assert(!servers[2].backup);
	conf_clear(&conf);
}
END_TEST

START_TEST(test_section_defaults_reach_services_before_and_behind)
{
	struct conf conf = must_read("[service a]\nlisten = 192.0.2.10 tcp/80\nserver = a 192.0.2.11\nrise = 7\n"
	    "[defaults]\nrise = 5\nfall = 6\nscheduler = rr\ncheck = tcp port=8080\ninterval = 1m\ntimeout = 500ms\n"
	    "interface = eth2\n"
	    "[dsrd]\ninterface = eth0\n"
	    "[service b]\nlisten = 192.0.2.20 tcp/80\nserver = a 192.0.2.11\ncheck = none\ninterface = eth3\n");
	const struct service_settings *a = &conf.settings.services[0], *b = &conf.settings.services[1];

	ck_assert_uint_eq(a->rise, 7);
	ck_assert_uint_eq(b->rise, 5);
	ck_assert_uint_eq(a->fall, 6);
	ck_assert_uint_eq(b->fall, 6);
	ck_assert_str_eq(a->scheduler->name, "rr");
	ck_assert_uint_eq(a->check_count, 1);
	ck_assert_int_eq(a->checks[0].kind, CHECK_TCP);
	ck_assert_uint_eq(a->checks[0].port, 8080);
	ck_assert_uint_eq(b->check_count, 0);
	ck_assert_uint_eq(b->interval, MINUTES(1));
	ck_assert_uint_eq(b->timeout, MILLISECONDS(500));
	ck_assert_str_eq(a->iface, "eth2");
	ck_assert_str_eq(b->iface, "eth3");
	conf_clear(&conf);
}
END_TEST

START_TEST(test_set_iface)
{
	struct conf conf = must_read("[dsrd]\ninterface = eth0\n" SERVICE
	    "[service b]\nlisten = 192.0.2.20 tcp/80\nserver = a 192.0.2.11\ninterface = eth1\n");

	conf_set_iface(&conf, "lan0");
	ck_assert_str_eq(conf.iface, "lan0");
	ck_assert_str_eq(conf.settings.services[0].iface, "lan0");
	ck_assert_str_eq(conf.settings.services[1].iface, "eth1");
	conf_clear(&conf);
	conf = must_read(SERVICE);
	conf_set_iface(&conf, "lan0");
	ck_assert_str_eq(conf.settings.services[0].iface, "lan0");
	conf_clear(&conf);
}
END_TEST

START_TEST(test_need_iface)
{
	struct errlist *errors = errlist_new();
	struct conf conf = must_read(SERVICE "[service b]\nlisten = 192.0.2.20 tcp/80\nserver = a 192.0.2.11\n");

	ck_assert_ptr_nonnull(errors);
	ck_assert_int_eq(conf_need_iface(&conf, "t", errors), -1);
	ck_assert_uint_eq(errlist_count(errors), 1);
	ck_assert_str_eq(errlist_text(errors, 0),
	    "t: service `web` has no network interface: put `interface = NAME` into "
	    "[dsrd], or start dsrd with -i NAME");
	conf_set_iface(&conf, "eth0");
	ck_assert_int_eq(conf_need_iface(&conf, "t", errors), 0);
	ck_assert_uint_eq(errlist_count(errors), 1);
	conf_clear(&conf);
	errlist_free(errors);
}
END_TEST

START_TEST(test_every_scheduler)
{
	for (const char *const *name = scheduler_names(); *name != NULL; name++) {
		char text[256];
		struct conf conf;

		(void)snprintf(text, sizeof(text), SERVICE "scheduler = %s\n", *name);
		conf = must_read(text);
		ck_assert_ptr_eq(conf.settings.services[0].scheduler, scheduler_find(*name));
		conf_clear(&conf);
	}
}
END_TEST

START_TEST(test_limits)
{
	static const char *const good[] = {
		"[dsrd]\nconnections = 16\n", "[dsrd]\nconnections = 256m\n", "[dsrd]\naddress = 192.0.2.1/32\n",
		"[defaults]\ninterval = 1h\ntimeout = 1h\n", "[defaults]\ninterval = 10ms\ntimeout = 10ms\n",
		"[defaults]\nrise = 1000\nfall = 1\n", "[dsrd]\ninterface = 123456789012345\n",
		"[defaults]\ncheck = tcp  port=65535\n"
	};
	static const char *const bad[] = {"[dsrd]\nconnections = 15\n", "[dsrd]\nconnections = 268435457\n",
	    "[dsrd]\nconnections = 1g\n", "[dsrd]\nconnections = -16\n", "[dsrd]\nconnections = 18446744073709551632\n",
	    "[dsrd]\naddress = 192.0.2.1/33\n", "[dsrd]\naddress = 192.0.2.1\n", "[dsrd]\naddress = 192.0.2.1/\n",
	    "[dsrd]\naddress = 2001:db8::1/129\n", "[defaults]\ninterval = 3601s\n", "[defaults]\ninterval = 9ms\n",
	    "[defaults]\ninterval = 5\n", "[defaults]\ninterval = -5s\n", "[defaults]\nrise = 1001\n",
	    "[defaults]\nfall = 0\n", "[dsrd]\ninterface = 1234567890123456\n", "[dsrd]\ninterface = \"eth0\"\n",
	    "[defaults]\ncheck = tcp port=65536\n", "[defaults]\ncheck = tcp port=0\n", "[defaults]\ncheck = tcp 80\n",
	    "[defaults]\ncheck = none port=80\n", "[defaults]\ncheck = tcp port=80 port=81\n", "[dsrd]\nuser = a:\n",
	    "[dsrd]\nuser = :a\n", "[dsrd]\nuser = a:b:c\n", "[dsrd]\nmac = 00:00:00:00:00:00\n",
	    "[dsrd]\nmac = ff:ff:ff:ff:ff:ff\n", "[dsrd]\nmac = 02:00:00:00:00\n", "[dsrd]\ninclude = x\n"};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct conf conf;

		(void)snprintf(text, sizeof(text), "%s" SERVICE, good[i]);
		conf = must_read(text);
		conf_clear(&conf);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(text, sizeof(text), "%s" SERVICE, bad[i]);
		must_fail(text, "t:2: ");
	}
}
END_TEST

START_TEST(test_error_leaves_nothing)
{
	must_fail(SERVICE "rise = x\n", "t:4: `rise` cannot be `x`: it takes a number from 1 to 1000\n");
	must_fail("", "t: there is no service: ");
	must_fail("; nothing\n", "t: there is no service: ");
}
END_TEST

START_TEST(test_too_many_servers)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct conf conf;

	ck_assert_ptr_nonnull(out);
	(void)fprintf(out, "[service web]\nlisten = 192.0.2.10 tcp/80\n");
	for (unsigned i = 0; i <= SERVERS_MOST; i++)
		(void)fprintf(out, "server = s%u 10.1.%u.%u\n", i, i >> 8, i & 255);
	ck_assert_int_eq(fclose(out), 0);
	must_fail(text, "t: too many servers in all services together: 65536, at most 65535\n");
	/* One less is good. */
	text[strlen(text) - 1] = '\0';
	strrchr(text, '\n')[1] = '\0';
	conf = must_read(text);
	ck_assert_uint_eq(conf.settings.services[0].server_count, SERVERS_MOST);
	conf_clear(&conf);
	free(text);
}
END_TEST

/* Ports do not count, VIPs do; the line is the first one that is too many. */
START_TEST(test_too_many_vips)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct conf conf;

	ck_assert_ptr_nonnull(out);
	(void)fprintf(out, "[service web]\nserver = a 192.0.2.11\n");
	for (unsigned i = 0; i <= VIPS_MOST; i++)
		(void)fprintf(out, "listen = 10.1.%u.%u tcp/80,81,82\n", i >> 8, i & 255);
	ck_assert_int_eq(fclose(out), 0);
	must_fail(text, "t:32770: too many VIPs in all services together: 32768, at most 32767\n");
	/* One less is good. */
	text[strlen(text) - 1] = '\0';
	strrchr(text, '\n')[1] = '\0';
	conf = must_read(text);
	ck_assert_uint_eq(conf.settings.services[0].listen_count, 3 * VIPS_MOST);
	conf_clear(&conf);
	free(text);
}
END_TEST

START_TEST(test_missing_file)
{
	struct errlist *errors = errlist_new();
	struct conf conf;

	ck_assert_ptr_nonnull(errors);
	ck_assert_int_eq(conf_load("/nowhere/dsrd.conf", &conf, errors), -1);
	ck_assert_uint_eq(errlist_count(errors), 1);
	ck_assert_str_eq(errlist_text(errors, 0),
	    "/nowhere/dsrd.conf: cannot open /nowhere/dsrd.conf: No such file or directory");
	ck_assert_int_eq(conf_load("/", &conf, errors), -1);
	ck_assert_uint_eq(errlist_count(errors), 2);
	ck_assert_str_eq(errlist_text(errors, 1), "/: cannot read /: it is a directory");
	errlist_free(errors);
}
END_TEST

START_TEST(test_errors_before_are_not_ours)
{
	struct errlist *errors = errlist_new();
	char text[] = SERVICE;
	FILE *in = fmemopen(text, strlen(text), "r");
	struct conf conf;

	ck_assert_ptr_nonnull(errors);
	ck_assert_ptr_nonnull(in);
	errlist_add(errors, "other", 1, "an older error");
	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	check_addr(&conf.settings.services[0].servers[0].addr, "192.0.2.11");
	ck_assert_uint_eq(errlist_count(errors), 1);
	conf_clear(&conf);
	ck_assert_int_eq(fclose(in), 0);
	errlist_free(errors);
}
END_TEST

Suite *
conf_suite(void)
{
	Suite *suite = suite_create("conf");
	TCase *tcase = tcase_create("conf");

	tcase_add_test(tcase, test_defaults);
	tcase_add_test(tcase, test_dsrd);
	tcase_add_test(tcase, test_http);
	tcase_add_test(tcase, test_listens);
	tcase_add_test(tcase, test_servers);
	tcase_add_test(tcase, test_section_defaults_reach_services_before_and_behind);
	tcase_add_test(tcase, test_set_iface);
	tcase_add_test(tcase, test_need_iface);
	tcase_add_test(tcase, test_every_scheduler);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_error_leaves_nothing);
	tcase_add_test(tcase, test_too_many_servers);
	tcase_add_test(tcase, test_too_many_vips);
	tcase_add_test(tcase, test_missing_file);
	tcase_add_test(tcase, test_errors_before_are_not_ours);
	tcase_set_timeout(tcase, 60); /* valgrind */
	suite_add_tcase(suite, tcase);
	return suite;
}
