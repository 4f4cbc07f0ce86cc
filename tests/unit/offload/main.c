/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/offload. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(offload_suite());
	int failed;

	srunner_add_suite(runner, offload_grow_suite());
	srunner_add_suite(runner, offload_methods_suite());
	srunner_add_suite(runner, offload_select_suite());
	srunner_add_suite(runner, offload_torn_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
