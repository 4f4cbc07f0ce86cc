/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/iface.h"
#include "suites.h"

static struct iface iface;

static struct addr
parsed(const char *text)
{
	struct addr addr = { .family = ADDR_NONE };

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void
set_up(void)
{
	iface = (struct iface){ .name = "eth0", .mtu = IFACE_MTU_DEFAULT, .address_count = 3 };
	iface.addresses[0] = (struct prefix){ .addr = parsed("2001:db8::5"), .length = 64 };
	iface.addresses[1] = (struct prefix){ .addr = parsed("192.0.2.5"), .length = 24 };
	iface.addresses[2] = (struct prefix){ .addr = parsed("198.51.100.5"), .length = 25 };
	/* Behind the count: must not be looked at. */
	iface.addresses[3] = (struct prefix){ .addr = parsed("203.0.113.5"), .length = 24 };
}

START_TEST(iface_finds_first_of_family)
{
	struct addr v4 = parsed("192.0.2.5"), v6 = parsed("2001:db8::5");

	ck_assert(addr_equal(iface_address(&iface, ADDR_IPV4), &v4));
	ck_assert(addr_equal(iface_address(&iface, ADDR_IPV6), &v6));
	iface.address_count = 1;
	ck_assert_ptr_null(iface_address(&iface, ADDR_IPV4));
}
END_TEST

static const struct {
	const char *addr;
	bool on_link;
	bool own;
} cases[] = {
	{ "192.0.2.5", true, true }, { "192.0.2.77", true, false }, { "198.51.100.5", true, true },
	{ "198.51.100.127", true, false }, { "198.51.100.128", false, false }, { "203.0.113.5", false, false },
	{ "2001:db8::5", true, true }, { "2001:db8::6", true, false }, { "2001:db8:1::5", false, false }
};

START_TEST(iface_knows_its_neighborhood)
{
	struct addr addr = parsed(cases[_i].addr);

	ck_assert_msg(iface_is_on_link(&iface, &addr) == cases[_i].on_link, "%s", cases[_i].addr);
	ck_assert_msg(iface_has_address(&iface, &addr) == cases[_i].own, "%s", cases[_i].addr);
}
END_TEST

START_TEST(iface_with_another_fact_is_not_equal)
{
	struct iface other = iface;

	ck_assert(iface_equal(&iface, &other));
	other.up = true;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.mtu = 9000;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.mac.bytes[5] = 1;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.address_count--;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.addresses[2].length = 26;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.ipvlan = true;
	ck_assert(!iface_equal(&iface, &other));
	other = iface;
	other.master[0] = 'b';
	ck_assert(!iface_equal(&iface, &other));
}
END_TEST

Suite *
iface_suite(void)
{
	Suite *suite = suite_create("iface");
	TCase *tcase = tcase_create("iface");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, iface_finds_first_of_family);
	tcase_add_test(tcase, iface_with_another_fact_is_not_equal);
	tcase_add_loop_test(tcase, iface_knows_its_neighborhood, 0, (int)ARRAY_LEN(cases));
	suite_add_tcase(suite, tcase);
	return suite;
}
