/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <check.h>
#include <stdlib.h>

Suite *background_suite(void);
Suite *capture_filter_suite(void);
Suite *change_suite(void);
Suite *hash_key_suite(void);
Suite *host_check_suite(void);
Suite *losses_suite(void);
Suite *notify_program_suite(void);
Suite *parts_suite(void);
Suite *privsep_suite(void);
Suite *roles_suite(void);
Suite *route_holder_suite(void);
Suite *state_file_suite(void);

int
main(void)
{
	static Suite *(*const suites[])(void) = { background_suite, capture_filter_suite, change_suite, hash_key_suite,
	    host_check_suite,
		losses_suite, notify_program_suite, parts_suite, privsep_suite, roles_suite, route_holder_suite,
		state_file_suite };
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
