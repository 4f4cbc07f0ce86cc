/* SPDX-License-Identifier: ISC */
/* One line of the metrics: a sample with its labels. */
#ifndef WEB_METRICS_LINE_H
#define WEB_METRICS_LINE_H

#include <stddef.h>
#include <stdio.h>

struct label {
	const char *name;
	const char *value;
};

/* "dsrd_" NAME ENDING {LABELS} VALUE. Lines longer than 512 bytes would be cut; none of ours is. */
void metrics_line(FILE *out, const char *name, const char *ending, const struct label *labels, size_t count,
    const char *value);

#endif
