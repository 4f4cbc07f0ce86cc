/* SPDX-License-Identifier: ISC */
/* Big-endian (network order) loads and stores at any alignment. The caller has checked the bounds. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t
load16(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t
load32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline void
store16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void
store32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

/*
 * A bounds-checked reader over bytes. Read all fields of a header, then check cursor_ok() once: a read past the end
 * returns zeros and sets an error flag that is never cleared.
 */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool failed;
};

void cursor_init(struct cursor *cursor, const uint8_t *bytes, size_t length);
bool cursor_ok(const struct cursor *cursor);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor); /* network order on the wire, host order here */
uint32_t cursor_u32(struct cursor *cursor);
void cursor_copy(struct cursor *cursor, void *to, size_t length);
void cursor_skip(struct cursor *cursor, size_t length);

#endif
