/* SPDX-License-Identifier: ISC */
/*
 * The server's identification in QUIC connection IDs, in the clear, as servers and load balancers agree on it by QUIC-LB
 * (draft-ietf-quic-load-balancers-19, February 2024; "Config Rotation", "CID format", "Plaintext"). Of a QUIC packet
 * only what all versions have in common is read (RFC 8999), and the type of long headers of versions 1 (RFC 9000
 * section 17.2) and 2 (RFC 9369 section 3.2). Pure.
 */
#ifndef PROTO_QUIC_H
#define PROTO_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* The highest three bits of a connection ID name its configuration; the last value means that it names no server. */
#define QUIC_CONFIGS 7
/* A connection ID of version 1 has 20 bytes at most: the first one, the server's ID, and a nonce of four or more. */
#define QUIC_ID_MOST 15
#define QUIC_NONCE_LEAST 4

struct quic_id {
	uint8_t length; /* 1 to QUIC_ID_MOST */
	uint8_t bytes[QUIC_ID_MOST];
};

enum quic_route {
	QUIC_BY_ADDRESS = 0, /* the client chose the ID, the server wants it so, or it is no version that is known */
	QUIC_BY_ID,
	QUIC_INVALID         /* a server should have chosen the ID, and did not by a configuration that is known */
};

/*
 * Which server a datagram from a client is for; with QUIC_BY_ID, `id`. `lengths`: of a server's ID in each
 * configuration, 0 for one that is not in use.
 */
NODISCARD enum quic_route quic_route(const uint8_t *payload, size_t length, const uint8_t lengths[QUIC_CONFIGS],
    struct quic_id *id);

/* Is any configuration in use? */
static inline bool
quic_is_used(const uint8_t lengths[QUIC_CONFIGS])
{
	for (unsigned i = 0; i < QUIC_CONFIGS; i++)
		if (lengths[i] != 0)
			return true;
	return false;
}

#endif
