/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as what a server says. The first byte chooses: an HTTP response, which must be judged alike however it is
 * cut into pieces, or a DNS answer.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/dns_message.h"
#include "check/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
insist(int holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
judge_http(struct http_answer *answer, const struct check_settings *check, const uint8_t *data, size_t size,
    size_t piece)
{
	http_answer_begin(answer, check);
	for (size_t at = 0; at < size; at += piece)
		(void)http_answer_feed(answer, data + at, size - at < piece ? size - at : piece);
	http_answer_end(answer);
	insist(answer->decided, "nothing was decided");
	insist(answer->head <= HTTP_HEAD_MOST + 1 && answer->body <= HTTP_BODY_MOST + 1, "too much was looked at");
}

static void
try_http(const uint8_t *data, size_t size, int with_body)
{
	struct check_settings check = { .kind = CHECK_HTTP };
	struct http_answer whole, pieces;

	if (with_body) {
		check.expect = (struct check_bytes) { .given = true, .length = 4 };
		memcpy(check.expect.bytes, "well", 4);
	}
	judge_http(&whole, &check, data, size, size == 0 ? 1 : size);
	judge_http(&pieces, &check, data, size, 1);
	insist(whole.reason == pieces.reason && strcmp(whole.detail, pieces.detail) == 0,
	    "pieces are judged otherwise");
}

static void
try_dns(const uint8_t *data, size_t size, const char *address)
{
	struct check_settings check = { .kind = CHECK_DNS, .name = "example.org", .type = 1 };
	uint8_t probe[DNS_QUESTION_MOST];
	const size_t length = dns_question(&check, 0x1234, probe);
	char detail[DNS_DETAIL];
	enum health_reason reason;

	if (address != NULL && addr_parse(address, &check.answer) == -1)
		abort();
	if (dns_judge(&check, probe, length, data, size, &reason, detail))
		insist(reason == HEALTH_REASON_NONE || reason == HEALTH_REASON_ANSWER, "not a judgement");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_http(data + 1, size - 1, 0);
		break;
	case 1:
		try_http(data + 1, size - 1, 1);
		break;
	case 2:
		try_dns(data + 1, size - 1, NULL);
		break;
	default: /* 3 */
		try_dns(data + 1, size - 1, "192.0.2.80");
		break;
	}
	return 0;
}
