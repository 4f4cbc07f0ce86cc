/* SPDX-License-Identifier: ISC */
/*
 * HTTP over TCP (http/server.h), for browsers and Prometheus: read-only. Any host may connect, so each client costs a
 * bounded amount of everything, and one address has a bounded share of the connections.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/attr.h"

/*
 * The requests that are served over TCP: five, all read-only. Pure, and as strict as ctl/http.h, whose commands cannot
 * be reached from here.
 */
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
 * May a request with this Host be answered, at `local`? Yes for that address, for a loopback address, for localhost,
 * and for each of `names`, which blanks or commas separate; the port does not matter. Other names may be an
 * attacker's that resolve to this address (DNS rebinding): a browser would hand the answer to the attacker's page.
 */
NODISCARD bool web_host_is_known(const char *host, const struct addr *local, const char *names);

#define WEB_ERROR 256
#define WEB_CONNECTIONS 32
#define WEB_RESERVED 4 /* of these, for clients on the director itself */
#define WEB_SHARE 8    /* of these, for any other IPv4 address or IPv6 /64 */
/* Connections accepted in a tenth of a second: each costs some 50 us, so that is one hundredth of the time. */
#define WEB_ACCEPTS 20
/* Milliseconds a client of dsrd has for all of it, from connecting to the answer's last byte. */
#define WEB_PATIENCE 10000
/* An answer that took 1 ms is followed by as many ms without: one twentieth of the time, however large the answers. */
#define WEB_REST 19

struct event_base;
struct web;

#define WEB_MORE 0 /* no HTTP status: to be called again, for the next part */

/*
 * Writes the answer's body, or its `part`th part, from 0 on, and returns its HTTP status. Must not block, and should
 * take a millisecond at most: frames wait meanwhile. Not called for WEB_PAGE.
 */
typedef unsigned web_answer(void *context, const struct web_request *request, size_t part, FILE *out);

struct web_settings {
	struct addr addr;
	uint16_t port;
	const char *names; /* for web_host_is_known() */
	unsigned patience; /* milliseconds: WEB_PATIENCE, less for tests */
};

/* Listens. NULL with errno and a reason. */
NODISCARD struct web *web_open(struct event_base *base, const struct web_settings *settings, web_answer *answer,
    void *context, char error[WEB_ERROR]);
/* Drops all clients. NULL is fine. */
void web_close(struct web *web);

/* The status page, made from page.html by the build. */
extern const char web_page[];
extern const size_t web_page_length;

/*
 * The placeholder for the response's nonce, which lets the page's own script and style, and no others, pass the content
 * security policy.
 */
#define WEB_NONCE "00000000000000000000000000000000"
#define WEB_NONCE_LENGTH 32

#endif
