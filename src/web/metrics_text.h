/* SPDX-License-Identifier: ISC */
/* The two text formats of metrics: heads of families, samples with their labels, numbers. */
#ifndef WEB_METRICS_TEXT_H
#define WEB_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum metric_type {
	METRIC_GAUGE,
	METRIC_COUNTER,   /* its samples' names end in _total */
	METRIC_HISTOGRAM,
	METRIC_INFO       /* has a suffix too, _info, and is always 1 */
};

struct label {
	const char *name;
	const char *value;
};

/* "dsrd_" NAME ENDING {LABELS} VALUE. Lines longer than 512 bytes would be cut; none of ours is. */
void metrics_line(FILE *out, const char *name, const char *ending, const struct label *labels, size_t count,
    const char *value);
const char *metric_type_ending(enum metric_type type);
/* HELP and TYPE. `unknown`: OpenMetrics has no type for it. */
void metrics_head(FILE *out, bool openmetrics, const char *name, enum metric_type type, bool unknown, const char *help);

#define SECONDS_TEXT 32
/* "0.000250": exact, and without a locale's decimal comma. Returns `text`. */
const char *metrics_seconds(uint64_t microseconds, char text[SECONDS_TEXT]);
/* The shortest that still has a point, "0.00025" and "1.0": what both formats take for canonical. */
void metrics_bound(uint64_t microseconds, char text[SECONDS_TEXT]);

#endif
