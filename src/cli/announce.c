/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/announce.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/client.h"

#define LINE_MOST (ADDR_TEXT + 32)
/* The director gives a sign of life five times in it. */
#define SILENCE SECONDS(1)
#define AGAIN 500 /* milliseconds, after which a director that has ended is looked for again */

struct route {
	struct addr addr;
	uint32_t metric;
	bool seen; /* between "begin" and "end" */
};

struct follower {
	struct route *routes;
	size_t count;
	size_t room;
	char line[LINE_MOST];
	size_t length;
	uint64_t heard;
	bool acknowledged; /* standard input is a pipe with answers, to be read and ignored */
	bool ended;        /* by a signal, or ExaBGP's end */
	const char *trouble;
	char told[CLIENT_ERROR]; /* on standard error, last */
};

static const char *
announce_prefix(const struct addr *addr, char text[ADDR_TEXT + 8])
{
	char name[ADDR_TEXT];

	(void)snprintf(text, ADDR_TEXT + 8, "%s/%d", addr_format(addr, name), addr->family == ADDR_IPV4 ? 32 : 128);
	return text;
}

static void
announce_withdraw(struct follower *follower, struct route *route)
{
	char prefix[ADDR_TEXT + 8];

	printf("withdraw route %s next-hop self\n", announce_prefix(&route->addr, prefix));
	*route = follower->routes[--follower->count];
}

static struct route *
announce_find(struct follower *follower, const struct addr *addr)
{
	for (size_t i = 0; i < follower->count; i++)
		if (addr_equal(&follower->routes[i].addr, addr))
			return &follower->routes[i];
	return NULL;
}

/* Room for one more; NULL: memory is out. */
static struct route *
announce_add(struct follower *follower, const struct addr *addr)
{
	const size_t room = follower->room == 0 ? 16 : follower->room * 2;

	if (follower->count == follower->room) {
		struct route *routes = realloc(follower->routes, room * sizeof(*routes));

		if (routes == NULL)
			return NULL;
		follower->routes = routes;
		follower->room = room;
	}
	follower->routes[follower->count] = (struct route) { .addr = *addr };
	return &follower->routes[follower->count++];
}

/* "up VIP METRIC": the addition and the change of a route are the same to ExaBGP. */
static bool
announce_up(struct follower *follower, const struct addr *addr, const char *metric)
{
	struct route *route = announce_find(follower, addr);
	char prefix[ADDR_TEXT + 8];
	uint64_t number;

	if (metric == NULL || text_number(metric, 1, UINT32_MAX, &number) == -1)
		return false;
	if (route == NULL)
		route = announce_add(follower, addr);
	if (route == NULL)
		return false;
	route->seen = true;
	if (route->metric != number)
		printf("announce route %s next-hop self med %" PRIu64 "\n", announce_prefix(addr, prefix), number);
	route->metric = (uint32_t)number;
	return true;
}

/* What was announced before and is not any more. */
static void
announce_end(struct follower *follower)
{
	for (size_t i = follower->count; i > 0; i--)
		if (!follower->routes[i - 1].seen)
			announce_withdraw(follower, &follower->routes[i - 1]);
}

/* False: the line is none of the director's. */
static bool
announce_take_line(struct follower *follower, char *line)
{
	const char *word = text_next_word(&line), *name = text_next_word(&line);
	struct route *route;
	struct addr addr;

	if (word == NULL)
		return false;
	if (strcmp(word, "beat") == 0)
		return true;
	if (strcmp(word, "begin") == 0) {
		for (size_t i = 0; i < follower->count; i++)
			follower->routes[i].seen = false;
		return true;
	}
	if (strcmp(word, "end") == 0) {
		announce_end(follower);
		return true;
	}
	if (name == NULL || addr_parse(name, &addr) == -1)
		return false;
	if (strcmp(word, "up") == 0)
		return announce_up(follower, &addr, text_next_word(&line));
	route = announce_find(follower, &addr);
	if (route != NULL)
		announce_withdraw(follower, route);
	return strcmp(word, "down") == 0;
}

