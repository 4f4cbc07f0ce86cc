/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/trace_record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"

#define FLAG_BEGINS 1U
#define FLAG_PORTS 2U
#define FLAG_INCOMPLETE 4U

/* One description of the layout serves to write and to read. The writer remembers that it ran out of room. */
struct codec {
	struct cursor *from; /* NULL: writing */
	uint8_t *bytes;
	size_t size;
	size_t used;
};

static void
codec_put(struct codec *codec, const void *from, size_t length)
{
	if (length > 0 && codec->used + length <= codec->size)
		memcpy(codec->bytes + codec->used, from, length);
	codec->used += length;
}

static void
code_bytes(struct codec *codec, void *bytes, size_t length)
{
	if (codec->from != NULL)
		cursor_copy(codec->from, bytes, length);
	else
		codec_put(codec, bytes, length);
}

/* Big-endian, `width` bytes. What was written, or read instead of `number`. */
static uint64_t
code_number(struct codec *codec, uint64_t number, size_t width)
{
	uint8_t bytes[sizeof(number)];

	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(number >> 8 * (width - 1 - i));
	code_bytes(codec, bytes, width);
	number = 0;
	for (size_t i = 0; i < width; i++)
		number = number << 8 | bytes[i];
	return number;
}

static void
code_addr(struct codec *codec, uint8_t family, struct addr *addr)
{
	uint8_t bytes[sizeof(addr->bytes)];

	memcpy(bytes, addr->bytes, sizeof(bytes));
	code_bytes(codec, bytes, sizeof(bytes));
	memset(addr, 0, sizeof(*addr));
	if (family == ADDR_IPV4)
		*addr = addr_from_ipv4(bytes);
	else if (family == ADDR_IPV6)
		*addr = addr_from_ipv6(bytes);
}

