/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/client.h"
#include "cli/json_read.h"

/* RFC 9110 section 15.5 */
#define HTTP_BAD_REQUEST 400
#define HTTP_NOT_FOUND 404

/* A name that the director does not have may be meant as a word of the command. */
static void
ask_hint(const struct wish *wish)
{
	char list[ARGUMENTS_ERROR];
	const char *nearest;

	if (wish->argument_count == 0)
		return;
	nearest = arguments_second_words(wish->command, wish->arguments[0], list);
	if (list[0] == '\0')
		return;
	fprintf(stderr, "dsrctl: %s takes names, or one of: %s", commands[wish->command].words[0], list);
	if (nearest != NULL)
		fprintf(stderr, "; did you mean `%s`?", nearest);
	fputc('\n', stderr);
}

enum ctl_status
ask_refused(const struct wish *wish, struct client_answer *answer)
{
	const bool usage = answer->status == HTTP_BAD_REQUEST || answer->status == HTTP_NOT_FOUND;

	fprintf(stderr, "dsrctl: %s%s", answer->length > 0 ? answer->body : "refused, without a reason",
	    answer->length > 0 && answer->body[answer->length - 1] == '\n' ? "" : "\n");
	if (answer->status == HTTP_NOT_FOUND && commands[wish->command].words[1] == NULL)
		ask_hint(wish);
	free(answer->body);
	answer->body = NULL;
	return usage ? CTL_USAGE : CTL_FAILED;
}

enum ctl_status
ask_quietly(const struct wish *wish, char **text)
{
	struct request request = { .length = 0 };
	struct client_answer answer;
	char error[CLIENT_ERROR];

	*text = NULL;
	request_make(&request, wish->command, wish->arguments, wish->argument_count, wish->json);
	switch (client_ask(wish->socket, request.bytes, commands[wish->command].wait, &answer, error)) {
	case CLIENT_OK:
		break;
	case CLIENT_ABSENT:
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_NO_DAEMON;
	case CLIENT_FAILED:
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_FAILED;
	}
	if (answer.status == 200) {
		*text = answer.body;
		return answer.wrong ? CTL_FAILED : CTL_OK;
	}
	return ask_refused(wish, &answer);
}

enum ctl_status
ask(const struct wish *wish)
{
	char *text;
	enum ctl_status status = ask_quietly(wish, &text);

	if (text != NULL && (fputs(text, stdout) == EOF || fflush(stdout) != 0)) {
		fprintf(stderr, "dsrctl: cannot write: %s\n", strerror(errno));
		status = CTL_FAILED;
	}
	free(text);
	return status;
}

#define FIRST_LIMIT "limit=10"   /* how many events of before are shown */
#define LATER_LIMIT "limit=4096" /* all that the director keeps */
#define AFTER_TEXT 32

struct follower {
	bool print;           /* as text */
	uint64_t events;      /* in this answer */
	uint64_t last;        /* the newest event's number, whether it was listed or not */
	char time[64];
	char level[16];
};

/* The members of an event come in the order in which the director writes them: its line is the last. */
static void
follow_take(void *context, const char *table, size_t row, const char *name, const char *value)
{
	struct follower *follower = context;

	(void)row;
	if (value == NULL)
		return;
	if (*table == '\0' && strcmp(name, "last_number") == 0 &&
	    text_number(value, 0, UINT64_MAX, &follower->last) == -1)
		follower->last = 0;
	if (strcmp(table, "events") != 0)
		return;
	if (strcmp(name, "time") == 0)
		snprintf(follower->time, sizeof(follower->time), "%s", value);
	else if (strcmp(name, "level") == 0)
		snprintf(follower->level, sizeof(follower->level), "%s", value);
	else if (strcmp(name, "line") == 0) {
		follower->events++;
		if (follower->print)
			printf("%s  %-7s  %s\n", follower->time, follower->level, value);
	}
}

/* One question and what it brought. */
static enum ctl_status
follow_step(const struct wish *look, bool json, struct follower *follower)
{
	char *text;
	enum ctl_status status = ask_quietly(look, &text);

	if (text == NULL)
		return status;
	follower->events = 0;
	if (json_read(text, strlen(text), follow_take, follower) == -1) {
		fprintf(stderr, "dsrctl: dsrd's answer is not understood\n");
		status = CTL_FAILED;
	} else if (json && follower->events > 0) {
		fputs(text, stdout);
	}
	free(text);
	return fflush(stdout) == 0 ? status : CTL_FAILED;
}

