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

struct udp_runner {
	struct runner runner;
	enum health_reason error; /* the last one from an ICMP message; NONE: none, or an answer since */
	uint64_t error_at;
};

static void
check_udp_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct udp_runner *runner = argument;
	struct matcher matcher;
	bool found;

	matcher_begin(&matcher, &runner->runner.target->check.expect);
	found = matcher_feed(&matcher, bytes, length);
	runner->error = HEALTH_REASON_NONE;
	runner_finish(runner, found ? HEALTH_REASON_NONE : HEALTH_REASON_MISSING, NULL);
}

/* Without `expect` silence is fine: that is how many services take what they get. */
static void
check_udp_failed(void *argument, enum health_reason reason, const char *detail)
{
	struct udp_runner *runner = argument;
	const uint64_t now = clock_us();

	if (reason == HEALTH_REASON_REFUSED || reason == HEALTH_REASON_UNREACHABLE) {
		runner->error = reason;
		runner->error_at = now;
	} else if (reason == HEALTH_REASON_TIMEOUT && !runner->runner.target->check.expect.given) {
		reason = now - runner->error_at < ERROR_HOLDS ? runner->error : HEALTH_REASON_NONE;
	}
	runner_finish(runner, reason, detail);
}

static void
check_udp_start(void *argument)
{
	struct udp_runner *runner = argument;
	const struct check_bytes *text = &runner->runner.target->check.send;

	runner_ask(runner, text->bytes, text->length);
}

const struct check_type check_udp = {
	.size = sizeof(struct udp_runner),
	.begin = check_udp_start,
	.failed = check_udp_failed,
	.received = check_udp_received,
};
