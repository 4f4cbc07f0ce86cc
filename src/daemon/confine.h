/* SPDX-License-Identifier: ISC */
/* What a director gives up once it has all that it needs. */
#ifndef DAEMON_CONFINE_H
#define DAEMON_CONFINE_H

#include "base/attr.h"
#include "daemon/dsrd.h"
#include "daemon/options.h"

/* Becomes `user`, if the configuration names one, and confines itself as far as the system can. A failure is logged. */
NODISCARD enum exit_status confine(struct dsrd *dsrd);

#endif
