/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/attempt_message.h"

#include <string.h>

#include "base/text.h"

bool
attempt_is_remote(enum check_kind kind)
{
	switch (kind) {
	case CHECK_TCP:
	case CHECK_HTTP:
	case CHECK_HTTPS:
	case CHECK_DNS:
	case CHECK_UDP:
		return true;
	case CHECK_ICMP:
	case CHECK_SCRIPT:
		break;
	}
	return false;
}

bool
attempt_header_fits(const struct attempt_header *header)
{
	switch (header->order) {
	case ATTEMPT_RUN:
		return header->length == sizeof(struct attempt_run);
	case ATTEMPT_CANCEL:
		return header->length == sizeof(uint64_t);
	case ATTEMPT_AUTHORITY:
		return header->length >= sizeof(struct attempt_authority) &&
		    header->length - sizeof(struct attempt_authority) <= ATTEMPT_AUTHORITY_MOST;
	}
	return false;
}

static bool
attempt_ends(const char text[CHECK_TEXT])
{
	return memchr(text, '\0', CHECK_TEXT) != NULL;
}

static bool
attempt_check_is_sound(const struct check_settings *check)
{
	return check->send.length <= CHECK_TEXT && check->expect.length <= CHECK_TEXT &&
	    check->status_count <= CHECK_STATUSES && attempt_ends(check->path) && attempt_ends(check->host) &&
	    attempt_ends(check->sni) && attempt_ends(check->ca) && attempt_ends(check->name) &&
	    attempt_ends(check->servers) && attempt_ends(check->command);
}

/* A bool with another value than 0 and 1 must not be read. */
static bool
attempt_flags_are_sound(const uint8_t *bytes)
{
	static const size_t flags[] = { offsetof(struct attempt_run, check.send.given),
		offsetof(struct attempt_run, check.expect.given), offsetof(struct attempt_run, check.no_verify) };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (bytes[flags[i]] > 1)
			return false;
	return true;
}

int
attempt_read_run(const void *bytes, size_t length, struct attempt_run *run)
{
	if (length != sizeof(*run) || !attempt_flags_are_sound(bytes))
		return -1;
	memcpy(run, bytes, sizeof(*run));
	if (!attempt_is_remote(run->check.kind) || !attempt_check_is_sound(&run->check))
		return -1;
	if (run->timeout == 0 || run->timeout > ATTEMPT_TIMEOUT_MOST)
		return -1;
	return run->addr.family == ADDR_IPV4 || run->addr.family == ADDR_IPV6 ? 0 : -1;
}

int
attempt_read_authority(const void *bytes, size_t length, struct attempt_authority *authority)
{
	if (length < sizeof(*authority) || length - sizeof(*authority) > ATTEMPT_AUTHORITY_MOST)
		return -1;
	memcpy(authority, bytes, sizeof(*authority));
	return attempt_ends(authority->path) && authority->path[0] != '\0' ? 0 : -1;
}

/* What an attempt over the network may find: a script's verdict is not among it. */
static bool
attempt_may_find(uint32_t reason)
{
	return reason < HEALTH_REASON_COUNT && reason != HEALTH_REASON_SCRIPT;
}

int
attempt_read_answer(const void *bytes, size_t length, struct attempt_answer *answer)
{
	if (length != sizeof(*answer))
		return -1;
	memcpy(answer, bytes, sizeof(*answer));
	if (answer->word == ATTEMPT_CONFINED)
		return answer->reason == 0 && answer->id == 0 ? 0 : -1;
	if (memchr(answer->text, '\0', sizeof(answer->text)) == NULL)
		return -1;
	text_clean(answer->text);
	if (answer->word == ATTEMPT_ENDED)
		return attempt_may_find(answer->reason) ? 0 : -1;
	if (answer->word == ATTEMPT_REFUSED)
		return answer->reason == 0 && answer->id == 0 && answer->text[0] != '\0' ? 0 : -1;
	return -1;
}
