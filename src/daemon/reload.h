/* SPDX-License-Identifier: ISC */
/* Taking a new configuration while frames go on: all of it or nothing. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "base/attr.h"
#include "base/errlist.h"
#include "conf/conf.h"

struct dsrd;

/* Reads the file anew, command line included. 0, or -1 with its errors added and nothing to free. */
NODISCARD int reload_read(const struct dsrd *dsrd, struct conf *fresh, struct errlist *errors);
/* Makes it what runs, and takes or frees its contents. 0, or -1 with the reason in the log and nothing changed. */
int reload_apply(struct dsrd *dsrd, struct conf *fresh);
/* Both, for a signal: all that is wrong is logged. */
void reload_by_signal(struct dsrd *dsrd);

#endif
