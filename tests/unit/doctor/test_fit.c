/* SPDX-License-Identifier: ISC */
/* What does not fit the host: interfaces, VIPs and servers, each warned of once. */
#include "config.h"

#include "doctor/fit.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "suites.h"

static struct iface ifaces[2];
static struct listen_settings listens[2];
static struct server_settings servers[2];
static struct service_settings service;
static struct settings settings;
static const char *own; /* the host's address beside those of its interfaces */
static char said[3000];

static struct addr
address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void
reset(void)
{
	memset(ifaces, 0, sizeof(ifaces));
	memset(servers, 0, sizeof(servers));
	memset(&settings, 0, sizeof(settings));
	for (size_t i = 0; i < 2; i++) {
		snprintf(ifaces[i].name, IFACE_NAME, "eth%zu", i);
		ifaces[i].mac.bytes[0] = 2;
		ifaces[i].up = true;
		ifaces[i].address_count = 1;
		ifaces[i].addresses[0] = (struct prefix) { address(i == 0 ? "192.0.2.1" : "198.51.100.1"), 24 };
		snprintf(servers[i].name, sizeof(servers[i].name), "web%zu", i + 1);
		servers[i].addr = address(i == 0 ? "192.0.2.11" : "198.51.100.12");
		listens[i] = (struct listen_settings) { address("192.0.2.10"), 6, 80, 80, 0 };
	}
	service = (struct service_settings) { .name = "web", .iface = "eth0", .listens = listens, .listen_count = 2,
		.servers = servers, .server_count = 2 };
	settings.services = &service;
	settings.service_count = 1;
	own = NULL;
}

static const char *
holder(void *context, const struct addr *addr)
{
	struct addr held;

	ck_assert_ptr_eq(context, said);
	if (own == NULL)
		return NULL;
	held = address(own);
	return addr_equal(addr, &held) ? "lo" : NULL;
}

static void
note(void *context, enum fit_kind kind, const char *of, const char *server, const char *message)
{
	const size_t used = strlen(said);

	ck_assert_ptr_eq(context, said);
	snprintf(said + used, sizeof(said) - used, "%d %s/%s: %s\n", (int)kind, of != NULL ? of : "", server != NULL ?
	    server : "",
	    message);
}

/* The warnings, one a line. */
static const char *
warnings(void)
{
	said[0] = '\0';
	fit_check(&settings, &(const struct fit_host) { ifaces, 2, holder, said }, note, said);
	return said;
}

static void
warns(enum fit_kind kind, const char *about, const char *part)
{
	char begin[100];

	snprintf(begin, sizeof(begin), "%d %s: ", (int)kind, about);
	warnings();
	ck_assert_msg(strncmp(said, begin, strlen(begin)) == 0 && strstr(said, part) != NULL &&
	    strchr(said, '\n') == said + strlen(said) - 1, "not one warning that begins with %s and has %s, but\n%s",
	    begin, part,
	    said);
}

START_TEST(what_fits_is_not_warned_of)
{
	ck_assert_str_eq(warnings(), "");
}
END_TEST

START_TEST(interfaces)
{
	snprintf(service.iface, IFACE_NAME, "eth7");
	warns(FIT_NO_INTERFACE, "web/", "its Ethernet interfaces are eth0, eth1");
	snprintf(service.iface, IFACE_NAME, "eth0");
	ifaces[0].up = false;
	warns(FIT_NO_LINK, "web/", "has no link");
	ifaces[0].disabled = true;
	warns(FIT_NO_LINK, "web/", "is administratively down");
	ifaces[0].up = true;
	snprintf(ifaces[0].master, IFACE_NAME, "bond0");
	warns(FIT_PORT, "web/", "the interface eth0 is a port of bond0, so what arrives by other ports is not "
	    "received: write "
	    "`interface = bond0`");
	ifaces[0].ipvlan = true;
	warns(FIT_IPVLAN, "web/", "use a macvlan, or the interface that it is on");
	ifaces[0].mac = mac_zero;
	warns(FIT_NOT_ETHERNET, "web/", "no MAC address");
	reset();
	snprintf(servers[1].iface, IFACE_NAME, "eth9");
	warns(FIT_NO_INTERFACE, "web/web2", "no interface eth9");
}
END_TEST

START_TEST(addresses_of_the_host)
{
	own = "192.0.2.10";
	warns(FIT_VIP_HELD, "web/", "the VIP 192.0.2.10 is this host's own address, on lo"); /* once, for two ports */
	own = "192.0.2.11";
	warns(FIT_SERVER_IS_SELF, "web/web1", "server = web1");
	servers[0].method = ENCAP_LOCAL;
	ck_assert_str_eq(warnings(), "");
	own = "192.0.2.10"; /* the host serves it, so it has it */
	warns(FIT_SERVER_IS_SELF, "web/web1", "is none of this host's addresses");
	servers[0].method = ENCAP_MAC;
	own = "192.0.2.250";
	settings.probe_addresses[0] = address(own);
	warns(FIT_PROBE_HELD, "/", "choose one that no host has");
}
END_TEST

START_TEST(servers_elsewhere)
{
	servers[0].addr = address("203.0.113.11");
	warns(FIT_SERVER_FAR, "web/web1", "203.0.113.11 is in none of this host's networks: ");
	/* It is known where frames for it go. */
	servers[0].mac.bytes[0] = 2;
	ck_assert_str_eq(warnings(), "");
	reset();
	snprintf(servers[1].iface, IFACE_NAME, "eth0");
	warns(FIT_SERVER_FAR, "web/web2", "networks on eth0: ");
	/* An interface without addresses says nothing about who is there. */
	ifaces[0].address_count = 0;
	ck_assert_str_eq(warnings(), "");
}
END_TEST

Suite *
fit_suite(void)
{
	Suite *suite = suite_create("fit");
	TCase *tcase = tcase_create("fit");

	tcase_add_checked_fixture(tcase, reset, NULL);
	tcase_add_test(tcase, what_fits_is_not_warned_of);
	tcase_add_test(tcase, interfaces);
	tcase_add_test(tcase, addresses_of_the_host);
	tcase_add_test(tcase, servers_elsewhere);
	suite_add_tcase(suite, tcase);
	return suite;
}
