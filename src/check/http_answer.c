/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/http_answer.h"

#include <stdio.h>
#include <string.h>

void
http_answer_begin(struct http_answer *answer, const struct check_settings *check)
{
	memset(answer, 0, sizeof(*answer));
	answer->check = check;
	matcher_begin(&answer->matcher, &check->expect);
}

static void
http_answer_decide(struct http_answer *answer, enum health_reason reason, const char *detail)
{
	answer->decided = true;
	answer->reason = reason;
	(void)snprintf(answer->detail, sizeof(answer->detail), "%s", detail);
}

static void
http_answer_garbled(struct http_answer *answer, const char *detail)
{
	http_answer_decide(answer, HEALTH_REASON_GARBLED, detail);
}

static bool
http_answer_is_fine(const struct http_answer *answer)
{
	const struct check_settings *check = answer->check;

	for (unsigned i = 0; i < check->status_count; i++)
		if (check->statuses[i].first <= answer->status && answer->status <= check->statuses[i].last)
			return true;
	return check->status_count == 0 && answer->status >= HTTP_STATUS_FINE_FIRST &&
	    answer->status <= HTTP_STATUS_FINE_LAST;
}

/* The end of the body, or of the part that is examined. */
static void
http_answer_end_body(struct http_answer *answer)
{
	if (answer->matcher.found)
		http_answer_decide(answer, HEALTH_REASON_NONE, "");
	else
		http_answer_decide(answer, HEALTH_REASON_BODY, "");
}

static void
http_answer_take_status(struct http_answer *answer)
{
	answer->status = (uint16_t)http_status_line(answer->line);
	if (answer->status == 0) {
		http_answer_garbled(answer, "it does not start with an HTTP/1 status line");
		return;
	}
	answer->state = HTTP_FIELDS;
	memset(&answer->framing, 0, sizeof(answer->framing));
}

/* RFC 9112 section 6.3: what follows the empty line. */
static void
http_answer_end_fields(struct http_answer *answer)
{
	char detail[HTTP_DETAIL];

	if (answer->status < 200) { /* an interim response (RFC 9110 section 15.2) */
		answer->state = HTTP_STATUS_LINE;
		return;
	}
	if (!http_answer_is_fine(answer)) {
		(void)snprintf(detail, sizeof(detail), "status %u", answer->status);
		http_answer_decide(answer, HEALTH_REASON_STATUS, detail);
		return;
	}
	if (answer->matcher.found || answer->status == 204 || answer->status == 304)
		http_answer_end_body(answer);
	else if (answer->framing.chunked)
		answer->state = HTTP_CHUNK_SIZE;
	else if (answer->framing.has_length && answer->framing.length == 0)
		http_answer_end_body(answer);
	else
		answer->state = HTTP_BODY;
}

static void
http_answer_take_chunk_size(struct http_answer *answer)
{
	if (http_chunk_size(answer->line, &answer->framing.length) == -1) {
		http_answer_garbled(answer, "a chunk's size is not a number");
		return;
	}
	answer->state = HTTP_CHUNK;
	if (answer->framing.length == 0)
		http_answer_end_body(answer);
}

static void
http_answer_take_line(struct http_answer *answer)
{
	if (answer->length > 0 && answer->line[answer->length - 1] == '\r')
		answer->length--;
	answer->line[answer->length] = '\0';
	switch (answer->state) {
	case HTTP_STATUS_LINE:
		http_answer_take_status(answer);
		break;
	case HTTP_FIELDS:
		if (answer->length == 0)
			http_answer_end_fields(answer);
		else if (http_framing_field(&answer->framing, answer->line) == -1)
			http_answer_garbled(answer, "its Content-Length is not a number");
		break;
	case HTTP_CHUNK_SIZE:
		http_answer_take_chunk_size(answer);
		break;
	case HTTP_CHUNK_END:
		answer->state = HTTP_CHUNK_SIZE;
		if (answer->length != 0)
			http_answer_garbled(answer, "a chunk is longer than its size");
		break;
	case HTTP_BODY:
	case HTTP_CHUNK:
		break;
	}
	answer->length = 0;
}

static void
http_answer_take_byte(struct http_answer *answer, uint8_t byte)
{
	const bool head = answer->state == HTTP_STATUS_LINE || answer->state == HTTP_FIELDS;

	/* Chunk lines count as body, so that a response that consists only of them ends too. */
	if (head && ++answer->head > HTTP_HEAD_MOST)
		http_answer_garbled(answer, "its head is longer than 32 KiB");
	else if (!head && ++answer->body > HTTP_BODY_MOST)
		http_answer_end_body(answer);
	else if (byte == '\n')
		http_answer_take_line(answer);
	else if (answer->length < HTTP_LINE - 1)
		answer->line[answer->length++] = (char)byte;
}

/* How many of the bytes were the body's. */
static size_t
http_answer_take_body(struct http_answer *answer, const uint8_t *bytes, size_t length)
{
	const bool counted = answer->state == HTTP_CHUNK || answer->framing.has_length;

	if (counted && length > answer->framing.length)
		length = (size_t)answer->framing.length;
	if (length > HTTP_BODY_MOST - answer->body)
		length = HTTP_BODY_MOST - answer->body;
	answer->body += (uint32_t)length;
	if (counted)
		answer->framing.length -= length;
	if (matcher_feed(&answer->matcher, bytes, length) || answer->body == HTTP_BODY_MOST)
		http_answer_end_body(answer);
	else if (counted && answer->framing.length == 0 && answer->state == HTTP_CHUNK)
		answer->state = HTTP_CHUNK_END;
	else if (counted && answer->framing.length == 0)
		http_answer_end_body(answer);
	return length;
}

bool
http_answer_feed(struct http_answer *answer, const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length && !answer->decided;) {
		if (answer->state == HTTP_BODY || answer->state == HTTP_CHUNK)
			at += http_answer_take_body(answer, bytes + at, length - at);
		else
			http_answer_take_byte(answer, bytes[at++]);
	}
	return answer->decided;
}

void
http_answer_end(struct http_answer *answer)
{
	if (answer->decided)
		return;
	if (answer->state == HTTP_BODY && !answer->framing.has_length)
		http_answer_end_body(answer);
	else
		http_answer_decide(answer, HEALTH_REASON_CLOSED, answer->head == 0 ? "no answer" : "");
}
