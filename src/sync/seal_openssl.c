/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/seal.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int
seal_derive(const void *secret, size_t secret_length, const void *text, size_t length, struct seal_key *key)
{
	unsigned used = 0;

	if (HMAC(EVP_sha256(), secret, (int)secret_length, text, length, key->bytes, &used) == NULL)
		return -1;
	return used == sizeof(key->bytes) ? 0 : -1;
}

int
seal_tag(const struct seal_key *key, const void *bytes, size_t length, uint8_t tag[SEAL_TAG])
{
	struct seal_key whole;

	if (seal_derive(key->bytes, sizeof(key->bytes), bytes, length, &whole) == -1)
		return -1;
	memcpy(tag, whole.bytes, SEAL_TAG);
	return 0;
}

bool
seal_equal(const uint8_t a[SEAL_TAG], const uint8_t b[SEAL_TAG])
{
	return CRYPTO_memcmp(a, b, SEAL_TAG) == 0;
}
