/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/dns_message.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"

/* RFC 1035 section 4.1.1 */
#define HEADER 12
#define FLAG_ANSWER 0x8000U
#define FLAG_RECURSION 0x0100U
#define OPCODE 0x7800U
#define RCODE 0x000fU
#define CLASS_IN 1
#define POINTER 0xc0U /* section 4.1.4: two bits that no length has */

size_t
dns_question(const struct check_settings *check, uint16_t id, uint8_t question[DNS_QUESTION_MOST])
{
	const char *label = strcmp(check->name, ".") == 0 ? "" : check->name;
	size_t at = HEADER;

	memset(question, 0, DNS_QUESTION_MOST);
	store16(question, id);
	store16(question + 2, FLAG_RECURSION);
	store16(question + 4, 1);
	while (*label != '\0') {
		const size_t length = strcspn(label, ".");

		if (at + length + 6 > DNS_QUESTION_MOST)
			break;
		question[at++] = (uint8_t)length;
		memcpy(question + at, label, length);
		at += length;
		label += length;
		label += *label == '.';
	}
	question[at++] = 0;
	store16(question + at, check->type);
	store16(question + at + 2, CLASS_IN);
	return at + 4;
}

static uint8_t
dns_message_lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

/* The question comes back, its letters perhaps in another case (RFC 4343). */
static bool
dns_is_same_question(const uint8_t *question, const uint8_t *answer, size_t length)
{
	for (size_t i = HEADER; i < length; i++)
		if (dns_message_lower(question[i]) != dns_message_lower(answer[i]))
			return false;
	return true;
}

static void
dns_skip_name(struct cursor *cursor)
{
	uint8_t length;

	while ((length = cursor_u8(cursor)) != 0) {
		if ((length & POINTER) == POINTER) {
			cursor_skip(cursor, 1);
			return;
		}
		cursor_skip(cursor, length);
	}
}

/* Do the answers have that address? `cursor` is behind the question. */
static bool
dns_has_address(struct cursor *cursor, uint16_t count, const struct check_settings *check)
{
	const size_t size = check->answer.family == ADDR_IPV4 ? 4 : 16;

	for (; count > 0 && cursor_ok(cursor); count--) {
		uint8_t address[16] = { 0 };
		uint16_t type, class, length;

		dns_skip_name(cursor);
		type = cursor_u16(cursor);
		class = cursor_u16(cursor);
		cursor_skip(cursor, 4);
		length = cursor_u16(cursor);
		if (type != check->type || class != CLASS_IN || length != size) {
			cursor_skip(cursor, length);
			continue;
		}
		cursor_copy(cursor, address, size);
		if (cursor_ok(cursor) && memcmp(address, check->answer.bytes, size) == 0)
			return true;
	}
	return false;
}

static void
dns_write_rcode(unsigned rcode, char detail[DNS_DETAIL])
{
	static const char *const names[] = { "noerror", "formerr", "servfail", "nxdomain", "notimp", "refused" };

	if (rcode < ARRAY_LEN(names))
		(void)snprintf(detail, DNS_DETAIL, "response code %s", names[rcode]);
	else
		(void)snprintf(detail, DNS_DETAIL, "response code %u", rcode);
}

bool
dns_judge(const struct check_settings *check, const uint8_t *question, size_t question_length,
    const uint8_t *answer, size_t length, enum health_reason *reason, char detail[DNS_DETAIL])
{
	struct cursor cursor;
	uint16_t id, flags, questions, answers;

	cursor_init(&cursor, answer, length);
	id = cursor_u16(&cursor);
	flags = cursor_u16(&cursor);
	questions = cursor_u16(&cursor);
	answers = cursor_u16(&cursor);
	cursor_skip(&cursor, 4);
	if (!cursor_ok(&cursor) || id != load16(question) || (flags & FLAG_ANSWER) == 0 || (flags & OPCODE) != 0)
		return false;
	/* A refusal may come without the question. */
	if (questions == 0 && (flags & RCODE) == 0)
		return false;
	if (questions > 1 || (questions == 1 &&
	    (length < question_length || !dns_is_same_question(question, answer, question_length))))
		return false;
	detail[0] = '\0';
	*reason = HEALTH_REASON_ANSWER;
	if ((flags & RCODE) != check->rcode) {
		dns_write_rcode(flags & RCODE, detail);
		return true;
	}
	if (questions == 1)
		cursor_skip(&cursor, question_length - HEADER);
	if (!addr_is_set(&check->answer) || dns_has_address(&cursor, answers, check))
		*reason = HEALTH_REASON_NONE;
	else
		(void)snprintf(detail, DNS_DETAIL, "the expected address is not in it");
	return true;
}
