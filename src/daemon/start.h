/* SPDX-License-Identifier: ISC */
/* From a command line to a running daemon: privilege, terminal, pidfile, service manager. */
#ifndef DAEMON_START_H
#define DAEMON_START_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"

/* Returns when the daemon has ended, or in the process that started it. Takes `conf`'s contents. */
NODISCARD enum exit_status start_live(const struct options *options, struct conf *conf);
/* The version, and the libraries it runs with. */
void start_print_version(void);

#endif
