/* SPDX-License-Identifier: ISC */
/* The script check: a program decides, and may set the share of its weight that the server gets. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "check/children.h"
#include "check/kind.h"

#define WORDS_MOST CHECK_TEXT /* each has a character or its end */
#define DETAIL_TEXT (CHILD_REASON + 32)

struct script_asker {
	const struct check_target *target;
	struct child *child; /* NULL when nothing is under way */
	char service[NAME_MOST + 16];
	char server[NAME_MOST + 16];
	char address[ADDR_TEXT + 16];
	char port[32];
	char vip[ADDR_TEXT + 16];
};

/* "weight 50". PROBE_NO_WEIGHT when the line is something else. */
static int
check_script_read_weight(const char *line)
{
	static const char word[] = "weight ";
	uint64_t percent;

	if (strncmp(line, word, sizeof(word) - 1) != 0 || text_number(line + sizeof(word) - 1, 0, 100, &percent) != 0)
		return PROBE_NO_WEIGHT;
	return (int)percent;
}

static void
check_script_report(struct script_asker *asker, enum health_reason reason, int weight, const char *detail)
{
	const struct check_report report = { .reason = reason, .weight = weight, .detail = detail };

	asker->target->answer(asker->target->question, &report);
}

static void
check_script_report_not_started(struct script_asker *asker, const char *reason)
{
	char detail[DETAIL_TEXT];

	(void)snprintf(detail, sizeof(detail), "it does not start: %s", reason);
	check_script_report(asker, HEALTH_REASON_LOCAL, PROBE_NO_WEIGHT, detail);
}

static void
check_script_on_end(void *argument, const struct child_end *end)
{
	struct script_asker *asker = argument;
	const char *separator = end->line[0] == '\0' ? "" : ": ";
	char detail[DETAIL_TEXT], reason[CHILD_REASON];
	int status = end->status; /* NetBSD's WIFEXITED takes the address of what it is given */

	asker->child = NULL;
	if (child_did_not_run(end, reason)) {
		check_script_report_not_started(asker, reason);
		return;
	}
	if (end->timed_out) {
		check_script_report(asker, HEALTH_REASON_TIMEOUT, PROBE_NO_WEIGHT,
		    "it was ended with all its processes");
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		check_script_report(asker, HEALTH_REASON_NONE, check_script_read_weight(end->line), NULL);
		return;
	}
	if (WIFSIGNALED(status))
		(void)snprintf(detail, sizeof(detail), "signal %d%s%s", WTERMSIG(status), separator, end->line);
	else
		(void)snprintf(detail, sizeof(detail), "exit status %d%s%s", WEXITSTATUS(status), separator, end->line);
	check_script_report(asker, HEALTH_REASON_SCRIPT, PROBE_NO_WEIGHT, detail);
}

static void
check_script_start(void *argument)
{
	struct script_asker *asker = argument;
	const struct check_settings *check = &asker->target->check;
	const char *argv[WORDS_MOST + 1] = { NULL };
	const char *const environment[] = { asker->service, asker->server, asker->address, asker->port, asker->vip, NULL };
	const struct child_order order = { argv, environment, asker->target->timeout, true, check_script_on_end,
	    asker };
	const char *word = check->command;

	for (unsigned i = 0; i < check->command_words && i < WORDS_MOST; i++, word += strlen(word) + 1)
		argv[i] = word;
	asker->child = child_start(asker->target->children, &order);
	if (asker->child == NULL)
		check_script_report_not_started(asker, strerror(errno));
}

static void *
check_script_create(const struct check_target *target)
{
	struct script_asker *asker = calloc(1, sizeof(*asker));
	char addr[ADDR_TEXT];

	if (asker == NULL)
		return NULL;
	asker->target = target;
	(void)snprintf(asker->service, sizeof(asker->service), "DSRD_SERVICE=%s", target->service);
	(void)snprintf(asker->server, sizeof(asker->server), "DSRD_SERVER=%s", target->server);
	(void)snprintf(asker->address, sizeof(asker->address), "DSRD_ADDRESS=%s", addr_format(&target->addr, addr));
	(void)snprintf(asker->port, sizeof(asker->port), "DSRD_PORT=%u", target->service_port);
	(void)snprintf(asker->vip, sizeof(asker->vip), "DSRD_VIP=%s", addr_format(&target->vip, addr));
	return asker;
}

static void
check_script_destroy(void *argument)
{
	struct script_asker *asker = argument;

	if (asker->child != NULL)
		child_forget(asker->child);
	free(asker);
}

const struct check_type check_script = {
	.create = check_script_create,
	.destroy = check_script_destroy,
	.begin = check_script_start,
};
