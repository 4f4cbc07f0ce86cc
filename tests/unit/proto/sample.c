/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sample.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void
put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void
put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static uint32_t
get16(const uint8_t *p)
{
	return (uint32_t)p[0] * 256 + p[1];
}

uint16_t
sample_sum(const uint8_t *bytes, size_t length, uint32_t before)
{
	uint32_t sum = before;

	for (size_t i = 0; i < length; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

uint16_t
sample_pseudo(const uint8_t *ip, uint32_t length)
{
	uint8_t pseudo[12];

	memcpy(pseudo, ip + 12, 8);
	pseudo[8] = 0;
	pseudo[9] = ip[9];
	put16(pseudo + 10, length);
	return sample_sum(pseudo, sizeof(pseudo), 0);
}

uint16_t
sample_pseudo6(const uint8_t *ip, uint8_t protocol, uint32_t length)
{
	uint8_t pseudo[40] = { 0 };

	memcpy(pseudo, ip + 8, 32);
	put32(pseudo + 32, length);
	pseudo[39] = protocol;
	return sample_sum(pseudo, sizeof(pseudo), 0);
}

static void
put_tcp(uint8_t *l4, const struct sample *sample)
{
	put16(l4, SAMPLE_CLIENT_PORT);
	put16(l4 + 2, SAMPLE_VIP_PORT);
	put32(l4 + 4, SAMPLE_SEQUENCE);
	put32(l4 + 8, SAMPLE_ACKNOWLEDGEMENT);
	l4[12] = (uint8_t)((5 + sample->tcp_options / 4) << 4);
	l4[13] = sample->tcp_flags;
	put16(l4 + 14, 512);
	put16(l4 + 18, 0);
	memset(l4 + 20, 1, sample->tcp_options); /* no-operation */
}

static uint32_t
header_length(const struct sample *sample)
{
	if (sample->protocol == 6)
		return 20 + sample->tcp_options;
	return sample->protocol == 17 ? 8 : 0;
}

static void
put_l4(uint8_t *l4, const struct sample *sample)
{
	uint32_t header = header_length(sample);

	for (uint32_t i = 0; i < sample->payload; i++)
		l4[header + i] = (uint8_t)(sample->seed + i + (i >> 8));
	if (sample->protocol == 6)
		put_tcp(l4, sample);
	if (sample->protocol == 17) {
		put16(l4, SAMPLE_CLIENT_PORT);
		put16(l4 + 2, SAMPLE_VIP_PORT);
		put16(l4 + 4, 8 + sample->payload);
	}
}

static uint32_t
ip_header(const struct sample *sample)
{
	return sample->tagged ? 18 : 14;
}

uint32_t
sample_l4(const struct sample *sample)
{
	uint32_t length = ip_header(sample) + (sample->ipv6 ? 40 : 20 + sample->ip_options);

	for (unsigned i = 0; i < sample->extension_count; i++)
		length += sample->extensions[i] == 51 ? 16 : 8;
	return length;
}

uint32_t
sample_l4_length(const struct sample *sample)
{
	return header_length(sample) + sample->payload;
}

static void
put_ipv4(uint8_t *ip, const struct sample *sample)
{
	static const uint8_t client[4] = SAMPLE_CLIENT, vip[4] = SAMPLE_VIP;
	uint32_t header = 20 + sample->ip_options;

	ip[0] = (uint8_t)(0x40 | header / 4);
	put16(ip + 2, header + sample_l4_length(sample));
	put16(ip + 4, sample->identification);
	put16(ip + 6, sample->fragment);
	ip[8] = 64;
	ip[9] = sample->protocol;
	memcpy(ip + 12, client, 4);
	memcpy(ip + 16, vip, 4);
	memset(ip + 20, 1, sample->ip_options); /* no-operation */
	put16(ip + 10, (uint16_t)~sample_sum(ip, header, 0));
}

static void
put_ipv6(uint8_t *ip, const struct sample *sample)
{
	static const uint8_t client[16] = SAMPLE_CLIENT6, vip[16] = SAMPLE_VIP6;
	uint8_t *next = ip + 6, *at = ip + 40;

	put32(ip, 0x61234567); /* traffic class 0x12, flow label 0x34567 */
	put16(ip + 4, sample_l4(sample) - ip_header(sample) - 40 + sample_l4_length(sample));
	ip[7] = 61;
	memcpy(ip + 8, client, 16);
	memcpy(ip + 24, vip, 16);
	for (unsigned i = 0; i < sample->extension_count; i++) {
		*next = sample->extensions[i];
		next = at;
		if (sample->extensions[i] == 44) {
			put16(at + 2, sample->fragment);
			put32(at + 4, 0xabcd0000 | sample->identification);
		} else if (sample->extensions[i] == 0 || sample->extensions[i] == 60) {
			at[2] = 1; /* PadN, four zeros */
			at[3] = 4;
		} else if (sample->extensions[i] == 51) {
			at[1] = 2;
		}
		at += sample->extensions[i] == 51 ? 16 : 8;
	}
	*next = sample->protocol;
}

static void
put_checksum(uint8_t *l4, uint16_t pseudo, const struct sample *sample)
{
	uint32_t length = sample_l4_length(sample);
	uint16_t check = (uint16_t)~sample_sum(l4, length, pseudo);

	if (sample->protocol == 6)
		put16(l4 + 16, check);
	if (sample->protocol == 17)
		put16(l4 + 6, check == 0 ? 0xffff : check);
}

struct frame
sample_make(const struct sample *sample)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 7 };
	uint32_t l4_length = sample_l4_length(sample);
	uint32_t length = sample_l4(sample) + l4_length + sample->padding;
	uint8_t *bytes = calloc(1, length);
	uint8_t *ip, *l4;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, macs, sizeof(macs));
	ip = bytes + ip_header(sample);
	l4 = bytes + sample_l4(sample);
	if (sample->tagged)
		put32(bytes + 12, 0x81000000 | SAMPLE_TCI);
	put16(ip - 2, sample->ipv6 ? 0x86dd : 0x0800);
	if (sample->ipv6)
		put_ipv6(ip, sample);
	else
		put_ipv4(ip, sample);
	put_l4(l4, sample);
	put_checksum(l4, sample->ipv6 ? sample_pseudo6(ip, sample->protocol, l4_length) : sample_pseudo(ip, l4_length),
	    sample);
	memset(l4 + l4_length, 0xee, sample->padding);
	return (struct frame){ .bytes = bytes, .length = length, .wire_length = length };
}

