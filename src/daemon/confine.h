/* SPDX-License-Identifier: ISC */
/* What a director gives up once it has all that it needs. */
#ifndef DAEMON_CONFINE_H
#define DAEMON_CONFINE_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"

struct interfaces;

/* Becomes `user`, if the configuration names one, and confines itself as far as the system can; `pidfile` may be NULL. A failure is logged. */
NODISCARD enum exit_status confine(const struct conf *conf, const char *pidfile, struct interfaces *interfaces);

#endif
