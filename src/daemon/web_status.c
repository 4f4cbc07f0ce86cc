/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/web_status.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/report.h"
#include "daemon/recording.h"
#include "daemon/stats.h"
#include "web/metrics.h"
#include "web/web.h"

#define HOST_NAME_TEXT 256 /* POSIX: _POSIX_HOST_NAME_MAX, and its end */

struct web_status {
	const struct stats_sources *sources;
	const struct recording *recording;
	struct web *web;
	struct report_iface ifaces[IFACES_MOST];
};

static unsigned
web_status_write_status(FILE *out, const struct report_facts *facts)
{
	struct writer *writer = writer_json(out);

	if (writer == NULL)
		return 500;
	report_status(writer, facts);
	return writer_end(writer) == 0 ? 200 : 500;
}

/* The newest events only: all of them take more than a millisecond to write. */
static unsigned
web_status_write_events(FILE *out, const struct web_status *status)
{
	struct writer *writer = writer_json(out);
	struct event_filter filter;
	char error[EVENT_FILTER_ERROR];

	if (writer == NULL)
		return 500;
	if (event_filter_parse(NULL, 0, 0, &filter, error) == 0 && status->recording->events != NULL)
		report_events(writer, status->recording->events, &filter, status->sources->director->model);
	report_rates(writer, &status->recording->history);
	return writer_end(writer) == 0 ? 200 : 500;
}

static unsigned
web_status_answer(void *context, const struct web_request *request, size_t part, FILE *out)
{
	struct web_status *status = context;
	struct report_facts facts;
	char host[HOST_NAME_TEXT] = "";

	stats_sync(status->sources);
	facts = stats_gather(status->sources, status->ifaces);
	/* It may be changed at any time. */
	if (gethostname(host, sizeof(host) - 1) == 0)
		facts.host = host;

	switch (request->resource) {
	case WEB_METRICS:
		return metrics_write(out, &facts, request->openmetrics, part) ? WEB_MORE : 200;
	case WEB_STATUS:
		return web_status_write_status(out, &facts);
	case WEB_EVENTS:
		return web_status_write_events(out, status);
	case WEB_HEALTH:
		return report_alive(out, &facts) ? 200 : 503;
	case WEB_PAGE:
		break;
	}
	return 404;
}

struct web_status *
web_status_open(struct event_base *base, const struct web_settings *settings, const struct stats_sources *sources,
    const struct recording *recording)
{
	struct web_status *status;
	char error[WEB_ERROR] = "out of memory", text[ADDR_TEXT];

	if (!addr_is_set(&settings->addr))
		return NULL;
	status = calloc(1, sizeof(*status));
	if (status != NULL) {
		status->sources = sources;
		status->recording = recording;
		status->web = web_open(base, settings, web_status_answer, status, error);
	}
	if (status == NULL || status->web == NULL) {
		log_error("http result=failed reason=\"%s: status page and metrics are not available until dsrd is "
		    "restarted\"",
		    error);
		free(status);
		return NULL;
	}
	log_info("http result=ok address=%s port=%u", addr_format(&settings->addr, text), settings->port);
	return status;
}

void
web_status_close(struct web_status *status)
{
	if (status == NULL)
		return;
	web_close(status->web);
	free(status);
}
