/* SPDX-License-Identifier: ISC */
/* Where questions over HTTP arrive: `http = ADDRESS:PORT`. */
#ifndef DAEMON_WEB_STATUS_H
#define DAEMON_WEB_STATUS_H

struct dsrd;
struct web_status;

/* Opens the port that the configuration wants. NULL: there is none, or it cannot be had; then the log says why. */
struct web_status *web_status_open(struct dsrd *dsrd);
/* NULL is fine. */
void web_status_close(struct web_status *cmds);

#endif
