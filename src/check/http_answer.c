/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/http_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/text.h"

/* Accepted when the configuration does not set `status`: any success, and any redirection. */

#define CHUNK_DIGITS 15 /* of a chunk's size: 60 bits cannot overflow */

void
http_answer_begin(struct http_answer *answer, const struct check_settings *check)
{
	memset(answer, 0, sizeof(*answer));
	answer->check = check;
	matcher_begin(&answer->matcher, &check->expect);
}

static void
decide(struct http_answer *answer, enum health_reason reason, const char *detail)
{
	answer->decided = true;
	answer->reason = reason;
	(void)snprintf(answer->detail, sizeof(answer->detail), "%s", detail);
}

static void
garbled(struct http_answer *answer, const char *detail)
{
	decide(answer, HEALTH_REASON_GARBLED, detail);
}

static bool
is_fine(const struct http_answer *answer)
{
	const struct check_settings *check = answer->check;

	for (unsigned i = 0; i < check->status_count; i++)
		if (check->statuses[i].first <= answer->status && answer->status <= check->statuses[i].last)
			return true;
	return check->status_count == 0 && answer->status >= HTTP_STATUS_FINE_FIRST && answer->status <= HTTP_STATUS_FINE_LAST;
}

/* The end of the body, or of the part that is examined. */
static void
end_body(struct http_answer *answer)
{
	if (answer->matcher.found)
		decide(answer, HEALTH_REASON_NONE, "");
	else
		decide(answer, HEALTH_REASON_BODY, "");
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK": RFC 9112 section 4. The text, and the blank before it, may be missing. */
static void
take_status(struct http_answer *answer)
{
	const char *line = answer->line;

	if (strncmp(line, "HTTP/1.", 7) != 0 || !digit(line[7]) || line[8] != ' ' || line[9] < '1' || line[9] > '5' ||
	    !digit(line[10]) || !digit(line[11]) || (line[12] != '\0' && line[12] != ' ')) {
		garbled(answer, "it does not start with an HTTP/1 status line");
		return;
	}
	answer->status = (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
	answer->state = HTTP_FIELDS;
	answer->chunked = answer->has_length = false;
	answer->left = 0;
}

/* The value behind "name:", or NULL when that is not the line's name. */
static char *
field_value(char *line, const char *name)
{
	const size_t length = strlen(name);

	if (strncasecmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	return text_trim(line + length + 1);
}

static bool
ends_with_chunked(const char *value)
{
	static const char chunked[] = "chunked";
	const size_t length = strlen(value);

	return length >= sizeof(chunked) - 1 && strcasecmp(value + length - (sizeof(chunked) - 1), chunked) == 0;
}

static void
take_field(struct http_answer *answer)
{
	const char *value = field_value(answer->line, "Transfer-Encoding");

	if (value != NULL) {
		answer->chunked = ends_with_chunked(value);
		return;
	}
	value = field_value(answer->line, "Content-Length");
	if (value == NULL)
		return;
	answer->has_length = true;
	if (text_number(value, 0, UINT64_MAX, &answer->left) != 0)
		garbled(answer, "its Content-Length is not a number");
}

/* RFC 9112 section 6.3: what follows the empty line. */
static void
end_fields(struct http_answer *answer)
{
	char detail[HTTP_DETAIL];

	if (answer->status < 200) { /* an interim response (RFC 9110 section 15.2) */
		answer->state = HTTP_STATUS_LINE;
		return;
	}
	if (!is_fine(answer)) {
		(void)snprintf(detail, sizeof(detail), "status %u", answer->status);
		decide(answer, HEALTH_REASON_STATUS, detail);
		return;
	}
	if (answer->matcher.found || answer->status == 204 || answer->status == 304)
		end_body(answer);
	else if (answer->chunked)
		answer->state = HTTP_CHUNK_SIZE;
	else if (answer->has_length && answer->left == 0)
		end_body(answer);
	else
		answer->state = HTTP_BODY;
}

static int
hex_digit(char c)
{
	if (digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1f;extension": RFC 9112 section 7.1 */
static void
take_chunk_size(struct http_answer *answer)
{
	const char *at = answer->line;
	uint64_t size = 0;

	while (hex_digit(*at) >= 0 && at - answer->line < CHUNK_DIGITS)
		size = size * 16 + (uint64_t)hex_digit(*at++);
	if (at == answer->line || (*at != '\0' && *at != ';' && *at != ' ' && *at != '\t')) {
		garbled(answer, "a chunk's size is not a number");
		return;
	}
	answer->left = size;
	answer->state = HTTP_CHUNK;
	if (size == 0)
		end_body(answer);
}

static void
take_line(struct http_answer *answer)
{
	if (answer->length > 0 && answer->line[answer->length - 1] == '\r')
		answer->length--;
	answer->line[answer->length] = '\0';
	switch (answer->state) {
	case HTTP_STATUS_LINE:
		take_status(answer);
		break;
	case HTTP_FIELDS:
		if (answer->length == 0)
			end_fields(answer);
		else
			take_field(answer);
		break;
	case HTTP_CHUNK_SIZE:
		take_chunk_size(answer);
		break;
	case HTTP_CHUNK_END:
		answer->state = HTTP_CHUNK_SIZE;
		if (answer->length != 0)
			garbled(answer, "a chunk is longer than its size");
		break;
	case HTTP_BODY:
	case HTTP_CHUNK:
		break;
	}
	answer->length = 0;
}

static void
take_byte(struct http_answer *answer, uint8_t byte)
{
	const bool head = answer->state == HTTP_STATUS_LINE || answer->state == HTTP_FIELDS;

	/* Chunk lines count as body, so that a response that consists only of them ends too. */
	if (head && ++answer->head > HTTP_HEAD_MOST)
		garbled(answer, "its head is longer than 32 KiB");
	else if (!head && ++answer->body > HTTP_BODY_MOST)
		end_body(answer);
	else if (byte == '\n')
		take_line(answer);
	else if (answer->length < HTTP_LINE - 1)
		answer->line[answer->length++] = (char)byte;
}

/* How many of the bytes were the body's. */
static size_t
take_body(struct http_answer *answer, const uint8_t *bytes, size_t length)
{
	const bool counted = answer->state == HTTP_CHUNK || answer->has_length;

	if (counted && length > answer->left)
		length = (size_t)answer->left;
	if (length > HTTP_BODY_MOST - answer->body)
		length = HTTP_BODY_MOST - answer->body;
	answer->body += (uint32_t)length;
	if (counted)
		answer->left -= length;
	if (matcher_feed(&answer->matcher, bytes, length) || answer->body == HTTP_BODY_MOST)
		end_body(answer);
	else if (counted && answer->left == 0 && answer->state == HTTP_CHUNK)
		answer->state = HTTP_CHUNK_END;
	else if (counted && answer->left == 0)
		end_body(answer);
	return length;
}

bool
http_answer_feed(struct http_answer *answer, const uint8_t *bytes, size_t length)
{
	for (size_t at = 0; at < length && !answer->decided;) {
		if (answer->state == HTTP_BODY || answer->state == HTTP_CHUNK)
			at += take_body(answer, bytes + at, length - at);
		else
			take_byte(answer, bytes[at++]);
	}
	return answer->decided;
}

void
http_answer_end(struct http_answer *answer)
{
	if (answer->decided)
		return;
	if (answer->state == HTTP_BODY && !answer->has_length)
		end_body(answer);
	else
		decide(answer, HEALTH_REASON_CLOSED, answer->head == 0 ? "no answer" : "");
}
