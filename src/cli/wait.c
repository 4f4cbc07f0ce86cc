/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "cli/client.h"

#define BETWEEN_STOP_LOOKS (SECONDS(1) / 10)
#define STOP_PATIENCE SECONDS(15) /* its state is saved meanwhile */
#define BETWEEN SECONDS(1) /* two looks: each is a walk through the flow table */

static void
pause_for(uint64_t microseconds)
{
	const struct timespec time = { .tv_sec = (time_t)(microseconds / SECONDS(1)),
		.tv_nsec = (long)(microseconds % SECONDS(1)) * 1000 };

	nanosleep(&time, NULL);
}

/* A table's head once, then its row. JSON: whole answers, one a line. */
static void
wait_show(const char *text, const char *before)
{
	const char *row = strchr(text, '\n');

	if (before != NULL && strcmp(text, before) == 0)
		return;
	fputs(before != NULL && row != NULL && row[1] != '\0' ? row + 1 : text, stdout);
	fflush(stdout);
}

/* The drain's names, without its options; returns how many. */
static size_t
wait_words(const struct wish *wish, const char *words[COMMAND_ARGUMENTS], bool empty)
{
	size_t count = 0;

	for (size_t i = 0; i < wish->argument_count; i++)
		if (strncmp(wish->arguments[i], "--", 2) != 0)
			words[count++] = wish->arguments[i];
	if (empty && count < COMMAND_ARGUMENTS)
		words[count++] = "--empty";
	return count;
}

enum ctl_status
wait_drained(const struct wish *wish, uint64_t patience, bool empty)
{
	const uint64_t end = clock_us() + patience;
	struct wish look = *wish;
	char *before = NULL, *text;
	enum ctl_status status = ask_quietly(wish, &before);

	if (before == NULL)
		return status;
	free(before);
	before = NULL;
	look.command = COMMAND_SHOW_DRAIN;
	look.argument_count = wait_words(wish, look.arguments, empty);
	for (;;) {
		uint64_t left;

		status = ask_quietly(&look, &text);
		if (text != NULL)
			wait_show(text, before);
		free(before);
		before = text;
		if (text == NULL || status == CTL_OK)
			break;
		left = end > clock_us() ? end - clock_us() : 0;
		if (left == 0) {
			fprintf(stderr, "dsrctl: timed out with %s left: the servers stay drained\n", empty ? "flows" : "active connections");
			break;
		}
		pause_for(left < BETWEEN ? left : BETWEEN);
	}
	free(before);
	return status;
}

/* Is one there? */
static bool
wait_is_answered(const struct wish *wish)
{
	struct request request = { .length = 0 };
	struct client_answer answer = { .body = NULL };
	char error[CLIENT_ERROR];
	enum client_result result;

	request_make(&request, COMMAND_VERSION, NULL, 0, true);
	result = client_ask(wish->socket, request.bytes, commands[COMMAND_VERSION].wait, &answer, error);
	if (result == CLIENT_OK)
		free(answer.body);
	return result != CLIENT_ABSENT;
}

enum ctl_status
wait_stopped(const struct wish *wish)
{
	const uint64_t end = clock_us() + STOP_PATIENCE;
	const enum ctl_status status = ask(wish);

	if (status != CTL_OK)
		return status;
	while (wait_is_answered(wish)) {
		if (clock_us() > end) {
			fprintf(stderr, "dsrctl: the director has not stopped after 15 s: see its log\n");
			return CTL_FAILED;
		}
		pause_for(BETWEEN_STOP_LOOKS);
	}
	return CTL_OK;
}
