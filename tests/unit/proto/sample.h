/* SPDX-License-Identifier: ISC */
/*
 * Frames for tests, written byte by byte without the code under test. The bytes stand in memory of exactly their own
 * size, so that a sanitizer sees a read behind the end.
 */
#ifndef TESTS_UNIT_PROTO_SAMPLE_H
#define TESTS_UNIT_PROTO_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/frame.h"

#define SAMPLE_CLIENT { 198, 51, 100, 7 }
#define SAMPLE_VIP { 192, 0, 2, 10 }
#define SAMPLE_CLIENT_PORT 40001
#define SAMPLE_VIP_PORT 80
#define SAMPLE_SEQUENCE 0xfffffff0u /* wraps soon */
#define SAMPLE_ACKNOWLEDGEMENT 0x01020304u

#define SAMPLE_CLIENT6 { 0x20, 0x01, 0x0d, 0xb8, 0, 7, [15] = 7 }
#define SAMPLE_VIP6 { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x10 }
#define SAMPLE_TCI 0xa064 /* priority 5, VLAN 100 */
#define SAMPLE_EXTENSIONS 12

struct sample {
	uint8_t protocol;      /* 6, 17, or another, which gets `payload` bytes and no header */
	bool tagged;           /* with the VLAN tag SAMPLE_TCI */
	bool ipv6;             /* without ip_options */
	uint8_t extension_count;
	uint8_t extensions[SAMPLE_EXTENSIONS]; /* the IPv6 extension headers by their numbers, 8 bytes each, AH 16 */
	uint8_t tcp_flags;
	uint32_t ip_options;   /* bytes, a multiple of 4, at most 40 */
	uint32_t tcp_options;
	uint32_t payload;      /* bytes: 0, 1, 2 ... from `seed` on */
	uint32_t padding;      /* bytes of Ethernet padding behind the datagram */
	uint16_t fragment;     /* the IPv4 flags and offset field, or that of the IPv6 fragment header */
	uint16_t identification;
	uint8_t seed;
};

/* A frame with right checksums. To be freed with sample_free(). */
struct frame sample_make(const struct sample *sample);
/* The first `length` bytes of `frame`, in memory of their own; what the wire had stays. */
struct frame sample_cut(const struct frame *frame, uint32_t length);
void sample_free(struct frame *frame);

/* RFC 1071 as it is written: 16-bit words, one after the other; folded, not inverted. */
uint16_t sample_sum(const uint8_t *bytes, size_t length, uint32_t before);
/* The folded sum of the pseudo-header, for `length` bytes of IPv4's transport protocol, or of `protocol` over IPv6. */
uint16_t sample_pseudo(const uint8_t *ip, uint32_t length);
uint16_t sample_pseudo6(const uint8_t *ip, uint8_t protocol, uint32_t length);
/* The bytes before the transport header, and from there to the datagram's end. */
uint32_t sample_l4(const struct sample *sample);
uint32_t sample_l4_length(const struct sample *sample);
/* Are the IPv4 header's and the TCP, UDP or ICMP checksum right? */
bool sample_is_valid(const struct frame *frame);

#endif
