/* SPDX-License-Identifier: ISC */
/*
 * The input is a message between the director and the checker, behind a byte that says which: an order's header, an
 * attempt, a file of certificates, or an answer. What is accepted has its form, and the text of an answer is printable.
 */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check/attempt_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static void
take_header(const uint8_t *bytes, size_t length)
{
	struct attempt_header header;

	if (length != sizeof(header))
		return;
	memcpy(&header, bytes, sizeof(header));
	if (!attempt_header_fits(&header))
		return;
	require(header.order >= ATTEMPT_RUN && header.order <= ATTEMPT_AUTHORITY);
	require(header.length <= ATTEMPT_AUTHORITY_MOST + sizeof(struct attempt_authority));
}

static void
take_run(const uint8_t *bytes, size_t length)
{
	struct attempt_run run;

	if (attempt_read_run(bytes, length, &run) == -1)
		return;
	require(attempt_is_remote(run.check.kind) && run.timeout > 0 && run.timeout <= ATTEMPT_TIMEOUT_MOST);
	require(run.check.send.length <= CHECK_TEXT && run.check.expect.length <= CHECK_TEXT);
	require(run.check.status_count <= CHECK_STATUSES);
	require(strlen(run.check.path) < CHECK_TEXT && strlen(run.check.host) < CHECK_TEXT &&
	    strlen(run.check.sni) < CHECK_TEXT && strlen(run.check.ca) < CHECK_TEXT && strlen(run.check.name) < CHECK_TEXT);
	require((run.check.send.given || !run.check.send.given) && (run.check.no_verify || !run.check.no_verify));
}

static void
take_authority(const uint8_t *bytes, size_t length)
{
	struct attempt_authority authority;

	if (attempt_read_authority(bytes, length, &authority) == 0)
		require(authority.path[0] != '\0' && strlen(authority.path) < CHECK_TEXT);
}

static void
take_answer(const uint8_t *bytes, size_t length)
{
	struct attempt_answer answer;

	if (attempt_read_answer(bytes, length, &answer) == -1)
		return;
	require(length == sizeof(answer) && answer.reason < HEALTH_REASON_COUNT);
	require(answer.reason != HEALTH_REASON_SCRIPT);
	if (answer.word == ATTEMPT_CONFINED)
		return;
	require(strlen(answer.text) < ATTEMPT_TEXT);
	for (const char *c = answer.text; *c != '\0'; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takers[])(const uint8_t *, size_t) = { take_header, take_run, take_authority, take_answer };

	if (size > 0)
		takers[data[0] % 4](data + 1, size - 1);
	return 0;
}
