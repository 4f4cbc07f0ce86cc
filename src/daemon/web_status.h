/* SPDX-License-Identifier: ISC */
/* Where questions over HTTP arrive: `http = ADDRESS:PORT`. */
#ifndef DAEMON_WEB_STATUS_H
#define DAEMON_WEB_STATUS_H

struct dsrd;
struct webdesk;

/* Opens the port that the configuration wants. NULL: there is none, or it cannot be had; then the log says why. */
struct webdesk *webdesk_open(struct dsrd *dsrd);
/* NULL is fine. */
void webdesk_close(struct webdesk *desk);

#endif
