/* SPDX-License-Identifier: ISC */
/* Dividing an IPv4 datagram, or a fragment of one, into smaller fragments (RFC 791 section 3.2). */
#ifndef PROTO_REFRAGMENT_H
#define PROTO_REFRAGMENT_H

#include <stdint.h>

#include "base/attr.h"
#include "proto/frame.h"
#include "proto/packet.h"

/*
 * Sends `frame` as fragments of at most `mtu` bytes of IP datagram each, through `tx`. `scratch` has room for the
 * frame. Options that are copied into fragments are in all of them, the others in the first one only. The number of
 * fragments, or -1 with nothing sent: not IPv4, "don't fragment" is set, or no room beside the header.
 */
NODISCARD int refragment(const struct frame *frame, const struct packet *packet, uint32_t mtu, uint8_t *scratch,
    const struct frame_tx *tx);

#endif
