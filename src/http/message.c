/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "http/message.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/text.h"

#define CHUNK_DIGITS 15 /* of a chunk's size: 60 bits cannot overflow */

unsigned
http_refuse(unsigned status, const char *sentence, const char **why)
{
	*why = sentence;
	return status;
}

size_t
http_head_length(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++) {
		if (bytes[i] != '\n')
			continue;
		/* RFC 9112 section 2.2 lets a bare LF end a line. */
		if (bytes[i + 1] == '\n')
			return i + 2;
		if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

char *
http_cut(char **rest, char end)
{
	char *begin = *rest;
	const size_t length = strcspn(begin, (const char[]){ end, '\0' });

	*rest = begin + length + (begin[length] != '\0');
	begin[length] = '\0';
	return begin;
}

char *
http_line(char **rest)
{
	char *line = http_cut(rest, '\n');
	const size_t length = strlen(line);

	if (length > 0 && line[length - 1] == '\r')
		line[length - 1] = '\0';
	return line;
}

char *
http_field(char *line, const char *name)
{
	const size_t length = strlen(name);

	return strncasecmp(line, name, length) == 0 && line[length] == ':' ? text_trim(line + length + 1) : NULL;
}

static bool
message_is_chunked(const char *value)
{
	static const char chunked[] = "chunked";
	const size_t length = strlen(value), last = sizeof(chunked) - 1;

	return length >= last && strcasecmp(value + length - last, chunked) == 0;
}

int
http_framing_field(struct http_framing *framing, char *line)
{
	const char *value = http_field(line, "Transfer-Encoding");
	uint64_t length;

	if (value != NULL) {
		framing->chunked = message_is_chunked(value);
		return 0;
	}
	value = http_field(line, "Content-Length");
	if (value == NULL)
		return 0;
	if (text_number(value, 0, UINT64_MAX, &length) != 0 || (framing->has_length && framing->length != length))
		return -1;
	framing->has_length = true;
	framing->length = length;
	return 0;
}

unsigned
http_status_line(const char *line)
{
	char digits[4] = "";
	uint64_t status;

	if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ')
		return 0;
	line += 9;
	for (size_t i = 0; i < 3 && line[i] != '\0'; i++)
		digits[i] = line[i];
	if (text_number(digits, 100, 599, &status) != 0 || (line[3] != '\0' && line[3] != ' '))
		return 0;
	return (unsigned)status;
}

int
http_chunk_size(const char *line, uint64_t *size)
{
	const char *at = line;

	for (*size = 0; text_hex_digit(*at) >= 0 && at - line < CHUNK_DIGITS; at++)
		*size = *size * 16 + (uint64_t)text_hex_digit(*at);
	return at == line || (*at != '\0' && *at != ';' && *at != ' ' && *at != '\t') ? -1 : 0;
}

/* RFC 9112 section 3.2.2: proxies may write the whole address, and its host counts. */
static void
message_read_target(struct http_head *head)
{
	static const char scheme[] = "http://";
	const size_t length = sizeof(scheme) - 1;
	char *path;

	if (strncasecmp(head->target, scheme, length) != 0)
		return;
	path = head->target + length;
	path += strcspn(path, "/");
	/* The host moves down by one byte, over the scheme's last slash: the path keeps its own. */
	memmove(head->target + length - 1, head->target + length, (size_t)(path - head->target) - length);
	path[-1] = '\0';
	head->host = head->target + length - 1;
	head->target = path;
}

static unsigned
message_read_fields(char *fields, struct http_head *head, const char **why)
{
	const bool absolute = head->host != NULL;
	struct http_framing framing = { 0 };
	unsigned hosts = 0;

	while (*fields != '\0') {
		char *line = http_line(&fields), *value = http_field(line, "Host");

		if (value != NULL && ++hosts > 1)
			return http_refuse(400, "there is more than one Host field", why);
		if (value != NULL && !absolute)
			head->host = value;
		value = http_field(line, "Accept");
		if (value != NULL)
			head->accept = value;
		if (http_field(line, "Transfer-Encoding") != NULL)
			return http_refuse(413, "a body is not expected", why);
		if (http_framing_field(&framing, line) == -1)
			return http_refuse(400, "Content-Length is not a number", why);
		if (framing.length > 0)
			return http_refuse(413, "a body is not expected", why);
	}
	return 0;
}

unsigned
http_request_head(const char *bytes, size_t length, char *text, struct http_head *head, const char **why)
{
	const char *version;
	char *line;

	memset(head, 0, sizeof(*head));
	head->method = "";
	if (memchr(bytes, '\0', length) != NULL)
		return http_refuse(400, "this is not HTTP", why);
	memcpy(text, bytes, length);
	text[length] = '\0';
	line = http_line(&text);
	head->method = http_cut(&line, ' ');
	head->target = http_cut(&line, ' ');
	version = text_trim(line);
	if (strncmp(version, "HTTP/", 5) != 0)
		return http_refuse(400, "this is not HTTP", why);
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return http_refuse(505, "only HTTP/1.0 and 1.1 are spoken here", why);
	message_read_target(head);
	return message_read_fields(text, head, why);
}

const char *
http_status_text(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 413:
		return "Content Too Large";
	case 421:
		return "Misdirected Request";
	case 422:
		return "Unprocessable Content";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Internal Server Error";
	}
}
