/* SPDX-License-Identifier: ISC */
/*
 * How long a small UDP question and its answer take, for benchmarks.
 *
 *	echo serve ADDRESS PORT             answers until it is stopped
 *	echo ask ADDRESS PORT COUNT         asks once a millisecond, one question at a time, and prints percentiles
 *
 * A question without an answer within a tenth of a second counts as lost.
 */
#include "config.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/text.h"

#define EX_USAGE 64 /* sysexits(3) */
#define PORT_MOST 65535
#define COUNT_MOST 1000000
#define INTERVAL_NS 1000000
#define PATIENCE_US 100000

static int
open_socket(const char *address, const char *port, struct sockaddr_in *where)
{
	const struct timeval patience = { 0, PATIENCE_US };
	struct addr addr;
	uint64_t number;
	int fd;

	if (addr_parse(address, &addr) == -1 || addr.family != ADDR_IPV4 ||
	    text_number(port, 1, PORT_MOST, &number) == -1) {
		fprintf(stderr, "echo: %s %s is no IPv4 address and port\n", address, port);
		return -1;
	}
	memset(where, 0, sizeof(*where));
	where->sin_family = AF_INET;
	where->sin_port = htons((uint16_t)number);
	memcpy(&where->sin_addr, addr.bytes, sizeof(where->sin_addr));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == -1) {
		perror("echo: socket");
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

static int
serve(const char *address, const char *port)
{
	struct sockaddr_in where, from;
	int fd = open_socket(address, port, &where);

	if (fd == -1)
		return EXIT_FAILURE;
	if (bind(fd, (const struct sockaddr *)&where, sizeof(where)) == -1) {
		perror("echo: bind");
		close(fd);
		return EXIT_FAILURE;
	}
	for (;;) {
		uint64_t question;
		socklen_t length = sizeof(from);

		if (recvfrom(fd, &question, sizeof(question), 0, (struct sockaddr *)&from, &length) == sizeof(question))
			(void)sendto(fd, &question, sizeof(question), 0, (const struct sockaddr *)&from, length);
	}
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int
order(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Nanoseconds until the answer, or 0 when there was none. */
static uint64_t
ask_once(int fd, uint64_t number)
{
	const uint64_t began = now();
	uint64_t answer;

	if (send(fd, &number, sizeof(number), 0) != sizeof(number))
		return 0;
	/* What comes too late is no answer to the next question. */
	do {
		if (recv(fd, &answer, sizeof(answer), 0) != sizeof(answer))
			return 0;
	} while (answer != number);
	return now() - began;
}

static double
part(const uint64_t *times, size_t count, double fraction)
{
	return (double)times[(size_t)((double)count * fraction)] / 1000.0;
}

static int
ask(const char *address, const char *port, uint64_t count)
{
	struct sockaddr_in where;
	int fd = open_socket(address, port, &where), status = EXIT_FAILURE;
	uint64_t *times = calloc((size_t)count, sizeof(*times));
	size_t answered = 0;

	if (fd == -1 || times == NULL || connect(fd, (const struct sockaddr *)&where, sizeof(where)) == -1)
		goto out;
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	for (uint64_t i = 0; i < count; i++) {
		const struct timespec pause = { 0, INTERVAL_NS };

		times[answered] = ask_once(fd, i);
		answered += times[answered] != 0;
		nanosleep(&pause, NULL);
	}
	if (answered == 0) {
		fprintf(stderr, "echo: no answer to %llu questions\n", (unsigned long long)count);
		goto out;
	}
	qsort(times, answered, sizeof(*times), order);
	printf("p50=%.1f p90=%.1f p99=%.1f p999=%.1f lost=%llu\n", part(times, answered, 0.5),
	    part(times, answered, 0.9),
	    part(times, answered, 0.99), part(times, answered, 0.999), (unsigned long long)(count - answered));
	status = EXIT_SUCCESS;
out:
	free(times);
	if (fd != -1)
		close(fd);
	return status;
}

int
main(int argc, char *argv[])
{
	uint64_t count;

	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "ask") == 0 && text_number(argv[4], 1, COUNT_MOST, &count) == 0)
		return ask(argv[2], argv[3], count);
	fprintf(stderr, "usage: echo serve ADDRESS PORT | echo ask ADDRESS PORT COUNT\n");
	return EX_USAGE;
}
