/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/http.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define VIPCHECK_WORDS COMMAND_WORDS

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

/* Cuts the text at the next `end`, and returns what is before; the rest is behind it. */
static char *
cut(char **rest, char end)
{
	char *begin = *rest, *at = strchr(begin, end);

	if (at == NULL) {
		*rest = begin + strlen(begin);
	} else {
		*at = '\0';
		*rest = at + 1;
	}
	return begin;
}

static int
hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Decodes %XX and '+' into `out`. False for bad escapes, control characters, or what is too long. */
static bool
decode(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text != '\0') {
		int byte = (unsigned char)*text++;

		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			const int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

			if (low < 0)
				return false;
			byte = high * 16 + low;
			text += 2;
		}
		if (byte < 0x20 || byte == 0x7f || used + 1 >= size)
			return false;
		out[used++] = (char)byte;
	}
	out[used] = '\0';
	return true;
}

static unsigned
refuse(unsigned status, const char *sentence, const char **why)
{
	*why = sentence;
	return status;
}

static unsigned
take_parameter(char *parameter, struct http_request *request, const char **why)
{
	char *name = cut(&parameter, '='), *value = parameter;

	if (strcmp(name, "arg") == 0) {
		if (request->argument_count == COMMAND_ARGUMENTS)
			return refuse(400, "too many arguments", why);
		if (!decode(value, request->arguments[request->argument_count], COMMAND_ARGUMENT))
			return refuse(400, "an argument is too long or has a bad escape", why);
		request->argument_count++;
	} else if (strcmp(name, "format") == 0 && (strcmp(value, "text") == 0 || strcmp(value, "json") == 0)) {
		request->text = strcmp(value, "text") == 0;
	} else if (strcmp(name, "colour") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
		request->colour = strcmp(value, "yes") == 0;
	} else {
		return refuse(400, "parameters are arg=ARGUMENT, format=json|text and colour=yes|no", why);
	}
	return 0;
}

static unsigned
take_target(char *target, struct http_request *request, const char **why)
{
	const char *words[VIPCHECK_WORDS];
	char *path;
	size_t count = 0, plain = 0, used;
	unsigned status = 0;

	if (*target != '/')
		return refuse(400, "the request's target is no path", why);
	target++;
	path = cut(&target, '?');
	while (*path != '\0' && count < VIPCHECK_WORDS)
		words[count++] = cut(&path, '/');
	request->command = command_find(words, count, &used);
	if (request->command == COMMAND_COUNT || used != count || *path != '\0')
		return refuse(404, "there is no such command; dsrctl --help lists them", why);
	while (*target != '\0' && status == 0)
		status = take_parameter(cut(&target, '&'), request, why);
	for (size_t i = 0; i < request->argument_count; i++)
		plain += strncmp(request->arguments[i], "--", 2) != 0;
	if (status == 0 && (plain < commands[request->command].least || plain > commands[request->command].most))
		return refuse(400, "wrong number of arguments; dsrctl --help lists them", why);
	return status;
}

static unsigned
take_method(const char *method, struct http_request *request, const char **why)
{
	if (strcmp(method, "GET") == 0)
		request->method = HTTP_GET;
	else if (strcmp(method, "HEAD") == 0)
		request->method = HTTP_HEAD_ONLY;
	else if (strcmp(method, "POST") == 0)
		request->method = HTTP_POST;
	else
		return refuse(501, "methods are GET, HEAD and POST", why);
	return 0;
}

/* Fields do not matter, but a body would. */
static unsigned
take_field(char *line, const char **why)
{
	char *name = cut(&line, ':');
	uint64_t length;

	if (strcasecmp(name, "transfer-encoding") == 0)
		return refuse(413, "a body is not expected", why);
	if (strcasecmp(name, "content-length") != 0)
		return 0;
	if (text_number(text_trim(line), 0, UINT64_MAX, &length) != 0)
		return refuse(400, "Content-Length is no number", why);
	return length > HTTP_BODY ? refuse(413, "a body is not expected", why) : 0;
}

static unsigned
take_lines(char *text, struct http_request *request, const char **why)
{
	char *line = cut(&text, '\n');
	const char *method, *version;
	char *target;
	unsigned status;

	line[strcspn(line, "\r")] = '\0';
	method = cut(&line, ' ');
	target = cut(&line, ' ');
	version = line;
	if (strncmp(version, "HTTP/", 5) != 0)
		return refuse(400, "this is not HTTP", why);
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return refuse(505, "only HTTP/1.0 and 1.1 are spoken here", why);
	status = take_method(method, request, why);
	if (status == 0)
		status = take_target(target, request, why);
	while (status == 0 && *text != '\0') {
		line = cut(&text, '\n');
		line[strcspn(line, "\r")] = '\0';
		status = take_field(line, why);
	}
	if (status == 0 && commands[request->command].changes != (request->method == HTTP_POST))
		return refuse(405, "commands that change something are POSTed, others are not", why);
	return status;
}

unsigned
http_parse(const char *head, size_t length, struct http_request *request, const char **why)
{
	char text[HTTP_HEAD + 1];

	memset(request, 0, sizeof(*request));
	request->command = COMMAND_COUNT;
	if (length > HTTP_HEAD)
		return refuse(413, "the request is too large", why);
	if (memchr(head, '\0', length) != NULL)
		return refuse(400, "this is not HTTP", why);
	memcpy(text, head, length);
	text[length] = '\0';
	return take_lines(text, request, why);
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
