/* SPDX-License-Identifier: ISC */
/* What a director gives up once it has all that it needs. */
#ifndef DAEMON_CONFINE_H
#define DAEMON_CONFINE_H

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/options.h"
#include "os/os.h"

struct interfaces;

/* `user` of the configuration, or NULL when dsrd was started as another user than root: it stays that user. */
const char *confine_user(const char *user);
/* For the process that starts programs. 0, or -1 with a reason. */
NODISCARD int confine_programs(const char *user, char error[OS_ERROR]);
/* Becomes `user` and confines itself as far as the system can; `pidfile` may be NULL. A failure is logged. */
NODISCARD enum exit_status confine(const struct conf *conf, const char *pidfile, struct interfaces *interfaces);

#endif
