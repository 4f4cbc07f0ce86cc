/* SPDX-License-Identifier: ISC */
/* The reader of the director's reports in `dsrctl top`, and the screen that it fills. */
#include "config.h"

#undef NDEBUG /* what is asserted is the test */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/snapshot.h"
#include "cli/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever names and reasons hold, a screen has as many lines as it has. */
static void
draw(struct snapshot *snapshot)
{
	struct view view = { .rows = 12, .columns = 60, .colour = true };
	unsigned lines = 1;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (out == NULL)
		return;
	screen_draw(snapshot, &view, out);
	assert(fclose(out) == 0);
	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	assert(lines <= view.rows);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot snapshot;

	if (snapshot_read(&snapshot, (const char *)data, size) == 0) {
		for (enum snapshot_order order = 0; order < ORDER_COUNT; order++)
			snapshot_arrange(&snapshot, &(struct snapshot_arrangement) { .order = order, .reversed = true,
			    .filter = "a" });
		draw(&snapshot);
	}
	snapshot_clear(&snapshot);
	return 0;
}
