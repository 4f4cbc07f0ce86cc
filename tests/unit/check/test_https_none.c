/* SPDX-License-Identifier: ISC */
/* Without OpenSSL: an https check says why it cannot be. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asking.h"
#include "suites.h"

START_TEST(test_says_so)
{
	struct asking asking;
	int fd;

	asking_begin(&asking, CHECK_HTTPS);
	fd = asking_socket(SOCK_STREAM, &asking.target.port);
	asking_ask(&asking);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_LOCAL);
	ck_assert_str_eq(asking.detail, "this dsrd was built without OpenSSL");
	asking_end(&asking);
	(void)close(fd);
}
END_TEST

Suite *
https_suite(void)
{
	Suite *suite = suite_create("https");
	TCase *tcase = tcase_create("https");

	tcase_add_test(tcase, test_says_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
