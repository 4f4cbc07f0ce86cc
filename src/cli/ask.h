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

/* Sends the request and prints the answer. */
enum ctl_status ask(const struct wish *wish);
/*
 * Sends the request. With `*text` (to be freed) CTL_OK and CTL_FAILED are the result of the command; without it,
 * CTL_FAILED has been reported on standard error.
 */
enum ctl_status ask_quietly(const struct wish *wish, char **text);
/* Prints the reason on standard error, and frees the answer. CTL_USAGE when the director rejected the arguments. */
enum ctl_status ask_refused(const struct wish *wish, struct client_answer *answer);

#endif
