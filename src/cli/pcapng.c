/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/pcapng.h"

#include <string.h>

#include "base/bytes.h"

/* Block types and options: the draft's sections 4.1 to 4.3, and 3.5. */
#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_IFACE 1
#define BLOCK_FRAME 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_PROGRAM 4 /* shb_userappl */
#define OPTION_NAME 2    /* if_name */
#define LINK_ETHERNET 1

/* Everything is filled up to 32 bits. */
static uint32_t
pcapng_padded(uint32_t length)
{
	return (length + 3) & ~3U;
}

static int
pcapng_put32(FILE *out, uint32_t value)
{
	uint8_t bytes[4];

	store32(bytes, value);
	return fwrite(bytes, sizeof(bytes), 1, out) == 1 ? 0 : -1;
}

static int
put_padded(FILE *out, const void *bytes, uint32_t length)
{
	static const uint8_t zeros[4] = { 0 };
	const uint32_t rest = pcapng_padded(length) - length;

	if (length > 0 && fwrite(bytes, length, 1, out) != 1)
		return -1;
	return rest == 0 || fwrite(zeros, rest, 1, out) == 1 ? 0 : -1;
}

/* One option and the end of options. */
static uint32_t
option_size(const char *text)
{
	return 4 + pcapng_padded((uint32_t)strlen(text)) + 4;
}

static int
put_option(FILE *out, uint16_t code, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);

	if (pcapng_put32(out, (uint32_t)code << 16 | length) == -1 || put_padded(out, text, length) == -1)
		return -1;
	return pcapng_put32(out, OPTION_END);
}

static int
put_section(FILE *out, const char *program)
{
	const uint32_t size = 28 + option_size(program);

	/* Version 1.0; the section's length is unspecified. */
	if (pcapng_put32(out, BLOCK_SECTION) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out,
	    BYTE_ORDER_MAGIC) == -1 ||
	    pcapng_put32(out, 1 << 16) == -1 || pcapng_put32(out, UINT32_MAX) == -1 || pcapng_put32(out,
	    UINT32_MAX) == -1)
		return -1;
	return put_option(out, OPTION_PROGRAM, program) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}

static int
put_iface(FILE *out, const char *name)
{
	const uint32_t size = 20 + option_size(name);

	/* No snap length. Times are in microseconds unless an option says otherwise. */
	if (pcapng_put32(out, BLOCK_IFACE) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out,
	    LINK_ETHERNET << 16) == -1 ||
	    pcapng_put32(out, 0) == -1)
		return -1;
	return put_option(out, OPTION_NAME, name) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}

int
pcapng_begin(FILE *out, const char *program, const char *const names[])
{
	int result = put_section(out, program);

	for (size_t i = 0; names[i] != NULL && result == 0; i++)
		result = put_iface(out, names[i]);
	return result;
}

int
pcapng_frame(FILE *out, uint32_t iface, uint64_t when, const uint8_t *bytes, uint32_t length, uint32_t wire,
    const char *comment)
{
	const uint32_t size = 32 + pcapng_padded(length) + option_size(comment);

	if (pcapng_put32(out, BLOCK_FRAME) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out, iface) == -1 ||
	    pcapng_put32(out, (uint32_t)(when >> 32)) == -1 || pcapng_put32(out, (uint32_t)when) == -1 ||
	    pcapng_put32(out, length) == -1 ||
	    pcapng_put32(out, wire) == -1 || put_padded(out, bytes, length) == -1)
		return -1;
	return put_option(out, OPTION_COMMENT, comment) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}
