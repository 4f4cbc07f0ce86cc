/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/request.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/text.h"

#define OPENMETRICS "application/openmetrics-text"
#define QUALITY_MOST 1000 /* RFC 9110 section 12.4.2: three digits behind the point */

static unsigned
refuse(unsigned status, const char *sentence, const char **why)
{
	*why = sentence;
	return status;
}

/* Cuts the text at the next `end`, and returns what is before; the rest is behind it. */
static char *
cut(char **rest, char end)
{
	char *begin = *rest;
	const size_t length = strcspn(begin, (const char[]){ end, '\0' });

	*rest = begin + length + (begin[length] != '\0');
	begin[length] = '\0';
	return begin;
}

/* "0.75" is 750. What is no quality is none at all. */
static unsigned
quality(const char *text)
{
	unsigned value = 0, unit = QUALITY_MOST;

	if (*text != '0' && *text != '1')
		return 0;
	value = (unsigned)(*text++ - '0') * unit;
	if (*text == '.')
		text++;
	for (; *text >= '0' && *text <= '9' && unit > 1; text++) {
		unit /= 10;
		value += (unsigned)(*text - '0') * unit;
	}
	return *text != '\0' || value > QUALITY_MOST ? 0 : value;
}

/* Of one range of an Accept field, RFC 9110 section 12.5.1: "text/plain;version=0.0.4;q=0.5". */
static unsigned
range_quality(char *parameters)
{
	unsigned found = QUALITY_MOST;

	while (*parameters != '\0') {
		const char *parameter = text_trim(cut(&parameters, ';'));

		if (strncasecmp(parameter, "q=", 2) == 0)
			found = quality(parameter + 2);
	}
	return found;
}

/* OpenMetrics is given to those who name it, and do not like the other better. */
static bool
prefers_openmetrics(char *value)
{
	unsigned openmetrics = 0, plain = 0;

	while (*value != '\0') {
		char *range = cut(&value, ',');
		const char *type = text_trim(cut(&range, ';'));

		if (strcasecmp(type, OPENMETRICS) == 0)
			openmetrics = range_quality(range);
		else if (strcasecmp(type, "text/plain") == 0)
			plain = range_quality(range);
	}
	return openmetrics > 0 && openmetrics >= plain;
}

/* Fields do not matter but for one; and a body would. */
static unsigned
take_field(char *line, struct web_request *request, const char **why)
{
	const char *name = cut(&line, ':');
	uint64_t length;

	if (strcasecmp(name, "accept") == 0)
		request->openmetrics = prefers_openmetrics(line);
	if (strcasecmp(name, "transfer-encoding") == 0)
		return refuse(413, "a body is not expected", why);
	if (strcasecmp(name, "content-length") != 0)
		return 0;
	if (text_number(text_trim(line), 0, UINT64_MAX, &length) != 0)
		return refuse(400, "Content-Length is no number", why);
	return length > 0 ? refuse(413, "a body is not expected", why) : 0;
}

static unsigned
take_target(char *target, struct web_request *request, const char **why)
{
	static const char *const paths[] = { [WEB_PAGE] = "/", [WEB_METRICS] = "/metrics", [WEB_STATUS] = "/status.json",
		[WEB_HEALTH] = "/healthz", [WEB_EVENTS] = "/events.json" };

	/* RFC 9112 section 3.2.2: proxies may write the whole address. */
	if (strncasecmp(target, "http://", 7) == 0) {
		target += 7;
		target += strcspn(target, "/");
	}
	target[strcspn(target, "?")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (strcmp(target, paths[i]) == 0) {
			request->resource = (enum web_resource)i;
			return 0;
		}
	}
	return refuse(404, "there are / and /metrics and /status.json and /events.json and /healthz", why);
}

static unsigned
take_request_line(char *line, struct web_request *request, const char **why)
{
	const char *method = cut(&line, ' '), *version;
	char *target = cut(&line, ' ');

	version = line;
	request->head_only = strcmp(method, "HEAD") == 0;
	if (strncmp(version, "HTTP/", 5) != 0)
		return refuse(400, "this is not HTTP", why);
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return refuse(505, "only HTTP/1.0 and 1.1 are spoken here", why);
	if (!request->head_only && strcmp(method, "GET") != 0)
		return refuse(405, "everything here is to be read only: GET or HEAD; dsrctl changes things", why);
	return take_target(target, request, why);
}

unsigned
web_parse(const char *head, size_t length, struct web_request *request, const char **why)
{
	char copy[WEB_HEAD + 1], *text = copy;
	unsigned status;

	memset(request, 0, sizeof(*request));
	if (length > WEB_HEAD)
		return refuse(413, "the request is too large", why);
	if (memchr(head, '\0', length) != NULL)
		return refuse(400, "this is not HTTP", why);
	memcpy(copy, head, length);
	copy[length] = '\0';
	for (char *at = copy; (at = strchr(at, '\r')) != NULL;)
		*at = ' '; /* a blank at the end of a line is none */
	status = take_request_line(text_trim(cut(&text, '\n')), request, why);
	while (status == 0 && *text != '\0')
		status = take_field(cut(&text, '\n'), request, why);
	return status;
}
