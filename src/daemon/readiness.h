/* SPDX-License-Identifier: ISC */
/* Could this director serve a group of VIPs now? Pure. */
#ifndef DAEMON_READINESS_H
#define DAEMON_READINESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/iface.h"
#include "model/model.h"
#include "role/status.h"

/*
 * Does it know what it needs: an interface with link, a verdict on every server, the MAC address of those that are
 * up? Once that was so, new servers do not count (`warm`): a reload must not make the engine change directors. False:
 * `why` is a sentence without a full stop.
 */
bool readiness_of(const struct model *model, const struct iface *ifaces, size_t group, bool warm,
    char why[ROLE_REASON]);

#endif
