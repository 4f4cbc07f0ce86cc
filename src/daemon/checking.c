/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/checking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/confine.h"
#include "daemon/privsep.h"

/* A new process confines itself within milliseconds. */
#define PATIENCE SECONDS(3)
#define FIRST_PATIENCE SECONDS(15) /* on a slow host the first one confines itself after the director has started */

#define REASON (PRIVSEP_REASON + 64)

struct checking {
	struct privsep *privsep;
	struct attempts *attempts;
	struct os_sandbox sandbox;
	pid_t pid;
	bool lost;   /* one was, since the last that confined itself */
	bool failed; /* the last could not be started, which is logged once */
	char reason[REASON];
};

/* The privileged process ends the one before, and knows how it ended. */
static int
checking_open(void *context, struct launcher *process)
{
	struct checking *checking = context;
	char ended[PRIVSEP_REASON] = "";

	if (privsep_checker(checking->privsep, process, ended) == -1) {
		if (!checking->failed)
			log_error("checker result=failed reason=\"%s\" meaning=\"servers keep the state of their last "
			    "check\"", ended);
		checking->failed = true;
		(void)snprintf(checking->reason, sizeof(checking->reason), "%s", ended);
		return -1;
	}
	checking->failed = false;
	checking->pid = process->pid;
	if (checking->lost)
		log_notice("checker pid=%ld result=started%s%s%s", (long)process->pid, ended[0] != '\0' ?
		    " before=\"" : "", ended, ended[0] != '\0' ? "\"" : "");
	if (ended[0] != '\0')
		(void)snprintf(checking->reason, sizeof(checking->reason), "%s", ended);
	return 0;
}

/* Nothing that it says about itself is believed without a look at it. */
static void
checking_confined(void *context, const void *outcome)
{
	struct checking *checking = context;
	struct os_sandbox *sandbox = &checking->sandbox;

	memcpy(sandbox, outcome, sizeof(*sandbox));
	if ((unsigned)sandbox->calls > OS_CONFINED_YES)
		sandbox->calls = OS_CONFINED_NO;
	if ((unsigned)sandbox->files > OS_CONFINED_YES)
		sandbox->files = OS_CONFINED_NO;
	sandbox->calls_by[OS_SANDBOX_TEXT - 1] = sandbox->files_by[OS_SANDBOX_TEXT - 1] = '\0';
	text_clean(sandbox->calls_by);
	text_clean(sandbox->files_by);
	checking->lost = false;
}

static void
checking_refused(void *context, const char *call)
{
	const struct checking *checking = context;
	char text[LOG_TEXT];

	confine_log_call("checker", log_escape(call, text), checking->sandbox.calls);
}

static void
checking_lost(void *context, const struct attempts_loss *loss)
{
	struct checking *checking = context;
	char label[CHECK_LABEL] = "";

	checking->lost = true;
	(void)snprintf(checking->reason, sizeof(checking->reason), "%s", loss->why);
	if (loss->alone != NULL)
		check_label(&loss->alone->check, &loss->alone->addr, loss->alone->port, label);
	log_error("checker pid=%ld result=lost reason=\"%s\" attempts=%zu%s%s%s meaning=\"servers keep the state of their "
	    "last check until the next one has answered\"", (long)checking->pid, loss->why, loss->under_way,
	    label[0] != '\0' ? " check=\"" : "", label, label[0] != '\0' ? "\"" : "");
}

struct checking *
checking_new(struct event_base *base, struct privsep *privsep)
{
	static const struct attempts_calls calls = { .open = checking_open, .confined = checking_confined,
		.refused = checking_refused, .lost = checking_lost };
	struct checking *checking = calloc(1, sizeof(*checking));

	if (checking == NULL)
		return NULL;
	checking->privsep = privsep;
	(void)snprintf(checking->reason, sizeof(checking->reason), "it does not become ready");
	checking->attempts = attempts_new(base, &calls, checking);
	if (checking->attempts != NULL)
		return checking;
	free(checking);
	return NULL;
}

void
checking_free(struct checking *checking)
{
	if (checking == NULL)
		return;
	attempts_free(checking->attempts);
	free(checking);
}

struct attempts *
checking_attempts(const struct checking *checking)
{
	return checking == NULL ? NULL : checking->attempts;
}

bool
checking_process(const struct checking *checking, pid_t *pid, const struct os_sandbox **sandbox)
{
	struct attempts_state state;

	if (checking == NULL)
		return false;
	state = attempts_state(checking->attempts);
	*pid = state.pid;
	*sandbox = &checking->sandbox;
	return state.pid != 0 && state.works;
}

uint64_t
checking_stalled(const struct checking *checking, uint64_t now)
{
	struct attempts_state state;

	if (checking == NULL)
		return 0;
	state = attempts_state(checking->attempts);
	if (state.works || now - state.lacking < (state.lost == 0 ? FIRST_PATIENCE : PATIENCE))
		return 0;
	return state.lacking;
}

unsigned
checking_losses(const struct checking *checking)
{
	return checking == NULL ? 0 : attempts_state(checking->attempts).lost;
}

const char *
checking_reason(const struct checking *checking)
{
	return checking == NULL ? "" : checking->reason;
}
