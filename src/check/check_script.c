/* SPDX-License-Identifier: ISC */
/* The script check: a program decides, and may set the share of its weight that the server gets. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "check/children.h"
#include "check/runner.h"

#define WORDS_MOST CHECK_TEXT /* each has a character or its end */
#define DETAIL_TEXT (CHILD_REASON + 32)

struct script_runner {
	struct runner runner;
	struct child *child; /* NULL when nothing is under way */
	char service[NAME_MOST + 16];
	char server[NAME_MOST + 16];
	char address[ADDR_TEXT + 16];
	char port[32];
	char vip[ADDR_TEXT + 16];
};

/* "weight 50". CHECK_NO_WEIGHT when the line is something else. */
static int
check_script_read_weight(const char *line)
{
	static const char word[] = "weight ";
	uint64_t percent;

	if (strncmp(line, word, sizeof(word) - 1) != 0 || text_number(line + sizeof(word) - 1, 0, 100, &percent) != 0)
		return CHECK_NO_WEIGHT;
	return (int)percent;
}

static void
check_script_report_not_started(struct script_runner *runner, const char *reason)
{
	char detail[DETAIL_TEXT];

	(void)snprintf(detail, sizeof(detail), "it does not start: %s", reason);
	runner_tell(&runner->runner, HEALTH_REASON_LOCAL, CHECK_NO_WEIGHT, detail);
}

static void
check_script_on_end(void *argument, const struct child_end *end)
{
	struct script_runner *runner = argument;
	const char *separator = end->line[0] == '\0' ? "" : ": ";
	char detail[DETAIL_TEXT], reason[CHILD_REASON];
	int status = end->status; /* NetBSD's WIFEXITED takes the address of what it is given */

	runner->child = NULL;
	if (child_did_not_run(end, reason)) {
		check_script_report_not_started(runner, reason);
		return;
	}
	if (end->timed_out) {
		runner_tell(&runner->runner, HEALTH_REASON_TIMEOUT, CHECK_NO_WEIGHT,
		    "it was ended with all its processes");
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		runner_tell(&runner->runner, HEALTH_REASON_NONE, check_script_read_weight(end->line), NULL);
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(detail, sizeof(detail), "signal %d%s%s", WTERMSIG(status), separator, end->line);
	else
		(void)snprintf(detail, sizeof(detail), "exit status %d%s%s", WEXITSTATUS(status), separator, end->line);
	runner_tell(&runner->runner, HEALTH_REASON_SCRIPT, CHECK_NO_WEIGHT, detail);
}

static void
check_script_start(void *argument)
{
	struct script_runner *runner = argument;
	const struct check_settings *check = &runner->runner.target->check;
	const char *argv[WORDS_MOST + 1] = { NULL };
	const char *const environment[] = { runner->service, runner->server, runner->address, runner->port, runner->vip,
	    NULL };
	const struct child_order order = { .argv = argv, .environment = environment,
	    .timeout = runner->runner.target->timeout,
		.wants_line = true, .ended = check_script_on_end, .context = runner };
	const char *word = check->command;

	for (unsigned i = 0; i < check->command_words && i < WORDS_MOST; i++, word += strlen(word) + 1)
		argv[i] = word;
	runner->child = child_start(runner->runner.target->children, &order);
	if (runner->child == NULL)
		check_script_report_not_started(runner, strerror(errno));
}

static void
check_script_init(void *argument)
{
	struct script_runner *runner = argument;
	const struct check_target *target = runner->runner.target;
	char addr[ADDR_TEXT];

	(void)snprintf(runner->service, sizeof(runner->service), "DSRD_SERVICE=%s", target->service);
	(void)snprintf(runner->server, sizeof(runner->server), "DSRD_SERVER=%s", target->server);
	(void)snprintf(runner->address, sizeof(runner->address), "DSRD_ADDRESS=%s", addr_format(&target->addr, addr));
	(void)snprintf(runner->port, sizeof(runner->port), "DSRD_PORT=%u", target->service_port);
	(void)snprintf(runner->vip, sizeof(runner->vip), "DSRD_VIP=%s", addr_format(&target->vip, addr));
}

static void
check_script_stop(void *argument)
{
	struct script_runner *runner = argument;

	if (runner->child != NULL)
		child_forget(runner->child);
	runner->child = NULL;
}

const struct check_type check_script = {
	.size = sizeof(struct script_runner),
	.init = check_script_init,
	.begin = check_script_start,
	.stop = check_script_stop,
};