/* The same question without the user's own limit, and for what is newer than the last. */
static void
follow_ask_again(const struct wish *wish, struct wish *look, char after[AFTER_TEXT], uint64_t last)
{
	size_t count = 0;

	for (size_t i = 0; i < wish->argument_count && count + 2 < COMMAND_ARGUMENTS; i++)
		if (strncmp(wish->arguments[i], "limit=", 6) != 0 && strncmp(wish->arguments[i], "after=", 6) != 0)
			look->arguments[count++] = wish->arguments[i];
	snprintf(after, AFTER_TEXT, "after=%" PRIu64, last);
	look->arguments[count++] = LATER_LIMIT;
	look->arguments[count++] = after;
	look->argument_count = count;
}

enum ctl_status
follow_events(const struct wish *wish)
{
	struct follower follower = { .print = !wish->json };
	struct wish look = *wish;
	char after[AFTER_TEXT];
	enum ctl_status status;
	uint64_t last = 0;

	look.json = true;
	/* A limit of the user's own stands behind this one, and counts. */
	if (look.argument_count < COMMAND_ARGUMENTS) {
		memmove(look.arguments + 1, look.arguments, look.argument_count * sizeof(*look.arguments));
		look.arguments[0] = FIRST_LIMIT;
		look.argument_count++;
	}
	for (;;) {
		status = follow_step(&look, wish->json, &follower);
		if (status != CTL_OK)
			return status;
		/* A director that was restarted counts from 1 again. */
		last = follower.last < last ? 0 : follower.last;
		follow_ask_again(wish, &look, after, last);
		sleep(1);
	}
}

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
			fprintf(stderr, "dsrctl: timed out with %s left: the servers stay drained\n", empty ? "flows" :
			    "active connections");
			break;
		}
		pause_for(left < BETWEEN ? left : BETWEEN);
	}
	free(before);
	return status;
}

/* The director's answer as JSON: is it quiet, and what is left? */
struct drain_left {
	bool quiet;
	char frames[32];
	char connections[32];
	size_t announced;
};

static void
drain_take(void *context, const char *table, size_t row UNUSED, const char *name, const char *value)
{
	struct drain_left *left = context;

	if (value == NULL)
		return;
	if (strcmp(table, "announcements") == 0 && strcmp(name, "announced") == 0)
		left->announced += strcmp(value, "true") == 0;
	if (*table != '\0')
		return;
	if (strcmp(name, "quiet") == 0)
		left->quiet = strcmp(value, "true") == 0;
	else if (strcmp(name, "frames_per_second") == 0)
		(void)snprintf(left->frames, sizeof(left->frames), "%s", value);
	else if (strcmp(name, "active_connections") == 0)
		(void)snprintf(left->connections, sizeof(left->connections), "%s", value);
}

/* One look, which is printed where it differs from the last one. */
static enum ctl_status
drain_look(const struct wish *look, bool json, struct drain_left *left, char **before)
{
	char *text;
	const enum ctl_status status = ask_quietly(look, &text);

	*left = (struct drain_left) { .frames = "0", .connections = "0" };
	if (text == NULL)
		return status == CTL_OK ? CTL_FAILED : status;
	if (json_read(text, strlen(text), drain_take, left) == -1) {
		fprintf(stderr, "dsrctl: dsrd's answer is not understood\n");
		free(text);
		return CTL_FAILED;
	}
	if (*before == NULL || strcmp(*before, text) != 0) {
		if (json)
			fputs(text, stdout);
		else
			printf("%zu VIP%s announced, %s frames/s, %s active connections%s\n", left->announced,
			    left->announced == 1 ? "" : "s", left->frames, left->connections, left->quiet ? ": quiet" : "");
	}
	free(*before);
	*before = text;
	return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
}

enum ctl_status
wait_director_drained(const struct wish *wish, uint64_t patience)
{
	const uint64_t end = clock_us() + patience;
	struct wish look = *wish;
	struct drain_left left = { .quiet = false };
	char *before = NULL;
	enum ctl_status status;

	look.json = true;
	status = drain_look(&look, wish->json, &left, &before);
	look.command = COMMAND_SHOW_ANNOUNCE;
	look.argument_count = 0;
	while (status == CTL_OK && !left.quiet) {
		const uint64_t now = clock_us();

		if (now >= end) {
			fprintf(stderr, "dsrctl: timed out while frames still arrive: the director stays drained\n");
			status = CTL_FAILED;
			break;
		}
		pause_for(end - now < BETWEEN ? end - now : BETWEEN);
		status = drain_look(&look, wish->json, &left, &before);
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
