/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/ctl. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(command_suite());
	int failed;

	srunner_add_suite(runner, arguments_suite());
	srunner_add_suite(runner, control_suite());
	srunner_add_suite(runner, doctor_report_suite());
	srunner_add_suite(runner, events_suite());
	srunner_add_suite(runner, filter_suite());
	srunner_add_suite(runner, http_suite());
	srunner_add_suite(runner, json_suite());
	srunner_add_suite(runner, metrics_suite());
	srunner_add_suite(runner, report_flows_suite());
	srunner_add_suite(runner, show_suite());
	srunner_add_suite(runner, top_suite());
	srunner_add_suite(runner, trace_suite());
	srunner_add_suite(runner, web_suite());
	srunner_add_suite(runner, writer_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
