/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(addr_suite());
	int failed;

	srunner_add_suite(runner, cursor_suite());
	srunner_add_suite(runner, errlist_suite());
	srunner_add_suite(runner, iface_suite());
	srunner_add_suite(runner, large_suite());
	srunner_add_suite(runner, log_suite());
	srunner_add_suite(runner, siphash_suite());
	srunner_add_suite(runner, keyhash_suite());
	srunner_add_suite(runner, text_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
