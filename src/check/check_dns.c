/* SPDX-License-Identifier: ISC */
/* The DNS check: a question by UDP, with a random number and from a random port. */
#include "config.h"

#include <stdlib.h>

#include <event2/util.h>

#include "check/datagram.h"
#include "check/dns_message.h"
#include "check/kind.h"

struct dns_runner {
	const struct check_target *target;
	struct datagram datagram;
	uint8_t question[DNS_QUESTION_MOST];
	size_t length;
};

static void
check_dns_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct dns_runner *runner = argument;
	char detail[DNS_DETAIL];
	enum health_reason reason;

	if (!dns_judge(&runner->target->check, runner->question, runner->length, bytes, length, &reason, detail))
		return;
	datagram_close(&runner->datagram);
	check_report_result(runner->target, reason, detail[0] == '\0' ? NULL : detail);
}

static void
check_dns_failed(void *argument, enum health_reason reason, const char *detail)
{
	struct dns_runner *runner = argument;

	check_report_result(runner->target, reason, detail);
}

static void
check_dns_start(void *argument)
{
	struct dns_runner *runner = argument;
	uint16_t id;

	evutil_secure_rng_get_bytes(&id, sizeof(id));
	runner->length = dns_question(&runner->target->check, id, runner->question);
	datagram_ask(&runner->datagram, runner->question, runner->length);
}

static void *
check_dns_create(const struct check_target *target)
{
	struct dns_runner *runner = calloc(1, sizeof(*runner));

	if (runner == NULL)
		return NULL;
	runner->target = target;
	runner->datagram = (struct datagram) {
		.target = target, .fd = -1, .received = check_dns_received, .failed = check_dns_failed, .runner = runner
	};
	return runner;
}

static void
check_dns_destroy(void *argument)
{
	struct dns_runner *runner = argument;

	datagram_close(&runner->datagram);
	free(runner);
}

const struct check_type check_dns = {
	.create = check_dns_create,
	.destroy = check_dns_destroy,
	.begin = check_dns_start,
};
