/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/forward. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(explain_suite());
	int failed;

	srunner_add_suite(runner, fit_suite());
	srunner_add_suite(runner, flows_suite());
	srunner_add_suite(runner, forward_suite());
	srunner_add_suite(runner, handover_suite());
	srunner_add_suite(runner, limit_new_suite());
	srunner_add_suite(runner, local_suite());
	srunner_add_suite(runner, methods_suite());
	srunner_add_suite(runner, outer_suite());
	srunner_add_suite(runner, neigh_suite());
	srunner_add_suite(runner, protocols_suite());
	srunner_add_suite(runner, quic_suite());
	srunner_add_suite(runner, takeover_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
