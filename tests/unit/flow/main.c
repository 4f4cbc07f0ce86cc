/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/flow. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(conn_suite());
	int failed;

	srunner_add_suite(runner, conn_grow_suite());
	srunner_add_suite(runner, conn_record_suite());
	srunner_add_suite(runner, flood_suite());
	srunner_add_suite(runner, fragment_suite());
	srunner_add_suite(runner, limit_suite());
	srunner_add_suite(runner, lost_suite());
	srunner_add_suite(runner, measure_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
