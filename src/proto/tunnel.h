/* SPDX-License-Identifier: ISC */
/* The kinds of tunnels, and how each begins: IPIP, GRE, and GUE of both variants. encap/encap.h names the documents. */
#ifndef PROTO_TUNNEL_H
#define PROTO_TUNNEL_H

#include <stdint.h>

enum tunnel_kind {
	TUNNEL_NONE = 0,
	TUNNEL_IPIP,
	TUNNEL_GRE,
	TUNNEL_GUE,
	TUNNEL_GUE1
};

const char *tunnel_kind_name(enum tunnel_kind kind); /* as the method's; "none" */
/*
 * Where the inner packet begins in what follows the outer IP header, whose `protocol` it is, from `at` to `end`. 0, and
 * `*kind` is TUNNEL_NONE: this is no tunnel, or it is cut before. GRE and GUE with options are none: no method sends
 * them.
 */
uint32_t tunnel_payload(const uint8_t *bytes, uint8_t protocol, uint32_t at, uint32_t end, enum tunnel_kind *kind);

#endif
