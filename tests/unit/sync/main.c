/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/sync. */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(wire_suite());
	int failed;

	/* Without OpenSSL nothing can be sealed, and the configuration refuses peers. */
	if (HAVE_TLS) {
		srunner_add_suite(runner, session_suite());
		srunner_add_suite(runner, link_suite());
		srunner_add_suite(runner, self_suite());
		srunner_add_suite(runner, sync_suite());
	}
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
