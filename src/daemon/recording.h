/* SPDX-License-Identifier: ISC */
/* The director's history: the log's events, and the rates of the last hour. */
#ifndef DAEMON_RECORDING_H
#define DAEMON_RECORDING_H

#include "ctl/events.h"

struct forwarder;
struct model;

struct recording {
	struct events *events; /* NULL: out of memory */
	struct history history;
};

/* From here on what the log says is kept. */
void recording_open(struct recording *recording);
/* About once a second. */
void recording_tick(struct recording *recording, const struct model *model, const struct forwarder *forwarder);
void recording_close(struct recording *recording);

#endif
