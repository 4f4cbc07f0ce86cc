/* SPDX-License-Identifier: ISC */
/* What the configuration says of peers, with the key from its file. */
#ifndef DAEMON_PEERING_SETTINGS_H
#define DAEMON_PEERING_SETTINGS_H

#include "base/attr.h"
#include "conf/conf.h"
#include "peer/peers.h"

struct privsep;

#define PEERING_ERROR 512

/* `settings` is zero before. `privsep` opens the key file, this process where that is NULL. -1 with a reason. */
NODISCARD int peering_settings_read(struct peers_settings *settings, const struct conf *conf, struct privsep *privsep,
    char error[PEERING_ERROR]);
/* As it is opened by either: a descriptor, or -1 with errno. */
int peering_open_key(const char *path);

#endif
