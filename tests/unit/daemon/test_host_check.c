/* SPDX-License-Identifier: ISC */
/* What the doctor says of the director's host, where the systems differ. */
#include "config.h"

#include <check.h>

#include "base/attr.h"
#include "daemon/host_check.h"

Suite *host_check_suite(void);

static const struct {
	enum os_answer drops;
	const char *fix;
	const char *name; /* NULL: nothing to report */
	const char *what;
	const char *typed;
} answers[] = {
	{ OS_NO, "", NULL, NULL, NULL },
	{ OS_YES, "sysctl -w net.inet.ip.checkinterface=0", "strict-interfaces",
	    "this host drops packets that arrive on an interface other than the one with their address",
	    "sysctl -w net.inet.ip.checkinterface=0" },
	/* OpenBSD: no command changes it. */
	{ OS_YES, "", "strict-interfaces",
	    "this host drops packets that arrive on an interface other than the one with their address", "" },
	/* Not known is not no, and nothing is to be typed. */
	{ OS_UNKNOWN, "left over", "strict-interfaces-unknown", "dsrd cannot find out whether this host drops packets that arrive "
	    "on an interface other than the one with their address", "" },
};

START_TEST(strict_interfaces)
{
	struct host_finding finding;

	ck_assert(host_check_judge_strays(answers[_i].drops, answers[_i].fix, &finding) == (answers[_i].name != NULL));
	if (answers[_i].name == NULL)
		return;
	ck_assert(!finding.wrong);
	ck_assert_str_eq(finding.name, answers[_i].name);
	ck_assert_str_eq(finding.what, answers[_i].what);
	ck_assert_str_ne(finding.meaning, "");
	ck_assert_str_eq(finding.fix, answers[_i].typed);
	ck_assert_str_eq(finding.undo, "");
}
END_TEST

Suite *
host_check_suite(void)
{
	Suite *suite = suite_create("host check");
	TCase *tcase = tcase_create("host check");

	tcase_add_loop_test(tcase, strict_interfaces, 0, ARRAY_LEN(answers));
	suite_add_tcase(suite, tcase);
	return suite;
}
