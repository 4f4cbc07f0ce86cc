/* SPDX-License-Identifier: ISC */
/* The HTTP listener of the director: `http = ADDRESS:PORT`. */
#ifndef DAEMON_WEB_STATUS_H
#define DAEMON_WEB_STATUS_H

#include "web/web.h"

struct event_base;
struct recording;
struct stats_sources;
struct web_status;

/* NULL: the address is not set, or the port cannot be opened; then the log says why. */
struct web_status *web_status_open(struct event_base *base, const struct web_settings *settings,
    const struct stats_sources *sources, const struct recording *recording);
/* NULL is fine. */
void web_status_close(struct web_status *status);

#endif
