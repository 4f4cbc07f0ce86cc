/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/check. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(probe_suite());
	int failed;

	/* As the daemon does. */
	(void)signal(SIGPIPE, SIG_IGN);
	srunner_add_suite(runner, answers_suite());
	srunner_add_suite(runner, attempts_suite());
	srunner_add_suite(runner, kinds_suite());
	srunner_add_suite(runner, pace_suite());
	srunner_add_suite(runner, scripts_suite());
	srunner_add_suite(runner, https_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
