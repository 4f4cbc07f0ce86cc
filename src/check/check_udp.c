/* SPDX-License-Identifier: ISC */
/* The UDP check: sends a datagram and expects the right answer, or at least no ICMP error. */
#include "config.h"

#include "base/clock.h"
#include "base/duration.h"
#include "check/matcher.h"
#include "check/runner.h"

/*
 * Hosts limit the rate of port unreachable errors: Linux to one per second and peer (icmp_ratelimit, icmp(7)). Silence
 * so soon after an error is due to that limit, and must not end the row of failures that takes the server down.
 */
#define ERROR_HOLDS MILLISECONDS(1500)

static void
check_udp_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct runner *runner = argument;
	struct matcher matcher;

	matcher_begin(&matcher, &runner->target->check.expect);
	runner_finish(runner, matcher_feed(&matcher, bytes, length) ? HEALTH_REASON_NONE : HEALTH_REASON_MISSING, NULL);
}

/* Without `expect` silence is fine: that is how many services take what they get. */
enum health_reason
check_udp_judge(struct runner *runner, enum health_reason reason)
{
	const uint64_t now = clock_us();

	if (runner->target->check.kind != CHECK_UDP || reason == HEALTH_REASON_LOCAL)
		return reason;
	if (reason == HEALTH_REASON_TIMEOUT)
		return runner->target->check.expect.given ? reason : now - runner->error_at < ERROR_HOLDS ?
		    runner->error : HEALTH_REASON_NONE;
	runner->error = reason == HEALTH_REASON_REFUSED || reason == HEALTH_REASON_UNREACHABLE ? reason :
	    HEALTH_REASON_NONE;
	runner->error_at = now;
	return reason;
}

static void
check_udp_start(void *argument)
{
	const struct runner *runner = argument;
	const struct check_bytes *text = &runner->target->check.send;

	runner_ask(argument, text->bytes, text->length);
}

const struct check_type check_udp = {
	.size = sizeof(struct runner),
	.begin = check_udp_start,
	.judge = check_udp_judge,
	.received = check_udp_received,
};