static bool
announce_take_piece(void *context, const uint8_t *bytes, size_t length)
{
	struct follower *follower = context;

	follower->heard = clock_us();
	for (size_t i = 0; i < length && follower->trouble == NULL; i++) {
		if (bytes[i] != '\n') {
			if (follower->length == LINE_MOST - 1)
				follower->trouble = "dsrd and dsrctl are of different versions";
			else
				follower->line[follower->length++] = (char)bytes[i];
			continue;
		}
		follower->line[follower->length] = '\0';
		follower->length = 0;
		if (!announce_take_line(follower, follower->line))
			follower->trouble = "dsrd and dsrctl are of different versions";
	}
	if (fflush(stdout) != 0)
		follower->trouble = strerror(errno);
	return follower->trouble == NULL;
}

/* ExaBGP answers each command, and stops when one that it started does not take the answer. False: it has ended. */
static bool
announce_discard_answers(const struct follower *follower)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char answers[512];

	while (follower->acknowledged && poll(&input, 1, 0) == 1)
		if (read(STDIN_FILENO, answers, sizeof(answers)) <= 0)
			return false;
	return true;
}

static bool
announce_must_stop(void *context)
{
	struct follower *follower = context;
	sigset_t pending;

	follower->ended = !announce_discard_answers(follower) || (sigpending(&pending) == 0 &&
	    (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1));
	if (follower->ended)
		return true;
	if (clock_us() - follower->heard < SILENCE)
		return false;
	follower->trouble = "dsrd gives no sign of life";
	return true;
}

/* Once, until it is something else. */
static void
announce_tell(struct follower *follower, const char *trouble)
{
	if (trouble[0] != '\0' && strcmp(follower->told, trouble) != 0)
		fprintf(stderr, "dsrctl: %s\n", trouble);
	(void)snprintf(follower->told, sizeof(follower->told), "%s", trouble);
}

/* Until the director ends or is silent. CTL_OK: it may be tried again. */
static enum ctl_status
announce_follow(const struct wish *wish, struct follower *follower)
{
	const struct client_stream stream = { announce_take_piece, announce_must_stop, follower };
	struct request request = { .length = 0 };
	struct client_answer answer;
	char error[CLIENT_ERROR];
	enum client_result result;

	request_make(&request, COMMAND_ANNOUNCE, wish->arguments, wish->argument_count, wish->json);
	follower->heard = clock_us();
	follower->length = 0;
	follower->trouble = NULL;
	result = client_follow(wish->socket, request.bytes, commands[COMMAND_ANNOUNCE].wait, &stream, &answer, error);
	if (result == CLIENT_OK && answer.status != 200)
		return ask_refused(wish, &answer);
	if (!follower->ended)
		announce_tell(follower, result != CLIENT_OK ? error : follower->trouble != NULL ? follower->trouble :
		    "dsrd has ended");
	return CTL_OK;
}

enum ctl_status
announce(const struct wish *wish, const struct arguments *given)
{
	struct follower follower = { .trouble = NULL };
	enum ctl_status status;
	struct stat input;
	sigset_t signals;

	if (given->options[OPTION_EXABGP] == NULL) {
		fprintf(stderr, "dsrctl: announce requires --exabgp; `dsrctl show announce` lists what is announced\n");
		return CTL_USAGE;
	}
	follower.acknowledged = fstat(STDIN_FILENO, &input) == 0 && S_ISFIFO(input.st_mode);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	do {
		status = announce_follow(wish, &follower);
		while (follower.count > 0)
			announce_withdraw(&follower, &follower.routes[follower.count - 1]);
		if (fflush(stdout) != 0)
			status = CTL_FAILED;
		(void)poll(NULL, 0, AGAIN);
		follower.heard = clock_us();
	} while (status == CTL_OK && !follower.ended && !announce_must_stop(&follower));
	free(follower.routes);
	return status;
}
