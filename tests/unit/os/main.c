/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <check.h>
#include <stdlib.h>

Suite *bsd_bytes_suite(void);
Suite *iface_suite(void);
Suite *host_suite(void);
Suite *news_suite(void);
Suite *sandbox_suite(void);
Suite *vip_filter_suite(void);

int
main(void)
{
	static Suite *(*const suites[])(void) = {bsd_bytes_suite, iface_suite, host_suite, news_suite, sandbox_suite,
	    vip_filter_suite};
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
