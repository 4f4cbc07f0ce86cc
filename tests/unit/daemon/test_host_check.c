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
	enum diagnosis found; /* DIAGNOSIS_COUNT: nothing to report */
	const char *what;
	const char *typed;
} answers[] = {
	{ OS_NO, "", DIAGNOSIS_COUNT, NULL, NULL },
	{ OS_YES, "sysctl -w net.inet.ip.checkinterface=0", DIAGNOSIS_STRICT_INTERFACES,
	    "this host drops packets that arrive on an interface other than the one with their address",
	    "sysctl -w net.inet.ip.checkinterface=0" },
	/* OpenBSD: no command changes it. */
	{ OS_YES, "", DIAGNOSIS_STRICT_INTERFACES,
	    "this host drops packets that arrive on an interface other than the one with their address", "" },
	/* Not known is not no, and there is nothing to type. */
	{ OS_UNKNOWN, "left over", DIAGNOSIS_STRICT_INTERFACES_UNKNOWN, "dsrd cannot find out whether this host drops "
	    "packets that arrive on an interface other than the one with their address", "" },
};

START_TEST(strict_interfaces)
{
	const struct remedy_word words[] = { { "command", answers[_i].fix }, { NULL, NULL } };
	struct problem finding = { .id = host_check_judge_strays(answers[_i].drops) };

	ck_assert_int_eq(finding.id, answers[_i].found);
	if (finding.id == DIAGNOSIS_COUNT)
		return;
	problem_write(&finding, words);
	ck_assert_int_eq(diagnosis_severity(finding.id), SEVERITY_NOTE);
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
