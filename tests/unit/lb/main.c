/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/lb. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(conn_suite());
	int failed;

	srunner_add_suite(runner, offload_suite());
	srunner_add_suite(runner, offload_grow_suite());
	srunner_add_suite(runner, conn_grow_suite());
	srunner_add_suite(runner, conn_record_suite());
	srunner_add_suite(runner, diagnose_suite());
	srunner_add_suite(runner, examine_suite());
	srunner_add_suite(runner, explain_suite());
	srunner_add_suite(runner, flows_suite());
	srunner_add_suite(runner, forward_suite());
	srunner_add_suite(runner, fragment_suite());
	srunner_add_suite(runner, fwdtab_suite());
	srunner_add_suite(runner, handover_suite());
	srunner_add_suite(runner, health_suite());
	srunner_add_suite(runner, maglev_suite());
	srunner_add_suite(runner, eject_suite());
	srunner_add_suite(runner, lost_suite());
	srunner_add_suite(runner, measure_suite());
	srunner_add_suite(runner, model_suite());
	srunner_add_suite(runner, neigh_suite());
	srunner_add_suite(runner, path_suite());
	srunner_add_suite(runner, path_settings_suite());
	srunner_add_suite(runner, pick_suite());
	srunner_add_suite(runner, fit_suite());
	srunner_add_suite(runner, problem_suite());
	srunner_add_suite(runner, watch_suite());
	srunner_add_suite(runner, protocols_suite());
	srunner_add_suite(runner, status_suite());
	srunner_add_suite(runner, admin_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
