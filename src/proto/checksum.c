/* SPDX-License-Identifier: ISC */
/*
 * Sums are kept in the byte order of memory: a ones' complement sum does not care which byte of a word comes first (RFC
 * 1071 section 1 B), so words are added as they lie there and only the end result is turned.
 */
#include "config.h"

#include "proto/checksum.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/sum.h"

#define IPV4_CHECKSUM 10 /* offsets in their headers: RFC 791, RFC 9293, RFC 768, RFC 792, RFC 4443, RFC 9260 */
#define TCP_CHECKSUM 16
#define UDP_LENGTH 4
#define UDP_CHECKSUM 6
#define ICMP_CHECKSUM 2
#define SCTP_CHECKSUM 8

/* Ones' complement addition: a carry out of the top comes in again at the bottom. */
static inline uint64_t
add_offload(uint64_t sum, uint64_t word)
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
		sum = add_offload(sum, word);
	}
	if (length == 0)
		return sum;
	/* Trailing zeros do not change the sum, and complete an odd last byte as RFC 1071 requires. */
	memcpy(rest, bytes, length);
	memcpy(&word, rest, sizeof(word));
	return add_offload(sum, word);
}

uint16_t
checksum_finish(uint64_t sum)
{
	return (uint16_t)~memory_order(sum_fold(sum));
}

/* What `field`, a sum, becomes. */
static uint16_t
checksum_changed(uint16_t sum, const uint8_t *before, const uint8_t *after, size_t length)
{
	uint32_t changed = sum;

	for (size_t i = 0; i < length; i += 2)
		changed += (uint32_t)(uint16_t)~load16(before + i) + load16(after + i);
	while (changed > UINT16_MAX)
		changed = (changed & UINT16_MAX) + (changed >> 16);
	return (uint16_t)changed;
}

void
checksum_update(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length)
{
	store16(field, (uint16_t)~checksum_changed((uint16_t)~load16(field), before, after, length));
}

void
checksum_update_sum(uint8_t *field, const uint8_t *before, const uint8_t *after, size_t length)
{
	store16(field, checksum_changed(load16(field), before, after, length));
}

/* Four-byte words, summed in 64 bits, so that no carry is lost. */
static inline uint64_t
checksum_add_words(uint64_t sum, const uint8_t *bytes, size_t count)
{
	uint32_t word;

	for (size_t i = 0; i < count; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		sum += word;
	}
	return sum;
}

/*
 * Protocol and length are turned into memory's order by a multiplication: to turn a number's bytes is to multiply it by
 * 256, modulo 65535, and more than the remainder no sum keeps.
 */
static inline uint64_t
pseudo_sum(const struct packet *packet, uint32_t length)
{
	const uint64_t sum = ((uint64_t)packet->protocol + length) * memory_order(1);

	if (packet->source.family == ADDR_IPV6)
		return checksum_add_words(checksum_add_words(sum, packet->source.bytes, 4), packet->destination.bytes,
		    4);
	return checksum_add_words(checksum_add_words(sum, packet->source.bytes, 1), packet->destination.bytes, 1);
}

uint64_t
checksum_pseudo(const struct packet *packet, uint32_t length)
{
	return pseudo_sum(packet, length);
}

/* The number of bytes that the checksum covers: a UDP length may be shorter than the IP payload. */
static inline uint32_t
transport_length(const struct frame *frame, const struct packet *packet)
{
	if (packet->protocol == PROTOCOL_UDP)
		return load16(frame->bytes + packet->l4 + UDP_LENGTH);
	return packet->end - packet->l4;
}

uint8_t *
checksum_field(const struct frame *frame, const struct packet *packet)
{
	uint8_t *l4 = frame->bytes + packet->l4;

	if (packet->protocol == PROTOCOL_TCP)
		return l4 + TCP_CHECKSUM;
	if (packet->protocol == PROTOCOL_UDP)
		return l4 + UDP_CHECKSUM;
	return packet->protocol == PROTOCOL_SCTP ? l4 + SCTP_CHECKSUM : l4 + ICMP_CHECKSUM;
}

/*
 * The sum over the transport part and what stands for the IP header: ICMP has nothing there, ICMPv6 has (RFC 4443 2.3).
 */
static uint64_t
transport_sum(const struct frame *frame, const struct packet *packet)
{
	uint32_t length = transport_length(frame, packet);
	uint64_t pseudo = packet->protocol == PROTOCOL_ICMP ? 0 : checksum_pseudo(packet, length);

	return checksum_add(pseudo, frame->bytes + packet->l4, length);
}

/*
 * CRC32c over `length` bytes, as SCTP has it (RFC 9260 appendix A): four bits at a time, by the remainders of all
 * values of four bits under the polynomial 0x1edc6f41, everything mirrored.
 */
