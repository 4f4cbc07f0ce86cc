/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/http.h"

#include <string.h>

#include "base/text.h"
#include "http/message.h"

/* Decodes %XX and '+' into `out`. False for bad escapes, control characters, or what is too long. */
static bool
http_decode(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text != '\0') {
		int byte = (unsigned char)*text++;

		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			const int high = text_hex_digit(text[0]), low = high < 0 ? -1 : text_hex_digit(text[1]);

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
http_read_parameter(char *parameter, struct http_request *request, const char **why)
{
	char *name = http_cut(&parameter, '='), *value = parameter;

	if (strcmp(name, "arg") == 0) {
		if (request->argument_count == COMMAND_ARGUMENTS)
			return http_refuse(400, "too many arguments", why);
		if (!http_decode(value, request->arguments[request->argument_count], COMMAND_ARGUMENT))
			return http_refuse(400, "an argument is too long or has a bad escape", why);
		request->argument_count++;
	} else if (strcmp(name, "format") == 0 && (strcmp(value, "text") == 0 || strcmp(value, "json") == 0)) {
		request->text = strcmp(value, "text") == 0;
	} else if (strcmp(name, "colour") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
		request->colour = strcmp(value, "yes") == 0;
	} else {
		return http_refuse(400, "parameters are arg=ARGUMENT, format=json|text and colour=yes|no", why);
	}
	return 0;
}

static unsigned
http_read_target(char *target, struct http_request *request, const char **why)
{
	const char *words[COMMAND_WORDS];
	char *path;
	size_t count = 0, plain = 0, used;
	unsigned status = 0;

	if (*target != '/')
		return http_refuse(400, "the request's target is not a path", why);
	target++;
	path = http_cut(&target, '?');
	while (*path != '\0' && count < COMMAND_WORDS)
		words[count++] = http_cut(&path, '/');
	request->command = command_find(words, count, &used);
	if (request->command == COMMAND_COUNT || used != count || *path != '\0')
		return http_refuse(404, "there is no such command; dsrctl --help lists them", why);
	while (*target != '\0' && status == 0)
		status = http_read_parameter(http_cut(&target, '&'), request, why);
	for (size_t i = 0; i < request->argument_count; i++)
		plain += strncmp(request->arguments[i], "--", 2) != 0;
	if (status == 0 && (plain < commands[request->command].least || plain > commands[request->command].most))
		return http_refuse(400, "wrong number of arguments; dsrctl --help lists them", why);
	return status;
}

static unsigned
http_read_method(const char *method, struct http_request *request, const char **why)
{
	if (strcmp(method, "GET") == 0)
		request->method = HTTP_GET;
	else if (strcmp(method, "HEAD") == 0)
		request->method = HTTP_HEAD_ONLY;
	else if (strcmp(method, "POST") == 0)
		request->method = HTTP_POST;
	else
		return http_refuse(501, "methods are GET, HEAD and POST", why);
	return 0;
}

unsigned
http_parse(const char *bytes, size_t length, struct http_request *request, const char **why)
{
	char text[HTTP_HEAD + 1];
	struct http_head head;
	unsigned status;

	memset(request, 0, sizeof(*request));
	request->command = COMMAND_COUNT;
	if (length > HTTP_HEAD)
		return http_refuse(413, "the request is too large", why);
	status = http_request_head(bytes, length, text, &head, why);
	if (status == 0)
		status = http_read_method(head.method, request, why);
	if (status == 0)
		status = http_read_target(head.target, request, why);
	if (status == 0 && commands[request->command].changes != (request->method == HTTP_POST))
		return http_refuse(405, "commands that change something are POSTed, others are not", why);
	return status;
}
