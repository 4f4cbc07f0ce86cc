/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/bytes.h"

#include <string.h>

/* The bytes at the cursor, which then moves on, or NULL when fewer than `length` are left. */
static const uint8_t *
cursor_take(struct cursor *cursor, size_t length)
{
	const uint8_t *at = cursor->at;

	if (cursor->failed || length > cursor->left) {
		cursor->failed = true;
		return NULL;
	}
	/* An empty reader may stand on NULL, to which nothing may be added. */
	if (length == 0)
		return (const uint8_t *)"";
	cursor->at += length;
	cursor->left -= length;
	return at;
}

void
cursor_init(struct cursor *cursor, const uint8_t *bytes, size_t length)
{
	cursor->at = bytes;
	cursor->left = length;
	cursor->failed = false;
}

bool
cursor_ok(const struct cursor *cursor)
{
	return !cursor->failed;
}

uint8_t
cursor_u8(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 1);

	return at == NULL ? 0 : at[0];
}

uint16_t
cursor_u16(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 2);

	return at == NULL ? 0 : load16(at);
}

uint32_t
cursor_u32(struct cursor *cursor)
{
	const uint8_t *at = cursor_take(cursor, 4);

	return at == NULL ? 0 : load32(at);
}

void
cursor_copy(struct cursor *cursor, void *to, size_t length)
{
	const uint8_t *at = cursor_take(cursor, length);

	if (at == NULL)
		memset(to, 0, length);
	else
		memcpy(to, at, length);
}

void
cursor_skip(struct cursor *cursor, size_t length)
{
	(void)cursor_take(cursor, length);
}