struct frame
sample_cut(const struct frame *frame, uint32_t length)
{
	struct frame cut = *frame;

	ck_assert_uint_le(length, frame->length);
	/* malloc(0) may be NULL; one byte less of strictness there. */
	cut.bytes = malloc(length > 0 ? length : 1);
	ck_assert_ptr_nonnull(cut.bytes);
	memcpy(cut.bytes, frame->bytes, length);
	cut.length = length;
	return cut;
}

void
sample_free(struct frame *frame)
{
	free(frame->bytes);
	frame->bytes = NULL;
}

/* Walks without any doubt: the frame is one that was right before. */
static bool
is_valid6(const uint8_t *ip)
{
	const uint8_t *at = ip + 40, *end = ip + 40 + get16(ip + 4);
	uint8_t next = ip[6];
	uint32_t length;

	while (next == 0 || next == 43 || next == 44 || next == 51 || next == 60) {
		length = next == 51 ? 16 : 8;
		next = at[0];
		at += length;
	}
	length = (uint32_t)(end - at);
	return sample_sum(at, length, sample_pseudo6(ip, next, length)) == 0xffff;
}

bool
sample_is_valid(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + (get16(frame->bytes + 12) == 0x8100 ? 18 : 14);
	uint32_t header = (uint32_t)(ip[0] & 15) * 4;
	uint32_t l4_length = get16(ip + 2) - header;

	if (ip[0] >> 4 == 6)
		return is_valid6(ip);
	if (sample_sum(ip, header, 0) != 0xffff)
		return false;
	return sample_sum(ip + header, l4_length, ip[9] == 1 ? 0 : sample_pseudo(ip, l4_length)) == 0xffff;
}
