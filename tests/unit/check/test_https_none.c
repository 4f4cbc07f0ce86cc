/* SPDX-License-Identifier: ISC */
/* Without OpenSSL: an https check says why it cannot be. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "suites.h"

START_TEST(test_says_so)
{
	struct bench bench;
	int fd;

	bench_begin(&bench, CHECK_HTTPS);
	fd = bench_socket(SOCK_STREAM, &bench.target.port);
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_LOCAL);
	ck_assert_str_eq(bench.detail, "this dsrd was built without OpenSSL");
	bench_end(&bench);
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
