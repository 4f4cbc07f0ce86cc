/* SPDX-License-Identifier: ISC */
/* The UDP check: a datagram goes out, and the right answer comes, or at least no word that nobody listens. */
#include "config.h"

#include <stdlib.h>

#include "check/datagram.h"
#include "check/kind.h"
#include "check/matcher.h"

struct udp_asker {
	const struct probe_target *target;
	struct datagram datagram;
};

static void
received(void *argument, const uint8_t *bytes, size_t length)
{
	struct udp_asker *asker = argument;
	struct matcher matcher;
	bool found;

	matcher_begin(&matcher, &asker->target->check.expect);
	found = matcher_feed(&matcher, bytes, length);
	datagram_close(&asker->datagram);
	probe_tell(asker->target, found ? HEALTH_REASON_NONE : HEALTH_REASON_MISSING, NULL);
}

/* Without `expect` silence is fine: that is how many services take what they get. */
static void
failed(void *argument, enum health_reason reason)
{
	struct udp_asker *asker = argument;

	if (reason == HEALTH_REASON_TIMEOUT && !asker->target->check.expect.given)
		reason = HEALTH_REASON_NONE;
	probe_tell(asker->target, reason, NULL);
}

static void
begin(void *argument)
{
	struct udp_asker *asker = argument;
	const struct check_bytes *text = &asker->target->check.send;

	datagram_ask(&asker->datagram, text->bytes, text->length);
}

static void *
create(const struct probe_target *target)
{
	struct udp_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = target;
	asker->datagram = (struct datagram) {
		.target = target, .fd = -1, .received = received, .failed = failed, .asker = asker
	};
	return asker;
}

static void
destroy(void *argument)
{
	struct udp_asker *asker = argument;

	datagram_close(&asker->datagram);
	free(asker);
}

const struct probe_kind probe_udp = {
	.create = create,
	.destroy = destroy,
	.begin = begin,
};
