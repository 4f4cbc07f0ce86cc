/* SPDX-License-Identifier: ISC */
/* The DNS check: a question by UDP, with a random number and from a random port. */
#include "config.h"

#include <stdlib.h>

#include <event2/util.h>

#include "check/datagram.h"
#include "check/dns_message.h"
#include "check/kind.h"

struct dns_asker {
	const struct check_target *target;
	struct datagram datagram;
	uint8_t question[DNS_QUESTION_MOST];
	size_t length;
};

static void
check_dns_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct dns_asker *asker = argument;
	char detail[DNS_DETAIL];
	enum health_reason reason;

	if (!dns_judge(&asker->target->check, asker->question, asker->length, bytes, length, &reason, detail))
		return;
	datagram_close(&asker->datagram);
	check_tell(asker->target, reason, detail[0] == '\0' ? NULL : detail);
}

static void
check_dns_failed(void *argument, enum health_reason reason, const char *trouble)
{
	struct dns_asker *asker = argument;

	check_tell(asker->target, reason, trouble);
}

static void
check_dns_start(void *argument)
{
	struct dns_asker *asker = argument;
	uint16_t id;

	evutil_secure_rng_get_bytes(&id, sizeof(id));
	asker->length = dns_question(&asker->target->check, id, asker->question);
	datagram_ask(&asker->datagram, asker->question, asker->length);
}

static void *
check_dns_create(const struct check_target *target)
{
	struct dns_asker *asker = calloc(1, sizeof(*asker));

	if (asker == NULL)
		return NULL;
	asker->target = target;
	asker->datagram = (struct datagram) {
		.target = target, .fd = -1, .received = check_dns_received, .failed = check_dns_failed, .asker = asker
	};
	return asker;
}

static void
check_dns_destroy(void *argument)
{
	struct dns_asker *asker = argument;

	datagram_close(&asker->datagram);
	free(asker);
}

const struct check_type check_dns = {
	.create = check_dns_create,
	.destroy = check_dns_destroy,
	.begin = check_dns_start,
};
