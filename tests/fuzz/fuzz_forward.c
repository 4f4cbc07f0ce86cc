/* SPDX-License-Identifier: ISC */
/*
 * The input is a sequence of frames, each behind three bytes: how many tenths of a second have passed, and the frame's
 * length (big-endian, up to what is left). director.h says what must hold.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "director.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_director *director = director_open();
	uint64_t now = SECONDS(1);

	while (size >= 3) {
		size_t length = load16(data + 1);

		now += MILLISECONDS(100) * data[0];
		data += 3;
		size -= 3;
		if (length > size)
			length = size;
		director_take(director, data, length, (uint32_t)length, now);
		data += length;
		size -= length;
	}
	director_shut(director);
	return 0;
}
