/* SPDX-License-Identifier: ISC */
/* dsrd -r: the same decisions on the frames of a savefile, on the savefile's own clock, without privilege. */
#ifndef DAEMON_OFFLINE_H
#define DAEMON_OFFLINE_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"

/* A line for each frame on standard output, a summary on standard error. Takes `conf`'s contents. */
NODISCARD enum exit_status offline_run(const struct options *options, struct conf *conf);

#endif
