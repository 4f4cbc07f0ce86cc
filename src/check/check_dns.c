/* SPDX-License-Identifier: ISC */
/* The DNS check: a question by UDP, with a random number and from a random port. */
#include "config.h"

#include <event2/util.h>

#include "check/dns_message.h"
#include "check/runner.h"

struct dns_runner {
	struct runner runner;
	uint8_t question[DNS_QUESTION_MOST];
	size_t length;
};

static void
check_dns_received(void *argument, const uint8_t *bytes, size_t length)
{
	struct dns_runner *runner = argument;
	const struct check_settings *check = &runner->runner.target->check;
	char detail[DNS_DETAIL];
	enum health_reason reason;

	if (dns_judge(check, runner->question, runner->length, bytes, length, &reason, detail))
		runner_finish(runner, reason, detail[0] == '\0' ? NULL : detail);
}

static void
check_dns_start(void *argument)
{
	struct dns_runner *runner = argument;
	uint16_t id;

	evutil_secure_rng_get_bytes(&id, sizeof(id));
	runner->length = dns_question(&runner->runner.target->check, id, runner->question);
	runner_ask(runner, runner->question, runner->length);
}

const struct check_type check_dns = {
	.size = sizeof(struct dns_runner),
	.begin = check_dns_start,
	.received = check_dns_received,
};
