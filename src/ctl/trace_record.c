/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/trace_record.h"

#include <string.h>

#include "base/bytes.h"

#define FLAG_BEGINS 1U
#define FLAG_PORTS 2U
#define FLAG_INCOMPLETE 4U

/* A writer that remembers that it ran out of room. */
struct pen {
	uint8_t *bytes;
	size_t size;
	size_t used;
};

static void
trace_record_put(struct pen *pen, const void *from, size_t length)
{
	if (length > 0 && pen->used + length <= pen->size)
		memcpy(pen->bytes + pen->used, from, length);
	pen->used += length;
}

static void
trace_record_put8(struct pen *pen, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	trace_record_put(pen, &byte, 1);
}

static void
trace_record_put16(struct pen *pen, uint16_t value)
{
	uint8_t bytes[2];

	store16(bytes, value);
	trace_record_put(pen, bytes, sizeof(bytes));
}

static void
trace_record_put32(struct pen *pen, uint32_t value)
{
	uint8_t bytes[4];

	store32(bytes, value);
	trace_record_put(pen, bytes, sizeof(bytes));
}

static void
trace_record_put64(struct pen *pen, uint64_t value)
{
	trace_record_put32(pen, (uint32_t)(value >> 32));
	trace_record_put32(pen, (uint32_t)value);
}

static void
put_text(struct pen *pen, const char text[TRACE_TEXT])
{
	const size_t length = strlen(text);

	trace_record_put8(pen, (unsigned)length);
	trace_record_put(pen, text, length);
}

static void
put_decision(struct pen *pen, const struct trace_record *record)
{
	trace_record_put64(pen, record->when);
	trace_record_put8(pen, (record->begins ? FLAG_BEGINS : 0) | (record->has_ports ? FLAG_PORTS : 0) |
	    (record->incomplete ? FLAG_INCOMPLETE : 0));
	trace_record_put8(pen, record->client.family);
	trace_record_put(pen, record->client.bytes, sizeof(record->client.bytes));
	trace_record_put(pen, record->vip.bytes, sizeof(record->vip.bytes));
	trace_record_put16(pen, record->client_port);
	trace_record_put16(pen, record->vip_port);
	trace_record_put(pen, record->came_from.bytes, MAC_BYTES);
	trace_record_put(pen, record->came_to.bytes, MAC_BYTES);
	trace_record_put(pen, record->left_from.bytes, MAC_BYTES);
	trace_record_put(pen, record->left_to.bytes, MAC_BYTES);
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		put_text(pen, record->texts[i]);
	trace_record_put8(pen, (unsigned)record->frame_count);
	for (size_t i = 0; i < record->frame_count; i++) {
		trace_record_put8(pen, record->frames[i].left);
		trace_record_put32(pen, record->frames[i].wire);
		trace_record_put32(pen, record->frames[i].length);
		trace_record_put(pen, record->frames[i].bytes, record->frames[i].length);
	}
}

size_t
trace_record_write(const struct trace_record *record, uint8_t *bytes, size_t size)
{
	struct pen pen = { bytes, size, 0 };

	trace_record_put32(&pen, 0);
	trace_record_put8(&pen, record->kind);
	if (record->kind == TRACE_SKIPPED)
		trace_record_put64(&pen, record->skipped);
	else
		put_decision(&pen, record);
	if (pen.used > size)
		return 0;
	store32(bytes, (uint32_t)(pen.used - 4));
	return pen.used;
}

static uint64_t
trace_record_get64(struct cursor *cursor)
{
	const uint64_t high = cursor_u32(cursor);

	return high << 32 | cursor_u32(cursor);
}

static void
get_addr(struct cursor *cursor, uint8_t family, struct addr *addr)
{
	uint8_t bytes[16];

	cursor_copy(cursor, bytes, sizeof(bytes));
	memset(addr, 0, sizeof(*addr));
	if (family == ADDR_IPV4)
		*addr = addr_from_ipv4(bytes);
	else if (family == ADDR_IPV6)
		*addr = addr_from_ipv6(bytes);
}

static void
get_text(struct cursor *cursor, char text[TRACE_TEXT])
{
	const uint8_t length = cursor_u8(cursor);

	if (length >= TRACE_TEXT) {
		cursor->failed = true;
		return;
	}
	cursor_copy(cursor, text, length);
	text[length] = '\0';
	/* What comes in is printed. */
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			text[i] = '?';
}

static void
get_frame(struct cursor *cursor, struct trace_frame *frame)
{
	frame->left = cursor_u8(cursor) != 0;
	frame->wire = cursor_u32(cursor);
	frame->length = cursor_u32(cursor);
	frame->bytes = cursor->at;
	cursor_skip(cursor, frame->length);
}

static void
get_decision(struct cursor *cursor, struct trace_record *record)
{
	uint8_t flags, family;

	record->when = trace_record_get64(cursor);
	flags = cursor_u8(cursor);
	record->begins = (flags & FLAG_BEGINS) != 0;
	record->has_ports = (flags & FLAG_PORTS) != 0;
	record->incomplete = (flags & FLAG_INCOMPLETE) != 0;
	family = cursor_u8(cursor);
	get_addr(cursor, family, &record->client);
	get_addr(cursor, family, &record->vip);
	record->client_port = cursor_u16(cursor);
	record->vip_port = cursor_u16(cursor);
	cursor_copy(cursor, record->came_from.bytes, MAC_BYTES);
	cursor_copy(cursor, record->came_to.bytes, MAC_BYTES);
	cursor_copy(cursor, record->left_from.bytes, MAC_BYTES);
	cursor_copy(cursor, record->left_to.bytes, MAC_BYTES);
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		get_text(cursor, record->texts[i]);
	record->frame_count = cursor_u8(cursor);
	if (record->frame_count > TRACE_FRAMES) {
		cursor->failed = true;
		return;
	}
	for (size_t i = 0; i < record->frame_count && cursor_ok(cursor); i++)
		get_frame(cursor, &record->frames[i]);
}

enum trace_read
trace_record_read(const uint8_t *bytes, size_t length, struct trace_record *record, size_t *used)
{
	struct cursor cursor;
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
	record->kind = (enum trace_kind)cursor_u8(&cursor);
	if (record->kind == TRACE_SKIPPED)
		record->skipped = trace_record_get64(&cursor);
	else if (record->kind == TRACE_DECISION)
		get_decision(&cursor, record);
	else
		return TRACE_GARBLED;
	*used = 4 + (size_t)size;
	return cursor_ok(&cursor) && cursor.left == 0 ? TRACE_READ : TRACE_GARBLED;
}
