/* SPDX-License-Identifier: ISC */
/*
 * The Internet checksum (RFC 1071), and the mending of unfinished ones: a sender on the same host as the director (a
 * virtual machine, a container) leaves TCP and UDP checksums to a network card that does not exist. Its frames carry only
 * the sum of the pseudo-header (Linux: CHECKSUM_PARTIAL, include/linux/skbuff.h), and a real server behind a real wire
 * drops them.
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
/* The sum of the TCP/UDP pseudo-header for a transport part of `length` bytes (RFC 9293 3.1, RFC 768). */
uint64_t checksum_pseudo(const struct packet *packet, uint32_t length);

/*
 * If the TCP or UDP checksum holds just the folded pseudo-header sum, put the true one in its place. True when the field
 * was changed. `packet` is PACKET_OK and no fragment.
 */
bool checksum_complete(struct frame *frame, const struct packet *packet);
/* Recompute the IPv4 header checksum, and the TCP or UDP checksum, from the bytes that are there. */
void checksum_ipv4_header(struct frame *frame, const struct packet *packet);
void checksum_transport(struct frame *frame, const struct packet *packet);

#endif
