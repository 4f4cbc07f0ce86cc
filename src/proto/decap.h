/* SPDX-License-Identifier: ISC */
/* Reading packets in tunnels, which encap/encap.h writes. */
#ifndef PROTO_DECAP_H
#define PROTO_DECAP_H

#include "proto/frame.h"
#include "proto/icmp.h"
#include "proto/packet.h"
#include "proto/tunnel.h"

/*
 * The kind of the tunnel and the inner packet's headers (without `mtu`) of a frame that was parsed as `packet`, whatever
 * came of that. TUNNEL_NONE: it is no packet in a tunnel, or a fragment, or the inner headers are cut or malformed.
 */
enum tunnel_kind decap_read(const struct frame *frame, const struct packet *packet, struct icmp_inner *inner);

#endif
