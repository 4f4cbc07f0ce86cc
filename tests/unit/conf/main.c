/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(reader_suite());
	int failed;

	srunner_add_suite(runner, conf_suite());
	srunner_add_suite(runner, compare_suite());
	srunner_add_suite(runner, include_suite());
	srunner_add_suite(runner, flow_value_suite());
	srunner_add_suite(runner, golden_suite());
	srunner_add_suite(runner, documents_suite());
	srunner_add_suite(runner, settings_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
