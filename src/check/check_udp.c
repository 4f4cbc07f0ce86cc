/* SPDX-License-Identifier: ISC */
/* The UDP check: sends a datagram and expects the right answer, or at least no ICMP error. */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/duration.h"
#include "check/datagram.h"
#include "check/kind.h"
#include "check/matcher.h"

/*
 * Hosts limit the rate of port unreachable errors: Linux to one per second and peer (icmp_ratelimit, icmp(7)). Silence
 * so soon after an error is due to that limit, and must not end the row of failures that takes the server down.
 */
#define ERROR_HOLDS MILLISECONDS(1500)

struct udp_runner {
	const struct check_target *target;
	struct datagram datagram;
	enum health_reason error; /* the last one from an ICMP message; NONE: none, or an answer since */
	uint64_t error_at;
};

static void
check_udp_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct udp_runner *runner = argument;
	struct matcher matcher;
	bool found;

	matcher_begin(&matcher, &runner->target->check.expect);
	found = matcher_feed(&matcher, bytes, length);
	datagram_close(&runner->datagram);
	runner->error = HEALTH_REASON_NONE;
	check_report_result(runner->target, found ? HEALTH_REASON_NONE : HEALTH_REASON_MISSING, NULL);
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
	} else if (reason == HEALTH_REASON_TIMEOUT && !runner->target->check.expect.given) {
		reason = now - runner->error_at < ERROR_HOLDS ? runner->error : HEALTH_REASON_NONE;
	}
	check_report_result(runner->target, reason, detail);
}

static void
check_udp_start(void *argument)
{
	struct udp_runner *runner = argument;
	const struct check_bytes *text = &runner->target->check.send;

	datagram_ask(&runner->datagram, text->bytes, text->length);
}

static void *
check_udp_create(const struct check_target *target)
{
	struct udp_runner *runner = calloc(1, sizeof(*runner));

	if (runner == NULL)
		return NULL;
	runner->target = target;
	runner->datagram = (struct datagram) {
		.target = target, .fd = -1, .received = check_udp_received, .failed = check_udp_failed, .runner = runner
	};
	return runner;
}

static void
check_udp_destroy(void *argument)
{
	struct udp_runner *runner = argument;

	datagram_close(&runner->datagram);
	free(runner);
}

const struct check_type check_udp = {
	.create = check_udp_create,
	.destroy = check_udp_destroy,
	.begin = check_udp_start,
};