static uint32_t
crc32c_add(uint32_t crc, const uint8_t *bytes, size_t length)
{
	static const uint32_t remainders[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75
	};

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ remainders[crc & 15];
		crc = crc >> 4 ^ remainders[crc & 15];
	}
	return crc;
}

/* The value for the field, which itself counts as zero and has the low byte first. */
static uint32_t
sctp_checksum(const struct frame *frame, const struct packet *packet)
{
	static const uint8_t zeros[4];
	const uint8_t *l4 = frame->bytes + packet->l4;
	const uint32_t behind = SCTP_CHECKSUM + sizeof(zeros);
	uint32_t crc = crc32c_add(0xffffffff, l4, SCTP_CHECKSUM);

	crc = crc32c_add(crc, zeros, sizeof(zeros));
	crc = ~crc32c_add(crc, l4 + behind, packet->end - packet->l4 - behind);
	return crc << 24 | (crc << 8 & 0xff0000) | (crc >> 8 & 0xff00) | crc >> 24;
}

void
checksum_transport(struct frame *frame, const struct packet *packet)
{
	uint8_t *field = checksum_field(frame, packet);
	uint16_t value;

	if (packet->protocol == PROTOCOL_SCTP) {
		store32(field, sctp_checksum(frame, packet));
		return;
	}
	store16(field, 0);
	value = checksum_finish(transport_sum(frame, packet));
	/* In UDP, 0 means no checksum, and 0xffff is sent in its place (RFC 768). */
	if (value == 0 && packet->protocol == PROTOCOL_UDP)
		value = 0xffff;
	store16(field, value);
}

bool
checksum_ok(const struct frame *frame, const struct packet *packet)
{
	const uint8_t *field;

	if (packet->fragment)
		return false;
	field = checksum_field(frame, packet);
	if (packet->protocol == PROTOCOL_SCTP)
		return load32(field) == sctp_checksum(frame, packet);
	if (packet->protocol == PROTOCOL_UDP && load16(field) == 0)
		return packet->source.family == ADDR_IPV4;
	return checksum_finish(transport_sum(frame, packet)) == 0;
}

/* What a sender leaves to its network card: the sum of the pseudo-header, not inverted; not folded yet. */
static inline uint64_t
unfinished_sum(const struct frame *frame, const struct packet *packet)
{
	return pseudo_sum(packet, transport_length(frame, packet));
}

/* True if the transport checksum is known and may be changed. */
static inline bool
is_whole(const struct packet *packet)
{
	return !packet->fragment && !packet->authenticated;
}

bool
checksum_is_unfinished(const struct frame *frame, const struct packet *packet)
{
	const uint8_t *field;
	uint16_t word;

	/* Without has_ports it is ICMP, or a fragment without a header. */
	if (!packet->has_ports)
		return false;
	field = checksum_field(frame, packet);
	/* Linux, net/sctp/output.c: the field is left zero. */
	if (packet->protocol == PROTOCOL_SCTP)
		return load32(field) == 0 && is_whole(packet);
	/*
	 * Does the folded sum equal the field? The remainder modulo 65535, which folding preserves, rules out almost
	 * all frames; the sum folds to 0 only when it is 0, which no pseudo-header's sum is.
	 */
	memcpy(&word, field, sizeof(word));
	return (unfinished_sum(frame, packet) + UINT16_MAX - word) % UINT16_MAX == 0 && is_whole(packet) && word != 0;
}

void
checksum_leave(struct frame *frame, const struct packet *packet)
{
	uint8_t *field = checksum_field(frame, packet);

	store16(field, memory_order(sum_fold(unfinished_sum(frame, packet))));
	frame->sum_from = packet->l4;
	frame->sum_at = (uint16_t)(field - frame->bytes);
}

bool
checksum_complete(struct frame *frame, const struct packet *packet)
{
	const uint8_t *field;
	uint16_t before;

	if (!checksum_is_unfinished(frame, packet))
		return false;
	/* Where it was a true one, this computes it again, and nothing changes. */
	field = checksum_field(frame, packet);
	before = load16(field);
	checksum_transport(frame, packet);
	return packet->protocol == PROTOCOL_SCTP ? load32(field) != 0 : load16(field) != before;
}

void
checksum_ipv4_header(struct frame *frame, const struct packet *packet)
{
	uint8_t *ip = frame->bytes + packet->l3;

	if (packet->source.family != ADDR_IPV4)
		return;
	store16(ip + IPV4_CHECKSUM, 0);
	store16(ip + IPV4_CHECKSUM, checksum_finish(checksum_add(0, ip, packet->l4 - packet->l3)));
}
