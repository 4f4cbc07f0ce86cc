/* SPDX-License-Identifier: ISC */
/*
 * Sums are kept in the byte order of memory: a ones' complement sum does not care which byte of a word comes first (RFC
 * 1071 section 1 B), so words are added as they lie there and only the end result is turned.
 */
#include "config.h"

#include "proto/checksum.h"

#include <string.h>

#include "base/bytes.h"

#define IPV4_CHECKSUM 10 /* offsets in their headers: RFC 791, RFC 9293, RFC 768 */
#define TCP_CHECKSUM 16
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6

/* Ones' complement addition: a carry out of the top comes in again at the bottom. */
static inline uint64_t
add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* `value` as a word that lies in memory in network order. */
static inline uint16_t
memory_order(uint16_t value)
{
	uint8_t bytes[2];
	uint16_t word;

	store16(bytes, value);
	memcpy(&word, bytes, sizeof(word));
	return word;
}

uint64_t
checksum_add(uint64_t sum, const uint8_t *bytes, size_t length)
{
	uint8_t rest[8] = { 0 };
	uint64_t word;

	for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = add_carry(sum, word);
	}
	if (length == 0)
		return sum;
	/* Zeros behind the end change nothing, and complete an odd last byte as RFC 1071 wants it. */
	memcpy(rest, bytes, length);
	memcpy(&word, rest, sizeof(word));
	return add_carry(sum, word);
}

uint16_t
checksum_finish(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~memory_order((uint16_t)sum);
}

uint64_t
checksum_pseudo(const struct packet *packet, uint32_t length)
{
	size_t bytes = packet->source.family == ADDR_IPV6 ? 16 : 4;
	uint64_t sum = (uint64_t)memory_order(packet->protocol) + memory_order((uint16_t)length) +
	    memory_order((uint16_t)(length >> 16));

	sum = checksum_add(sum, packet->source.bytes, bytes);
	return checksum_add(sum, packet->destination.bytes, bytes);
}

/* How many bytes the checksum covers: a UDP datagram may say that it ends before the IP datagram does. */
static uint32_t
transport_length(const struct frame *frame, const struct packet *packet)
{
	if (packet->protocol == PROTOCOL_UDP)
		return load16(frame->bytes + packet->l4 + UDP_LENGTH);
	return packet->end - packet->l4;
}

/* Where the checksum stands. */
static uint8_t *
transport_field(const struct frame *frame, const struct packet *packet)
{
	return frame->bytes + packet->l4 + (packet->protocol == PROTOCOL_UDP ? UDP_CHECKSUM : TCP_CHECKSUM);
}

void
checksum_transport(struct frame *frame, const struct packet *packet)
{
	uint32_t length = transport_length(frame, packet);
	uint8_t *field = transport_field(frame, packet);
	uint16_t value;

	store16(field, 0);
	value = checksum_finish(checksum_add(checksum_pseudo(packet, length), frame->bytes + packet->l4, length));
	/* In UDP, 0 says that there is none, and 0xffff is its equal (RFC 768). */
	if (value == 0 && packet->protocol == PROTOCOL_UDP)
		value = 0xffff;
	store16(field, value);
}

bool
checksum_complete(struct frame *frame, const struct packet *packet)
{
	const uint8_t *field = transport_field(frame, packet);
	uint16_t before = load16(field);
	uint16_t unfinished = (uint16_t)~checksum_finish(checksum_pseudo(packet, transport_length(frame, packet)));

	/* A UDP field of 0 never equals it: the sum of something that is not all zeros is not 0. */
	if (before != unfinished)
		return false;
	/* A true checksum equals the unfinished one in 1 of 65536 frames. Then this computes it again: nothing changes. */
	checksum_transport(frame, packet);
	return load16(field) != before;
}

void
checksum_ipv4_header(struct frame *frame, const struct packet *packet)
{
	uint8_t *ip = frame->bytes + packet->l3;

	store16(ip + IPV4_CHECKSUM, 0);
	store16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, packet->l4 - packet->l3)));
}
