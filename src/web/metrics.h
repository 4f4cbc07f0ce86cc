/* SPDX-License-Identifier: ISC */
/*
 * A director's counters for Prometheus: its text format 0.0.4, or OpenMetrics 1.0.0. Pure. One table has all names,
 * which dsrd-metrics(7) documents; every series exists from the start, so that rates work from the first sample.
 */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ctl/report.h"

#define METRICS_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/*
 * Part after part, from 0 on, since all at once would take long where servers are many. False: that was the last one.
 */
bool metrics_write(FILE *out, const struct report_facts *facts, bool openmetrics, size_t part);

/* The `index`th metric's name as Prometheus shows it, "dsrd_server_connections_total"; NULL past the last. */
#define METRIC_NAME_TEXT 64
const char *metrics_name(size_t index, char text[METRIC_NAME_TEXT]);

#endif
