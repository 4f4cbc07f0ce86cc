/* SPDX-License-Identifier: ISC */
/*
 * The requests that are served over TCP: five, all read-only. Pure, and as strict as ctl/http.h, whose commands cannot
 * be reached from here.
 */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/attr.h"

#define WEB_HOST 262  /* a name (RFC 1035: 253 bytes), a colon, a port, and a NUL */
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
	bool has_host;
	char host[WEB_HOST]; /* of the Host field, cut off if it is too long to be a name */
};

/*
 * Reads a complete head. 0 and `*request` filled, or an HTTP status (400, 404, 405, 413, 505) with a sentence in
 * `*why`; `head_only` is filled then too.
 */
NODISCARD unsigned web_parse(const char *head, size_t length, struct web_request *request, const char **why);

/*
 * May a request with this Host be answered, at `local`? Yes for that address, for a loopback address, for localhost, and
 * for each of `names`, which blanks or commas separate; the port does not matter. Other names may be an attacker's that
 * resolve to this address (DNS rebinding): a browser would hand the answer to the attacker's page.
 */
NODISCARD bool web_host_is_known(const char *host, const struct addr *local, const char *names);

#endif
