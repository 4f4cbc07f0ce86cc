/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/checksum.h"
#include "proto/packet.h"

#define SENT_MOST 512 /* frames that one frame can cause: a super-frame's segments, or all fragments that were held */
#define HELD_MOST 4096 /* more than can wait at a time, so that none that waits is forgotten here */

struct copy {
	uint8_t *bytes;
	uint32_t length;
};

struct oracle {
	const struct iface *iface;
	struct frame came; /* bytes are not ours */
	struct copy sent[SENT_MOST];
	size_t sent_count;
	struct copy held[HELD_MOST];
	size_t held_next;
};

void
oracle_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void
copy_set(struct copy *copy, const uint8_t *bytes, uint32_t length)
{
	free(copy->bytes);
	copy->bytes = malloc(length > 0 ? length : 1);
	oracle_require(copy->bytes != NULL, "memory");
	memcpy(copy->bytes, bytes, length);
	copy->length = length;
}

struct oracle *
oracle_open(const struct iface *iface)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	oracle_require(oracle != NULL, "memory");
	oracle->iface = iface;
	return oracle;
}

void
oracle_shut(struct oracle *oracle)
{
	for (size_t i = 0; i < SENT_MOST; i++)
		free(oracle->sent[i].bytes);
	for (size_t i = 0; i < HELD_MOST; i++)
		free(oracle->held[i].bytes);
	free(oracle);
}

void
oracle_expect(struct oracle *oracle, const uint8_t *bytes, uint32_t length, uint32_t wire_length)
{
	/* The frame is only read here; frames of forward_frame() are writable, and so the type. */
	oracle->came = (struct frame) { .bytes = (uint8_t *)(uintptr_t)bytes, .length = length,
		.wire_length = wire_length };
	oracle->sent_count = 0;
}

void
oracle_hear(void *context, const struct frame *sent)
{
	struct oracle *oracle = context;

	oracle_require(sent->length >= ETHER_HEADER && sent->length <= FRAME_MOST, "a sent frame has a frame's length");
	oracle_require(memcmp(sent->bytes + ETHER_DESTINATION, oracle->iface->mac.bytes, MAC_BYTES) != 0,
	    "nothing is sent to us");
	oracle_require(memcmp(sent->bytes + ETHER_SOURCE, oracle->iface->mac.bytes, MAC_BYTES) == 0,
	    "we send as ourselves");
	oracle_require(oracle->sent_count < SENT_MOST, "one frame causes a bounded number");
	copy_set(&oracle->sent[oracle->sent_count++], sent->bytes, sent->length);
}

/* But for the Ethernet addresses. */
static bool
same(const struct copy *sent, const uint8_t *bytes, uint32_t length)
{
	return sent->length == length && memcmp(sent->bytes + ETHER_TYPE, bytes + ETHER_TYPE, length - ETHER_TYPE) == 0;
}

static bool
was_held(const struct oracle *oracle, const struct copy *sent)
{
	for (size_t i = 0; i < HELD_MOST && oracle->held[i].bytes != NULL; i++)
		if (same(sent, oracle->held[i].bytes, oracle->held[i].length))
			return true;
	return false;
}

static struct packet
parsed(const struct frame *frame)
{
	struct packet packet;

	oracle_require(packet_parse(frame, &packet) == PACKET_OK, "what is sent can be read");
	return packet;
}

/* Only the transport checksum is another one, and it is right. */
static void
judge_finished(const struct oracle *oracle)
{
	const struct copy *sent = &oracle->sent[0];
	const struct frame now = frame_of(sent->bytes, sent->length, 0);
	const struct packet packet = parsed(&oracle->came);
	/* Offsets and sizes of checksums: RFC 9293, RFC 768, RFC 9260. */
	const uint32_t at = packet.l4 + (packet.protocol == PROTOCOL_TCP ? 16u : packet.protocol == PROTOCOL_UDP ? 6u :
	    8u);
	const uint32_t size = packet.protocol == PROTOCOL_SCTP ? 4 : 2;

	oracle_require(sent->length == oracle->came.length, "a finished checksum changes no length");
	for (uint32_t i = ETHER_TYPE; i < sent->length; i++)
		oracle_require((i >= at && i < at + size) || sent->bytes[i] == oracle->came.bytes[i],
		    "a finished checksum changes nothing else");
	oracle_require(checksum_ok(&now, &packet), "a finished checksum is right");
}

