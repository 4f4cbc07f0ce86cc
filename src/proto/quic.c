/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/quic.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

#define QUIC_LONG 0x80 /* of the first byte; clear: a short header, whose destination connection ID follows at once */
#define QUIC_SHORT_ID 1
/* Of a long header: version, length of the destination connection ID, and that. */
#define QUIC_LONG_VERSION 1
#define QUIC_LONG_LENGTH 5
#define QUIC_LONG_ID 6

#define QUIC_VERSION_1 1
#define QUIC_VERSION_2 0x6b3343cf
#define QUIC_HANDSHAKE_1 2 /* bits 4 and 5 of the first byte */
#define QUIC_HANDSHAKE_2 3

#define QUIC_CONFIG_SHIFT 5
#define QUIC_CONFIG_NONE 7

/* Of what clients send with a long header, only Handshake packets have an ID that the server chose. */
static bool
quic_is_handshake(const uint8_t *payload)
{
	const unsigned type = payload[0] >> 4 & 3;

	switch (load32(payload + QUIC_LONG_VERSION)) {
	case QUIC_VERSION_1:
		return type == QUIC_HANDSHAKE_1;
	case QUIC_VERSION_2:
		return type == QUIC_HANDSHAKE_2;
	default:
		return false;
	}
}

/* `length`: of the connection ID, or in a short header, which does not have it, of all that follows. */
static enum quic_route
quic_read_id(const uint8_t *connection, size_t length, const uint8_t lengths[QUIC_CONFIGS], struct quic_id *id)
{
	unsigned config;

	if (length == 0)
		return QUIC_INVALID;
	config = connection[0] >> QUIC_CONFIG_SHIFT;
	if (config == QUIC_CONFIG_NONE)
		return QUIC_BY_ADDRESS;
	if (lengths[config] == 0 || length < 1U + lengths[config] + QUIC_NONCE_LEAST)
		return QUIC_INVALID;
	id->length = lengths[config];
	memcpy(id->bytes, connection + 1, id->length);
	return QUIC_BY_ID;
}

enum quic_route
quic_route(const uint8_t *payload, size_t length, const uint8_t lengths[QUIC_CONFIGS], struct quic_id *id)
{
	if (length == 0)
		return QUIC_BY_ADDRESS;
	if ((payload[0] & QUIC_LONG) == 0)
		return quic_read_id(payload + QUIC_SHORT_ID, length - QUIC_SHORT_ID, lengths, id);
	if (length < QUIC_LONG_ID || !quic_is_handshake(payload))
		return QUIC_BY_ADDRESS;
	if (payload[QUIC_LONG_LENGTH] > length - QUIC_LONG_ID)
		return QUIC_INVALID;
	return quic_read_id(payload + QUIC_LONG_ID, payload[QUIC_LONG_LENGTH], lengths, id);
}
