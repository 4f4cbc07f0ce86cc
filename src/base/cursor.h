/* SPDX-License-Identifier: ISC */
/*
 * A bounds-checked reader over bytes. Read all fields of a header, then check cursor_ok() once: a read past the end
 * returns zeros and sets an error flag that is never cleared.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