static void
code_text(struct codec *codec, char text[TRACE_TEXT])
{
	const size_t length = (size_t)code_number(codec, strlen(text), 1);

	if (length >= TRACE_TEXT) {
		if (codec->from != NULL)
			codec->from->failed = true;
		return;
	}
	code_bytes(codec, text, length);
	text[length] = '\0';
	/* What comes in is printed. */
	for (size_t i = 0; codec->from != NULL && i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			text[i] = '?';
}

static void
code_frame(struct codec *codec, struct trace_frame *frame)
{
	frame->left = code_number(codec, frame->left, 1) != 0;
	frame->wire = (uint32_t)code_number(codec, frame->wire, 4);
	frame->length = (uint32_t)code_number(codec, frame->length, 4);
	if (codec->from == NULL) {
		codec_put(codec, frame->bytes, frame->length);
		return;
	}
	frame->bytes = codec->from->at;
	cursor_skip(codec->from, frame->length);
}

static void
code_ends(struct codec *codec, struct trace_ends *ends)
{
	const uint8_t family = (uint8_t)code_number(codec, ends->source.family, 1);

	code_addr(codec, family, &ends->source);
	code_addr(codec, family, &ends->destination);
	ends->source_port = (uint16_t)code_number(codec, ends->source_port, 2);
	ends->destination_port = (uint16_t)code_number(codec, ends->destination_port, 2);
	ends->has_ports = code_number(codec, ends->has_ports, 1) != 0;
}

static void
code_way(struct codec *codec, struct trace_way *way)
{
	code_text(codec, way->method);
	code_text(codec, way->tunnel);
	code_text(codec, way->inner_protocol);
	way->dscp = (uint8_t)code_number(codec, way->dscp, 1);
	code_addr(codec, (uint8_t)code_number(codec, way->gateway.family, 1), &way->gateway);
	code_ends(codec, &way->outer);
	code_ends(codec, &way->inner);
}

static void
code_decision(struct codec *codec, struct trace_record *record)
{
	struct mac *const macs[] = { &record->came_from, &record->came_to, &record->left_from, &record->left_to };
	uint64_t flags = (record->begins ? FLAG_BEGINS : 0) | (record->has_ports ? FLAG_PORTS : 0) |
	    (record->incomplete ? FLAG_INCOMPLETE : 0);
	uint8_t family;

	record->when = code_number(codec, record->when, 8);
	flags = code_number(codec, flags, 1);
	record->begins = (flags & FLAG_BEGINS) != 0;
	record->has_ports = (flags & FLAG_PORTS) != 0;
	record->incomplete = (flags & FLAG_INCOMPLETE) != 0;
	family = (uint8_t)code_number(codec, record->client.family, 1);
	code_addr(codec, family, &record->client);
	code_addr(codec, family, &record->vip);
	record->client_port = (uint16_t)code_number(codec, record->client_port, 2);
	record->vip_port = (uint16_t)code_number(codec, record->vip_port, 2);
	for (size_t i = 0; i < ARRAY_LEN(macs); i++)
		code_bytes(codec, macs[i]->bytes, MAC_BYTES);
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		code_text(codec, record->texts[i]);
	code_way(codec, &record->way);
	record->frame_count = (size_t)code_number(codec, record->frame_count, 1);
	if (record->frame_count > TRACE_FRAMES) {
		if (codec->from != NULL)
			codec->from->failed = true;
		return;
	}
	for (size_t i = 0; i < record->frame_count && (codec->from == NULL || cursor_ok(codec->from)); i++)
		code_frame(codec, &record->frames[i]);
}

size_t
trace_record_write(const struct trace_record *record, uint8_t *bytes, size_t size)
{
	struct codec codec = { NULL, bytes, size, 4 };
	struct trace_record copy = *record;

	(void)code_number(&codec, record->kind, 1);
	if (record->kind == TRACE_SKIPPED)
		(void)code_number(&codec, record->skipped, 8);
	else
		code_decision(&codec, &copy);
	if (codec.used > size)
		return 0;
	store32(bytes, (uint32_t)(codec.used - 4));
	return codec.used;
}

enum trace_read
trace_record_read(const uint8_t *bytes, size_t length, struct trace_record *record, size_t *used)
{
	struct cursor cursor;
	struct codec codec = { .from = &cursor };
	uint32_t size;

	if (length < 4)
		return TRACE_MORE;
	size = load32(bytes);
	if (size == 0 || size > TRACE_RECORD_MOST)
		return TRACE_GARBLED;
	if (length - 4 < size)
		return TRACE_MORE;
	memset(record, 0, sizeof(*record));
	cursor_init(&cursor, bytes + 4, size);
	record->kind = (enum trace_kind)code_number(&codec, 0, 1);
	if (record->kind == TRACE_SKIPPED)
		record->skipped = code_number(&codec, 0, 8);
	else if (record->kind == TRACE_DECISION)
		code_decision(&codec, record);
	else
		return TRACE_GARBLED;
	*used = 4 + (size_t)size;
	return cursor_ok(&cursor) && cursor.left == 0 ? TRACE_READ : TRACE_GARBLED;
}

/* A line of words: what does not fit is left out, which no record of a director's makes happen. */
struct words {
	char *text;
	size_t used;
};

static void PRINTF_LIKE(2, 3)
words_add(struct words *words, const char *format, ...)
{
	const size_t room = TRACE_WAY_TEXT - words->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(words->text + words->used, room, format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < room)
		words->used += (size_t)length;
	else
		words->text[words->used] = '\0';
}

static void
words_add_ends(struct words *words, const char *name, const struct trace_ends *ends)
{
	char source[ADDR_PORT_TEXT], destination[ADDR_PORT_TEXT];

	if (!addr_is_set(&ends->source))
		return;
	if (ends->has_ports) {
		addr_format_port(&ends->source, ends->source_port, source);
		addr_format_port(&ends->destination, ends->destination_port, destination);
	} else {
		addr_format(&ends->source, source);
		addr_format(&ends->destination, destination);
	}
	words_add(words, " %s=%s>%s", name, source, destination);
}

const char *
trace_way_text(const struct trace_way *way, char text[TRACE_WAY_TEXT])
{
	struct words words = { text, 0 };
	char gateway[ADDR_TEXT];

	text[0] = '\0';
	if (way->method[0] != '\0')
		words_add(&words, " method=%s", way->method);
	if (addr_is_set(&way->gateway))
		words_add(&words, " gateway=%s", addr_format(&way->gateway, gateway));
	words_add_ends(&words, "outer", &way->outer);
	if (way->dscp != 0)
		words_add(&words, " dscp=%u", way->dscp);
	if (way->tunnel[0] != '\0')
		words_add(&words, " tunnel=%s", way->tunnel);
	if (way->inner_protocol[0] != '\0')
		words_add(&words, " inner-protocol=%s", way->inner_protocol);
	words_add_ends(&words, "inner", &way->inner);
	return text;
}
