/* SPDX-License-Identifier: ISC */
/* Runs the suites of src/peer. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suites.h"

#define EXIT_SKIPPED 77 /* automake's */

/* Linux has all of 127.0.0.0/8, the BSDs 127.0.0.1 alone. */
static bool
has_addresses(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool has = fd != -1 && inet_pton(AF_INET, "127.0.0.2", &address.sin_addr) == 1 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd != -1)
		(void)close(fd);
	return has;
}

int
main(void)
{
	SRunner *runner;
	int failed;

	if (!has_addresses())
		return EXIT_SKIPPED;
	(void)signal(SIGPIPE, SIG_IGN);
	runner = srunner_create(peers_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
