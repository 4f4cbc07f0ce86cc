/* SPDX-License-Identifier: ISC */
/*
 * HTTP over TCP, for browsers and Prometheus: read-only. As for the control socket, libevent's evhttp is not used
 * (ctl/control.h has the reasons). Here any host may connect, so everything is bounded: connections in total and per
 * second, bytes per request, seconds per connection, and the share of the director's time that answers may take. When
 * all slots are taken, the connection that has been silent longest is closed.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/attr.h"
#include "web/request.h"

#define WEB_ERROR 256
#define WEB_CONNECTIONS 32
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

/* Listens. `patience` is in milliseconds: WEB_PATIENCE, less for tests. NULL with errno and a reason. */
NODISCARD struct web *web_open(struct event_base *base, const struct addr *addr, uint16_t port, unsigned patience,
    web_answer *answer, void *context, char error[WEB_ERROR]);
/* Drops all clients. NULL is fine. */
void web_close(struct web *web);

#endif
