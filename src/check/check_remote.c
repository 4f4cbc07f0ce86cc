/* SPDX-License-Identifier: ISC */
/* A check whose attempts the checker makes (attempts.h). What it cannot do itself, reading files, is done before. */
#include "config.h"

#include "check/attempts.h"
#include "check/runner.h"
#include "check/tls.h"

/* The checker reports the end of the time itself, and may put it off once, when it was held up. */
#define PATIENCE SECONDS(2)

struct remote_runner {
	struct runner runner;
	struct attempt *attempt; /* NULL: none is under way */
	struct authority_waiter waiter;
};

static void
check_remote_stop(void *argument)
{
	struct remote_runner *runner = argument;

	tls_forget(&runner->waiter);
	if (runner->attempt != NULL)
		attempt_forget(runner->runner.target->attempts, runner->attempt);
	runner->attempt = NULL;
}

static void
check_remote_on_done(void *argument, const struct check_report *report)
{
	struct remote_runner *runner = argument;

	runner->attempt = NULL;
	if (report == NULL)
		runner_drop(runner);
	else
		runner_finish(runner, report->reason, report->detail);
}

/* The file that says whom to trust; a server is not to blame for it. False: it was reported. */
static bool
check_remote_trust(struct remote_runner *runner)
{
	const struct check_target *target = runner->runner.target;
	const struct authority authority = tls_authority(target->tls, target->check.ca);

	if (authority.bytes == NULL)
		runner_finish(runner, HEALTH_REASON_LOCAL, authority.reason);
	else if (attempts_trust(target->attempts, target->check.ca, &authority) == -1)
		runner_finish(runner, HEALTH_REASON_LOCAL, "out of memory");
	else
		return true;
	return false;
}

static bool
check_remote_needs_file(const struct check_target *target)
{
	return target->check.kind == CHECK_HTTPS && !target->check.no_verify && target->check.ca[0] != '\0';
}

static void
check_remote_order(void *argument)
{
	struct remote_runner *runner = argument;
	const struct check_target *target = runner->runner.target;
	const struct timeval limit = timeval_of(2 * timeval_us(&target->timeout) + PATIENCE);

	if (check_remote_needs_file(target) && !check_remote_trust(runner))
		return;
	runner->attempt = attempt_begin(target->attempts, target, check_remote_on_done, runner);
	if (runner->attempt == NULL)
		runner_drop(runner);
	else if (runner_limit(runner, &limit) == -1)
		runner_finish(runner, HEALTH_REASON_LOCAL, "out of memory");
}

static void
check_remote_begin(void *argument)
{
	struct remote_runner *runner = argument;
	const struct check_target *target = runner->runner.target;
	const struct tls_demand demand = { "", !target->check.no_verify, target->check.ca };

	runner->waiter.ready = check_remote_order;
	runner->waiter.context = runner;
	if (!check_remote_needs_file(target) || !tls_await(target->tls, &demand, &runner->waiter))
		check_remote_order(runner);
}

/* Every attempt has a result by then, this one too. */
static void
check_remote_failed(void *argument, enum health_reason reason UNUSED, const char *detail UNUSED)
{
	const struct remote_runner *runner = argument;

	attempts_overdue(runner->runner.target->attempts);
}

const struct check_type check_remote = {
	.size = sizeof(struct remote_runner),
	.begin = check_remote_begin,
	.failed = check_remote_failed,
	.judge = check_udp_judge,
	.stop = check_remote_stop,
};
