/* SPDX-License-Identifier: ISC */
/* Where questions over HTTP arrive: `http = ADDRESS:PORT`. */
#ifndef DAEMON_WEB_STATUS_H
#define DAEMON_WEB_STATUS_H

#include <stdint.h>

#include "base/addr.h"

struct event_base;
struct recording;
struct stats_sources;
struct web_status;

/* NULL: `addr` is not set, or the port cannot be had; then the log says why. */
struct web_status *web_status_open(struct event_base *base, const struct addr *addr, uint16_t port,
    const struct stats_sources *sources, const struct recording *recording);
/* NULL is fine. */
void web_status_close(struct web_status *status);

#endif