/* Bytes of the headers that differ from segment to segment. */
static bool
of_a_segment(const struct packet *packet, uint32_t at)
{
	const uint32_t ip = at - packet->l3, tcp = at - packet->l4;

	if (at >= packet->l4)
		return (tcp >= 4 && tcp < 8) || tcp == 13 || tcp == 16 || tcp == 17; /* sequence, flags, checksum */
	if (at < packet->l3)
		return false;
	if (packet->source.family == ADDR_IPV6)
		return ip == 4 || ip == 5;                                           /* length */
	return (ip >= 2 && ip < 6) || ip == 10 || ip == 11;                          /* length, number, checksum */
}

static uint32_t
judge_segment(const struct oracle *oracle, const struct packet *whole, const struct copy *sent, uint32_t offset)
{
	const struct frame now = frame_of(sent->bytes, sent->length, 0);
	const struct packet packet = parsed(&now);
	const uint32_t data = sent->length - whole->payload;

	oracle_require(sent->length - whole->l3 <= oracle->iface->mtu, "a segment fits the wire");
	for (uint32_t i = ETHER_TYPE; i < whole->payload; i++)
		oracle_require(of_a_segment(whole, i) || sent->bytes[i] == oracle->came.bytes[i],
		    "a segment has the super-frame's headers");
	oracle_require(packet.end == sent->length, "a segment says how long it is");
	oracle_require(packet.tcp_sequence == whole->tcp_sequence + offset, "segments follow each other");
	oracle_require((packet.tcp_flags & ~whole->tcp_flags) == 0, "a segment has no flags of its own");
	oracle_require(whole->payload + offset + data <= whole->end &&
	    memcmp(sent->bytes + whole->payload, oracle->came.bytes + whole->payload + offset, data) == 0,
	    "segments carry what came");
	oracle_require(checksum_ok(&now, &packet), "a segment's checksum is right");
	return data;
}

static void
judge_split(const struct oracle *oracle)
{
	const struct packet whole = parsed(&oracle->came);
	uint32_t offset = 0;

	for (size_t i = 0; i < oracle->sent_count; i++)
		offset += judge_segment(oracle, &whole, &oracle->sent[i], offset);
	oracle_require(whole.payload + offset == whole.end, "segments carry all that came");
}

static void
judge_forwarded(const struct oracle *oracle, const struct decision *decision, const struct forward_stats *before,
    const struct forward_stats *after)
{
	const uint64_t released = after->fragments_released - before->fragments_released;

	oracle_require(decision->server != NULL, "forwarded means to somebody");
	for (size_t i = 0; i < oracle->sent_count; i++)
		oracle_require(memcmp(oracle->sent[i].bytes + ETHER_DESTINATION, decision->server->mac.bytes,
		    MAC_BYTES) == 0,
		    "all goes to the server that was decided");
	if (after->frames_split != before->frames_split) {
		judge_split(oracle);
		return;
	}
	oracle_require(oracle->sent_count == 1 + released, "forwarded once");
	if (after->checksums_finished != before->checksums_finished)
		judge_finished(oracle);
	else
		oracle_require(same(&oracle->sent[0], oracle->came.bytes, oracle->came.length),
		    "only the Ethernet addresses change");
	for (size_t i = 1; i < oracle->sent_count; i++)
		oracle_require(was_held(oracle, &oracle->sent[i]), "what is sent besides was held");
}

/*
 * An answer goes to who asked: by the Ethernet header, by ARP's own field, or by the option of a solicitation. The
 * one to duplicate address detection, who has no address yet, goes to all (RFC 4861 section 7.2.4).
 */
static bool
has_asked(const struct frame *question, const uint8_t *mac)
{
	for (uint32_t i = ETHER_SOURCE; i + MAC_BYTES <= question->length; i++)
		if (memcmp(question->bytes + i, mac, MAC_BYTES) == 0)
			return true;
	return (mac[0] & 1) != 0;
}

static void
judge_answer(const struct oracle *oracle)
{
	oracle_require(oracle->sent_count <= 1, "one answer at most");
	for (size_t i = 0; i < oracle->sent_count; i++)
		oracle_require(has_asked(&oracle->came, oracle->sent[i].bytes + ETHER_DESTINATION),
		    "an answer goes to who asked");
}

void
oracle_judge(struct oracle *oracle, const struct decision *decision, const struct forward_stats *before,
    const struct forward_stats *after)
{
	if (decision->verdict == VERDICT_HOLD)
		copy_set(&oracle->held[oracle->held_next++ % HELD_MOST], oracle->came.bytes, oracle->came.length);
	switch (decision->verdict) {
	case VERDICT_PASS:
	case VERDICT_HOLD:
	case VERDICT_DROP:
		oracle_require(oracle->sent_count == 0, "what is not forwarded is not sent");
		break;
	case VERDICT_CONSUMED:
		judge_answer(oracle);
		break;
	case VERDICT_FORWARD:
		judge_forwarded(oracle, decision, before, after);
		break;
	}
}
