/* SPDX-License-Identifier: ISC */
/*
 * The live engines, as far as they go without privilege: their refusals. tests/integration/test_engine.sh has the
 * rest.
 */
#include "config.h"

#include "io/io.h"

#include <check.h>
#include <errno.h>
#include <string.h>

Suite *io_live_suite(void);

START_TEST(capture_needs_an_interface)
{
	char error[IO_ERROR] = "";

	ck_assert_ptr_null(io_pcap_open("nosuchif0", 0, error));
	/* Without privilege libpcap does not get as far as looking for it. */
	ck_assert(errno == ENXIO || errno == EPERM);
	ck_assert_ptr_nonnull(strstr(error, "nosuchif0"));
}
END_TEST

START_TEST(capture_survives_any_name)
{
	char error[IO_ERROR] = "";
	char name[4096];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_ptr_null(io_pcap_open(name, 0, error));
	ck_assert_str_ne(error, "");
	error[0] = '\0';
	ck_assert_ptr_null(io_pcap_open("", 0, error));
	ck_assert_str_ne(error, "");
}
END_TEST

START_TEST(sending_needs_an_interface)
{
	char error[IO_ERROR] = "";

	ck_assert_ptr_null(io_libnet_open("nosuchif0", false, error));
	ck_assert_int_ne(errno, 0);
	ck_assert_ptr_nonnull(strstr(error, "nosuchif0"));
}
END_TEST

START_TEST(sending_refuses_a_long_name)
{
	char error[IO_ERROR] = "";

	/* Cut to 15 characters it might be another interface. */
	ck_assert_ptr_null(io_libnet_open("an-interface-that-is-too-long", false, error));
	ck_assert_int_eq(errno, ENXIO);
	ck_assert_ptr_nonnull(strstr(error, "an-interface-that-is-too-long"));
}
END_TEST

Suite *
io_live_suite(void)
{
	Suite *suite = suite_create("io_live");
	TCase *tests = tcase_create("refusals");

	tcase_add_test(tests, capture_needs_an_interface);
	tcase_add_test(tests, capture_survives_any_name);
	tcase_add_test(tests, sending_needs_an_interface);
	tcase_add_test(tests, sending_refuses_a_long_name);
	suite_add_tcase(suite, tests);
	return suite;
}
