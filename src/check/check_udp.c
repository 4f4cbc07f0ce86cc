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

struct udp_asker {
	const struct check_target *target;
	struct datagram datagram;
	enum health_reason error; /* the last one from an ICMP message; NONE: none, or an answer since */
	uint64_t error_at;
};

static void
check_udp_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct udp_asker *asker = argument;
	struct matcher matcher;
	bool found;

	matcher_begin(&matcher, &asker->target->check.expect);
	found = matcher_feed(&matcher, bytes, length);
	datagram_close(&asker->datagram);
	asker->error = HEALTH_REASON_NONE;
	check_tell(asker->target, found ? HEALTH_REASON_NONE : HEALTH_REASON_MISSING, NULL);
}

/* Without `expect` silence is fine: that is how many services take what they get. */
static void
check_udp_failed(void *argument, enum health_reason reason, const char *trouble)
{
	struct udp_asker *asker = argument;
	const uint64_t now = clock_us();

	if (reason == HEALTH_REASON_REFUSED || reason == HEALTH_REASON_UNREACHABLE) {
		asker->error = reason;
		asker->error_at = now;
	} else if (reason == HEALTH_REASON_TIMEOUT && !asker->target->check.expect.given) {
		reason = now - asker->error_at < ERROR_HOLDS ? asker->error : HEALTH_REASON_NONE;
	}
	check_tell(asker->target, reason, trouble);
}

static void
check_udp_start(void *argument)
{
	struct udp_asker *asker = argument;
	const struct check_bytes *text = &asker->target->check.send;

	datagram_ask(&asker->datagram, text->bytes, text->length);
}

static void *
check_udp_create(const struct check_target *target)
{
	struct udp_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = target;
	asker->datagram = (struct datagram) {
		.target = target, .fd = -1, .received = check_udp_received, .failed = check_udp_failed, .asker = asker
	};
	return asker;
}

static void
check_udp_destroy(void *argument)
{
	struct udp_asker *asker = argument;

	datagram_close(&asker->datagram);
	free(asker);
}

const struct check_type check_udp = {
	.create = check_udp_create,
	.destroy = check_udp_destroy,
	.begin = check_udp_start,
};
