/* SPDX-License-Identifier: ISC */
/* Where a role comes from, and where readiness goes: addresses and links of this host, files. Nothing here waits. */
#ifndef DAEMON_ROLE_SOURCE_H
#define DAEMON_ROLE_SOURCE_H

#include <stdbool.h>

#include "base/attr.h"
#include "role/role.h"

/*
 * What the source says now: an order. ROLE_EVENT_COUNT when it says nothing, as a file that is missing or has another
 * word. Some microseconds.
 */
enum role_event role_source_read(const struct role_settings *settings);
/* Writes the order into the file of ROLE_FILE, so that it says the same. 0, or -1 with errno. */
NODISCARD int role_source_write(const struct role_settings *settings, enum role_event order);

#define READY_NOT (-100) /* keepalived adds it to the priority, with `weight 1` */
/* While there is the privilege for it: makes it the user's, who writes it later. What fails is noticed then. */
void ready_file_prepare(const char *path, const char *user);
/* Replaces the content of the file by a number: 0, or READY_NOT. 0, or -1 with errno. */
NODISCARD int ready_file_write(const char *path, bool ready);

#endif
