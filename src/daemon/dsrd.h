/* SPDX-License-Identifier: ISC */
/* A running director: starts its parts, connects them, and stops them. */
#ifndef DAEMON_DSRD_H
#define DAEMON_DSRD_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"

struct background;
struct notify;

/* Runs until stopped; notifies when ready. Takes `conf`'s contents. */
NODISCARD enum exit_status dsrd_run(const struct options *options, struct conf *conf, struct background *background,
    const struct notify *notify);

#endif
