/* SPDX-License-Identifier: ISC */
/* What the processes give up once they have all that they need. */
#ifndef DAEMON_CONFINE_H
#define DAEMON_CONFINE_H

#include "base/attr.h"
#include "check/children.h"
#include "conf/conf.h"
#include "daemon/options.h"
#include "os/os.h"
#include "os/sandbox.h"

struct interfaces;

/* `user` of the configuration, or NULL when dsrd was started as another user than root: it stays that user. */
const char *confine_user(const char *user);
/* The process that starts programs. 0, or -1 with a reason. */
NODISCARD int confine_children(struct children *children, const struct conf *conf, char error[OS_ERROR]);
/* For privsep_start(): of a checker, whose order is a struct conf. */
int confine_checker(const void *order, void *outcome, char error[OS_ERROR]);
/* The same for a process that ends another such: 0, or -1 with a reason. */
NODISCARD int confine_never_root(const char *user, char error[OS_ERROR]);
/* For children_new(). */
int confine_launcher(const void *order, void *outcome, char error[OS_ERROR]);
/*
 * `separated`: the privileged process does what needs capabilities. The director becomes `user` and confines itself
 * as far as the system can; what is in force goes to `sandbox`. A failure is logged.
 */
NODISCARD enum exit_status confine(const struct conf *conf, const struct options *options,
    struct interfaces *interfaces,
    bool separated, struct os_sandbox *sandbox);
/* Logs the system calls that were refused since the last call, or with `sandbox = log` would have been. */
void confine_look(const struct os_sandbox *sandbox);
void confine_log_call(const char *process, const char *call, enum os_confined calls);

#endif
