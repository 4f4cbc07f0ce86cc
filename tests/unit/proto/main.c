/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdlib.h>

#include "suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(packet_suite());
	int failed;

	srunner_add_suite(runner, packet6_suite());
	srunner_add_suite(runner, icmp_suite());
	srunner_add_suite(runner, ndp_suite());
	srunner_add_suite(runner, arp_suite());
	srunner_add_suite(runner, checksum_suite());
	srunner_add_suite(runner, craft_suite());
	srunner_add_suite(runner, craft_ip_suite());
	srunner_add_suite(runner, quic_suite());
	srunner_add_suite(runner, segment_suite());
	srunner_add_suite(runner, too_big_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
