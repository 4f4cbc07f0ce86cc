/* SPDX-License-Identifier: ISC */
/* One command to the director, and its answer on standard output or its refusal on standard error. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * `dsrctl events --follow`: lists events, then polls every second for new ones. Until
 * SIGINT or SIGTERM ends the program, or the director is gone. JSON: an answer a line, those without events left out.
 */
enum ctl_status follow_events(const struct wish *wish);

/*
 * `dsrctl drain --wait`: the director answers immediately, and dsrctl polls it until the server is empty.
 * After `wish`, a drain, waits at most `patience` microseconds and shows what is left whenever that changes. CTL_OK
 * when no connection is active (with `empty`: no flow is left), CTL_FAILED when the time is up.
 */
enum ctl_status wait_drained(const struct wish *wish, uint64_t patience, bool empty);

/*
 * `dsrctl drain director --wait`: the same for the director itself, until its VIPs are withdrawn and no frame arrives.
 * CTL_FAILED when the time is up: what is left was shown, and the director stays drained.
 */
enum ctl_status wait_director_drained(const struct wish *wish, uint64_t patience);

/* Requests the director to stop, and waits until its socket is closed. CTL_FAILED when it does not stop. */
enum ctl_status wait_stopped(const struct wish *wish);

#endif
