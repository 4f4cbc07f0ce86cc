/* SPDX-License-Identifier: ISC */
/*
 * dsrctl's reader of the stream that `dsrctl trace` gets: what it reads it can write again, to the same bytes but
 * texts.
 */
#include "config.h"

#undef NDEBUG /* what is asserted is the test */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ctl/trace_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_frames(const struct trace_record *record, const uint8_t *data, size_t used)
{
	for (size_t i = 0; i < record->frame_count; i++) {
		const struct trace_frame *frame = &record->frames[i];

		if (frame->length == 0)
			continue;
		assert(frame->bytes >= data && frame->bytes + frame->length <= data + used);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trace_record record, again;
	static char way[TRACE_WAY_TEXT], other_way[TRACE_WAY_TEXT];
	static uint8_t bytes[TRACE_RECORD_MOST + 4];
	size_t at = 0, used = 0, other = 0;

	while (trace_record_read(data + at, size - at, &record, &used) == TRACE_READ) {
		assert(used > 4 && used <= size - at);
		check_frames(&record, data + at, used);
		assert(trace_record_write(&record, bytes, sizeof(bytes)) == used);
		assert(trace_record_read(bytes, used, &again, &other) == TRACE_READ && other == used);
		assert(again.frame_count == record.frame_count && again.when == record.when);
		assert(memcmp(again.texts, record.texts, sizeof(record.texts)) == 0);
		assert(strcmp(trace_way_text(&record.way, way), trace_way_text(&again.way, other_way)) == 0);
		at += used;
	}
	return 0;
}
