/* SPDX-License-Identifier: ISC */
/*
 * The key of the consistent hashes when `hash-key` is not set: random, so that no client can compute its server, and
 * kept in a file beside the state file, so that a restart chooses the same servers.
 */
#ifndef DAEMON_HASH_KEY_H
#define DAEMON_HASH_KEY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/keyhash.h"
#include "conf/conf.h"

#define HASH_KEY_PATH (CONF_PATH + 8)

/* Where `conf` has the key: PATH.key beside its control socket. */
void hash_key_path(const struct conf *conf, char path[HASH_KEY_PATH]);
/*
 * Reads the key that is there, or makes one. The file must be a regular one of this user, without access for others;
 * any other is replaced. `*kept` is false when it could not be written, with errno. 0, or -1 with errno: no random
 * numbers.
 */
NODISCARD int hash_key_open(const char *path, struct siphash_key *key, bool *kept);

#endif
