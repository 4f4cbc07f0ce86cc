/* SPDX-License-Identifier: ISC */
/* One command to the director, and its answer on standard output or its refusal on standard error. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/client.h"
#include "ctl/command.h"

/* dsrctl(8) has them. */
enum ctl_status {
	CTL_OK = 0,
	CTL_FAILED = 1, /* refused, failed, or what was looked at is not well */
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3
};

struct wish {
	const char *socket;
	bool json;
	enum command_id command;
	const char *arguments[COMMAND_ARGUMENTS];
	size_t argument_count;
};

/* Asks and prints. */
enum ctl_status ask(const struct wish *wish);
/*
 * Asks; CTL_OK and CTL_FAILED with `*text` (to be freed) are an answer, good or not well; without it CTL_FAILED was told
 * on standard error.
 */
enum ctl_status ask_quietly(const struct wish *wish, char **text);
/* Says why on standard error, and frees the answer. CTL_USAGE when the director did not understand the words. */
enum ctl_status ask_refused(const struct wish *wish, struct client_answer *answer);

#endif
