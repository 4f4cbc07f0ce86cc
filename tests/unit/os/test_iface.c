/* SPDX-License-Identifier: ISC */
/* Interfaces as every machine has them: the loopback. */
#include "config.h"

#include "os/os.h"

#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

Suite *iface_suite(void);

#define MOST 64

static char loopback[IFACE_NAME];

static struct addr
address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void
setup(void)
{
	struct addr local = address("127.0.0.1");

	os_iface_of_addresses(&local, 1, &loopback);
	ck_assert_str_ne(loopback, "");
}

START_TEST(loopback_has_its_facts)
{
	struct addr local = address("127.0.0.1");
	char error[OS_ERROR] = "";
	struct iface iface;
	bool found = false;

	ck_assert_msg(os_iface_read(loopback, &iface, error) == 0, "%s", error);
	ck_assert_str_eq(iface.name, loopback);
	ck_assert(mac_is_zero(&iface.mac));
	ck_assert_uint_ge(iface.mtu, 576);
	ck_assert(iface.up);
	for (size_t i = 0; i < iface.address_count; i++) {
		if (addr_equal(&iface.addresses[i].addr, &local)) {
			found = true;
			ck_assert_uint_eq(iface.addresses[i].length, 8);
		}
	}
	ck_assert(found);
}
END_TEST

START_TEST(unknown_interface_is_named)
{
	static const char *const names[] = {"nosuchif0", "", "an-interface-that-is-too-long", ":"};
	char error[OS_ERROR] = "";
	struct iface iface;

	errno = 0;
	ck_assert_int_eq(os_iface_read(names[_i], &iface, error), -1);
	ck_assert_int_eq(errno, ENXIO);
	ck_assert_msg(strstr(error, names[_i]) != NULL, "%s", error);
}
END_TEST

START_TEST(beginning_of_a_name_is_no_name)
{
	char error[OS_ERROR] = "", name[IFACE_NAME + 1];
	struct iface iface;

	(void)snprintf(name, sizeof(name), "%s0", loopback);
	if (if_nametoindex(name) == 0)
		ck_assert_int_eq(os_iface_read(name, &iface, error), -1);
	name[strlen(loopback) - 1] = '\0';
	if (if_nametoindex(name) == 0)
		ck_assert_int_eq(os_iface_read(name, &iface, error), -1);
}
END_TEST

START_TEST(list_has_what_is_up_once)
{
	char names[MOST][IFACE_NAME];
	size_t count = os_iface_list(names, MOST);

	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_ne(if_nametoindex(names[i]), 0);
		ck_assert_str_ne(names[i], loopback);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(names[i], names[j]);
	}
	ck_assert_uint_eq(os_iface_list(names, 0), 0);
	if (count > 1)
		ck_assert_uint_eq(os_iface_list(names, 1), 1);
}
END_TEST

START_TEST(own_addresses_are_known)
{
	struct addr own = address("127.0.0.1"), other = address("203.0.113.1"); /* RFC 5737: no host has it */
	char iface[IFACE_NAME] = "?";

	ck_assert(os_holds_address(&own, iface));
	ck_assert_str_eq(iface, loopback);
	ck_assert(!os_holds_address(&other, iface));
	os_iface_of_addresses(&other, 1, &iface);
	ck_assert_str_eq(iface, "");
}
END_TEST

Suite *
iface_suite(void)
{
	Suite *suite = suite_create("iface");
	TCase *tests = tcase_create("loopback");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, loopback_has_its_facts);
	tcase_add_loop_test(tests, unknown_interface_is_named, 0, 4);
	tcase_add_test(tests, beginning_of_a_name_is_no_name);
	tcase_add_test(tests, list_has_what_is_up_once);
	tcase_add_test(tests, own_addresses_are_known);
	suite_add_tcase(suite, tests);
	return suite;
}
