/* SPDX-License-Identifier: ISC */
/* Reading what an ICMP error quotes. For icmp.c, icmp_tunnel.c and decap.c. */
#ifndef PROTO_ICMP_QUOTE_H
#define PROTO_ICMP_QUOTE_H

#include <stdint.h>

#include "base/attr.h"
#include "proto/icmp.h"

/*
 * Reads the IP packet from `offset` to `end`, of either version, into `inner`, except `mtu`. `*transport` is where its
 * transport header begins; `end` in a later fragment. -1: its headers are cut or malformed.
 */
NODISCARD int icmp_quote_read(const uint8_t *bytes, uint32_t offset, uint32_t end, struct icmp_inner *inner,
    uint32_t *transport);

#endif
