/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum (RFC 1071), and the fixing of unfinished ones: a sender on the same host as the director (a
 * virtual machine, a container) leaves transport checksums to a network card that does not exist. Its frames carry only
 * the sum of the pseudo-header, or zero in SCTP (Linux: CHECKSUM_PARTIAL, include/linux/skbuff.h), and a real server
 * behind a real wire drops them.
 */
#ifndef PROTO_CHECKSUM_H
#define PROTO_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/frame.h"
#include "proto/packet.h"

/* The sum of `length` bytes, not folded, not inverted; `sum` is what was summed before (an even number of bytes). */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t length);
/* Fold and invert: the value for a header field, host order. */
uint16_t checksum_finish(uint64_t sum);
/* The sum of the pseudo-header for a transport part of `length` bytes (RFC 9293 3.1, RFC 768, RFC 8200 8.1). */
uint64_t checksum_pseudo(const struct packet *packet, uint32_t length);

/*
 * The checksum at `field` covers `length` bytes, an even number, that change from `before` to `after`: RFC 1624
 * equation 3. The other one is for a sum that is not inverted, as an unfinished checksum has it.
 */
void checksum_update(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length);
void checksum_update_sum(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length);

/* In all of these `packet` is PACKET_OK and IP. */

/* Where the transport checksum is; of a fragment only when it is the first one and has its transport header. */
uint8_t *checksum_field(const struct frame *frame, const struct packet *packet);

/*
 * True if the TCP, UDP or SCTP checksum looks as if the sender left it to its network card. A correct checksum matches
 * by chance in 1 of 65536 frames. False for fragments, since part of a datagram cannot be summed; for ICMP, whose
 * checksum is never offloaded; and behind an AH header.
 */
bool checksum_is_unfinished(const struct frame *frame, const struct packet *packet);
/* Leaves the TCP or UDP checksum to the way out, whatever it is now: no fragment. */
void checksum_leave(struct frame *frame, const struct packet *packet);
/*
 * If the TCP, UDP or SCTP checksum is one that the sender left unfinished, put the true one in its place. True when the
 * field was changed.
 */
bool checksum_complete(struct frame *frame, const struct packet *packet);
/*
 * Is the transport checksum (TCP, UDP, SCTP, ICMP, ICMPv6) right? An absent one in UDP is right in IPv4 and wrong in
 * IPv6 (RFC 8200 section 8.1). False for fragments.
 */
bool checksum_ok(const struct frame *frame, const struct packet *packet);
/*
 * Recompute the IPv4 header checksum (nothing to do in IPv6), and the transport checksum, from the bytes that are
 * there.
 */
void checksum_ipv4_header(struct frame *frame, const struct packet *packet);
void checksum_transport(struct frame *frame, const struct packet *packet); /* no fragment */

#endif
