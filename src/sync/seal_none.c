/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/seal.h"

int
seal_derive(const void *secret UNUSED, size_t secret_length UNUSED, const void *text UNUSED, size_t length UNUSED,
    struct seal_key *key UNUSED)
{
	return -1;
}

int
seal_tag(const struct seal_key *key UNUSED, const void *bytes UNUSED, size_t length UNUSED, uint8_t tag[SEAL_TAG] UNUSED)
{
	return -1;
}

bool
seal_equal(const uint8_t a[SEAL_TAG] UNUSED, const uint8_t b[SEAL_TAG] UNUSED)
{
	return false;
}
