/* SPDX-License-Identifier: ISC */
/*
 * HMAC-SHA256 (RFC 2104, FIPS 180-4), by OpenSSL or LibreSSL: seal_openssl.c. A build without either has seal_none.c,
 * where everything fails; the configuration refuses peers there.
 */
#ifndef SYNC_SEAL_H
#define SYNC_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define SEAL_KEY 32 /* bytes: a whole SHA-256 */
#define SEAL_TAG 16 /* bytes of it that a frame carries; RFC 2104 section 5 allows half */

struct seal_key {
	uint8_t bytes[SEAL_KEY];
};

/* The key that `secret` gives for the purpose described by `text`. 0 or -1. */
NODISCARD int seal_derive(const void *secret, size_t secret_length, const void *text, size_t length,
    struct seal_key *key);
/* 0 or -1. */
NODISCARD int seal_tag(const struct seal_key *key, const void *bytes, size_t length, uint8_t tag[SEAL_TAG]);
/* Takes the same time wherever the two differ. */
bool seal_equal(const uint8_t a[SEAL_TAG], const uint8_t b[SEAL_TAG]);

#endif
