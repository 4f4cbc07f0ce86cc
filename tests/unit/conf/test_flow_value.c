/* SPDX-License-Identifier: ISC */
/* Addresses of both families, protocols, and the values that say how flows live. */
#include "config.h"

#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "proto/packet.h"
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
	struct conf conf = must_read(SERVICE);
	const struct service_settings *service = conf.settings.services;
	const struct conn_timeouts timeouts = conn_timeouts_default();

	ck_assert_mem_eq(&service->timeouts, &timeouts, sizeof(timeouts));
	ck_assert_uint_eq(service->persist, 0);
	ck_assert_uint_eq(service->warmup, 0);
	ck_assert_int_eq(service->on_down, ON_DOWN_KEEP);
	ck_assert(!service->one_packet);
	ck_assert_uint_eq(service->servers[0].max_connections, 0);
	conf_clear(&conf);
}
END_TEST

START_TEST(test_values)
{
	struct conf conf = must_read("[defaults]\nwarmup = 30s\npersist = 1h\non-down = move\ntimeout-udp = 7s\n"
	    "[service web]\nlisten = 192.0.2.10 tcp/80\nserver = a 192.0.2.11 max-connections=64k\n"
	    "persist = 5m /24 /64\ntimeout-established = 2h\ntimeout-syn = 30s\ntimeout-fin = 3m\ntimeout-closed = 1s\n"
	    "[service dns]\nlisten = 192.0.2.53 udp/53\nserver = a 192.0.2.11\none-packet = yes\non-down = keep\n"
	    "check = none\nwarmup = 0s\n");
	const struct service_settings *web = &conf.settings.services[0], *dns = &conf.settings.services[1];

	ck_assert_uint_eq(web->warmup, SECONDS(30));
	ck_assert_uint_eq(web->persist, MINUTES(5));
	ck_assert_uint_eq(web->persist_prefix4, 24);
	ck_assert_uint_eq(web->persist_prefix6, 64);
	ck_assert_int_eq(web->on_down, ON_DOWN_MOVE);
	ck_assert(!web->one_packet);
	ck_assert_uint_eq(web->servers[0].max_connections, 65536);
	ck_assert_uint_eq(web->timeouts.state[CONN_ESTABLISHED], MINUTES(120));
	ck_assert_uint_eq(web->timeouts.state[CONN_SYN], SECONDS(30));
	ck_assert_uint_eq(web->timeouts.state[CONN_FIN_WAIT], MINUTES(3));
	ck_assert_uint_eq(web->timeouts.state[CONN_TIME_WAIT], MINUTES(3));
	ck_assert_uint_eq(web->timeouts.state[CONN_CLOSED], SECONDS(1));
	ck_assert_uint_eq(web->timeouts.state[CONN_UDP], SECONDS(7));
	ck_assert_uint_eq(dns->persist, MINUTES(60));
	ck_assert_uint_eq(dns->persist_prefix4, 32);
	ck_assert_uint_eq(dns->persist_prefix6, 128);
	ck_assert_int_eq(dns->on_down, ON_DOWN_KEEP);
	ck_assert(dns->one_packet);
	ck_assert_uint_eq(dns->warmup, 0);
	conf_clear(&conf);
}
END_TEST

/* Checked against an independent implementation of SipHash-2-4. */
START_TEST(test_hash_key)
{
	static const uint8_t of_dsrd[SIPHASH_KEY] = { 0x0c, 0xc0, 0x88, 0x78, 0x08, 0xdb, 0xf2, 0xff,
	    0xb6, 0xe5, 0xd2, 0x04, 0xcb, 0x8c, 0x9b, 0x71 };
	struct conf a = must_read(SERVICE), b = must_read("[dsrd]\nhash-key = dsrd\n" SERVICE);
	struct conf c = must_read("[dsrd]\nhash-key = two words, and more than sixteen bytes\n" SERVICE);

	ck_assert_mem_eq(a.settings.hash_key.bytes, of_dsrd, SIPHASH_KEY);
	ck_assert_mem_eq(b.settings.hash_key.bytes, of_dsrd, SIPHASH_KEY);
	ck_assert_mem_ne(c.settings.hash_key.bytes, of_dsrd, SIPHASH_KEY / 2);
	ck_assert_mem_ne(c.settings.hash_key.bytes + SIPHASH_KEY / 2, of_dsrd + SIPHASH_KEY / 2, SIPHASH_KEY / 2);
	conf_clear(&a);
	conf_clear(&b);
	conf_clear(&c);
}
END_TEST

