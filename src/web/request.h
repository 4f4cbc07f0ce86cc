/* SPDX-License-Identifier: ISC */
/*
 * The requests that are served over TCP: five, all read-only. Pure, and as strict as ctl/http.h, whose commands cannot
 * be reached from here.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define WEB_HEAD 8192 /* bytes of a request's head: what browsers and proxies send fits well */

enum web_resource {
	WEB_PAGE = 0,
	WEB_METRICS,
	WEB_STATUS,
	WEB_HEALTH,
	WEB_EVENTS
};

struct web_request {
	enum web_resource resource;
	bool head_only;
	bool openmetrics; /* preferred to Prometheus' older text format */
};

/*
 * Reads a complete head. 0 and `*request` filled, or an HTTP status (400, 404, 405, 413, 505) with a sentence in
 * `*why`; `head_only` is filled then too.
 */
NODISCARD unsigned web_parse(const char *head, size_t length, struct web_request *request, const char **why);

#endif
