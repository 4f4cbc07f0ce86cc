/* SPDX-License-Identifier: ISC */
/*
 * dsrd -r FILE --report: how a savefile's flows were shared out, and what would move if a server left. The latter is
 * not computed but tried: the savefile runs once more for each server, without that server.
 */
#ifndef DAEMON_OFFLINE_REPORT_H
#define DAEMON_OFFLINE_REPORT_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"

/* The report on standard output, for people. 0, or -1 after the reason on standard error. Takes `conf`'s contents. */
NODISCARD int offline_report(const struct options *options, struct conf *conf);

#endif