START_TEST(test_families_mix)
{
	struct conf conf = must_read("[service a]\nlisten = 2001:db8::10 tcp/80,8000-8099 udp/443\n"
	    "listen = 192.0.2.10 tcp/80 sctp/9\nserver = a 192.0.2.11\nserver = b 2001:DB8:0::12\n");
	const struct service_settings *service = conf.settings.services;

	ck_assert_uint_eq(service->listen_count, 5);
	check_addr(&service->listens[0].vip, "2001:db8::10");
	ck_assert_int_eq(service->listens[0].vip.family, ADDR_IPV6);
	ck_assert_uint_eq(service->listens[1].last, 8099);
	ck_assert_uint_eq(service->listens[2].protocol, PROTOCOL_UDP);
	check_addr(&service->listens[3].vip, "192.0.2.10");
	ck_assert_uint_eq(service->listens[4].protocol, PROTOCOL_SCTP);
	check_addr(&service->servers[0].addr, "192.0.2.11");
	check_addr(&service->servers[1].addr, "2001:db8::12");
	conf_clear(&conf);
}
END_TEST

START_TEST(test_own_addresses)
{
	static const char *const both[] = {
		"[dsrd]\naddress = 192.0.2.250/24 2001:db8::fa/64\n",
		"[dsrd]\naddress = 2001:db8::fa/64\naddress = 192.0.2.250/24\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		char text[256];
		struct conf conf;

		(void)snprintf(text, sizeof(text), "%s" SERVICE, both[i]);
		conf = must_read(text);
		check_addr(&conf.address4.addr, "192.0.2.250");
		ck_assert_uint_eq(conf.address4.length, 24);
		check_addr(&conf.address6.addr, "2001:db8::fa");
		ck_assert_uint_eq(conf.address6.length, 64);
		conf_clear(&conf);
	}
	must_fail("[dsrd]\naddress = 2001:db8::fa/64\naddress = 2001:db8::fb/64\n" SERVICE,
	    "t:3: `address` can have one IPv4 and one IPv6 address, and `2001:db8::fb` is a second");
	must_fail("[dsrd]\naddress = 2001:db8::fa/64\n"
	    "[service w]\nlisten = 2001:db8::fa tcp/80\nserver = a 2001:db8::1\n",
	    "t:2: 2001:db8::fa is a VIP: `address` is the director's own, another one");
	must_fail("[dsrd]\naddress = 2001:db8::fa/64\n"
	    "[service w]\nlisten = 192.0.2.10 tcp/80\nserver = a 2001:db8::fa\n",
	    "t:5: server `a` cannot have the address 2001:db8::fa, which is the director's own");
}
END_TEST

/* Two spellings are one address. */
START_TEST(test_ipv6_clashes)
{
	must_fail("[service a]\nlisten = 2001:db8::10 tcp/80\nlisten = 2001:db8:0:0::10 tcp/1-100\n"
	    "server = a 192.0.2.11\n",
	    "t:3: 2001:db8::10 tcp/80 was given on line 2 already");
	must_fail("[service a]\nlisten = 2001:db8::10 sctp/80\nserver = a 2001:db8::0010\n",
	    "t:3: server `a` cannot have");
	must_fail("[service a]\nlisten = 2001:db8::10 sctp/80\nserver = a 192.0.2.11\n",
	    "t:1: service `a` names no single TCP port");
}
END_TEST

START_TEST(test_limits)
{
	static const char *const good[] = { "persist = 1s", "persist = 24d /1 /1", "persist = off",
	    "persist = 5m /32 /128", "warmup = 1h", "warmup = 0s", "timeout-udp = 24d", "timeout-udp = 1s",
	    "one-packet = off" };
	static const char *const bad[] = { "persist = 0s", "persist = 25d", "persist = 999ms", "persist = off /24",
	    "persist = 5m /0", "persist = 5m /33", "persist = 5m /24 /129", "persist = 5m 24",
	    "persist = 5m /24 /64 /64", "persist = /24", "warmup = 61m", "warmup = 5", "on-down = drop",
	    "one-packet = maybe",
	    "timeout-established = 999ms", "timeout-syn = 25d", "timeout-fin = 0s", "timeout-closed = never",
	    "timeout-udp = 5", "server = b 192.0.2.12 max-connections=0", "server = b 192.0.2.12 max-connections=257m",
	    "server = b 192.0.2.12 max-connections=-1", "server = b 192.0.2.12 max-connections" };
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct conf conf;

		(void)snprintf(text, sizeof(text), SERVICE "%s\n", good[i]);
		conf = must_read(text);
		conf_clear(&conf);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(text, sizeof(text), SERVICE "%s\n", bad[i]);
		must_fail(text, "t:4: ");
	}
	must_fail("[dsrd]\nhash-key =\n" SERVICE, "t:2: `hash-key` has no value");
}
END_TEST

Suite *
flow_value_suite(void)
{
	Suite *suite = suite_create("flow_value");
	TCase *tcase = tcase_create("flow_value");

	tcase_add_test(tcase, test_defaults);
	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_hash_key);
	tcase_add_test(tcase, test_families_mix);
	tcase_add_test(tcase, test_own_addresses);
	tcase_add_test(tcase, test_ipv6_clashes);
	tcase_add_test(tcase, test_limits);
	tcase_set_timeout(tcase, 60); /* valgrind */
	suite_add_tcase(suite, tcase);
	return suite;
}
