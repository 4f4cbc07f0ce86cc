/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/follow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/json_read.h"

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
	if (*table == '\0' && strcmp(name, "last_number") == 0 && text_number(value, 0, UINT64_MAX, &follower->last) == -1)
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
