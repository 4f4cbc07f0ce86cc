/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/web.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/text.h"
#include "http/message.h"

#define OPENMETRICS "application/openmetrics-text"
#define QUALITY_MOST 1000 /* RFC 9110 section 12.4.2: three digits behind the point */

/* "0.75" is 750. What is no quality is none at all. */
static unsigned
request_quality(const char *text)
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
request_range_quality(char *parameters)
{
	unsigned found = QUALITY_MOST;

	while (*parameters != '\0') {
		const char *parameter = text_trim(http_cut(&parameters, ';'));

		if (strncasecmp(parameter, "q=", 2) == 0)
			found = request_quality(parameter + 2);
	}
	return found;
}

/* OpenMetrics for clients that name it and do not prefer the other format. */
static bool
request_prefers_openmetrics(char *value)
{
	unsigned openmetrics = 0, plain = 0;

	while (*value != '\0') {
		char *range = http_cut(&value, ',');
		const char *type = text_trim(http_cut(&range, ';'));

		if (strcasecmp(type, OPENMETRICS) == 0)
			openmetrics = request_range_quality(range);
		else if (strcasecmp(type, "text/plain") == 0)
			plain = request_range_quality(range);
	}
	return openmetrics > 0 && openmetrics >= plain;
}

static unsigned
request_read_target(char *target, struct web_request *request, const char **why)
{
	static const char *const paths[] = { [WEB_PAGE] = "/", [WEB_METRICS] = "/metrics",
	    [WEB_STATUS] = "/status.json",
		[WEB_HEALTH] = "/healthz", [WEB_EVENTS] = "/events.json" };

	target[strcspn(target, "?")] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (strcmp(target, paths[i]) == 0) {
			request->resource = (enum web_resource)i;
			return 0;
		}
	}
	return http_refuse(404, "there are / and /metrics and /status.json and /events.json and /healthz", why);
}

unsigned
web_parse(const char *bytes, size_t length, struct web_request *request, const char **why)
{
	char text[WEB_HEAD + 1];
	struct http_head head;
	unsigned status;

	memset(request, 0, sizeof(*request));
	if (length > WEB_HEAD)
		return http_refuse(413, "the request is too large", why);
	status = http_request_head(bytes, length, text, &head, why);
	request->head_only = strcmp(head.method, "HEAD") == 0;
	if (status != 0)
		return status;
	if (!request->head_only && strcmp(head.method, "GET") != 0)
		return http_refuse(405, "everything here is read-only: GET or HEAD; dsrctl changes things", why);
	request->has_host = head.host != NULL;
	if (head.host != NULL)
		(void)snprintf(request->host, sizeof(request->host), "%s", head.host);
	if (head.accept != NULL)
		request->openmetrics = request_prefers_openmetrics(head.accept);
	return request_read_target(head.target, request, why);
}

/* "[::1]:9190" is "::1", "director.:80" is "director". */
static void
request_cut_port(char *host)
{
	size_t length;

	if (*host == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
		return;
	}
	host[strcspn(host, ":")] = '\0';
	length = strlen(host);
	if (length > 1 && host[length - 1] == '.')
		host[length - 1] = '\0';
}

static bool
request_names_hold(const char *names, const char *host)
{
	static const char separators[] = " \t,";
	const size_t length = strlen(host);

	for (names += strspn(names, separators); *names != '\0'; names += strspn(names, separators)) {
		const size_t name = strcspn(names, separators);

		if (name == length && strncasecmp(names, host, length) == 0)
			return true;
		names += name;
	}
	return false;
}

bool
web_host_is_known(const char *host, const struct addr *local, const char *names)
{
	char text[WEB_HOST];
	struct addr addr;

	(void)snprintf(text, sizeof(text), "%s", host);
	request_cut_port(text);
	if (request_names_hold(names, text) || strcasecmp(text, "localhost") == 0)
		return true;
	if (addr_parse(text, &addr) != 0)
		return false;
	return addr_equal(&addr, local) || addr_is_loopback(&addr);
}
