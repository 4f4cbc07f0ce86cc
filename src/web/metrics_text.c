/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/metrics_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/duration.h"

/*
 * A line is composed here and written with one call: there are thousands of them, and each stdio call takes a lock. The
 * buffer holds the longest possible one: a name, and three labels whose values are names, addresses or fixed words.
 */
#define LINE_TEXT 512

struct line {
	char text[LINE_TEXT];
	size_t used;
};

static void
metrics_text_add(struct line *line, const char *text)
{
	const size_t length = strlen(text);

	if (length > LINE_TEXT - line->used)
		return;
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

/* Backslash, quote and newline are all that both formats escape. */
static void
metrics_text_add_label(struct line *line, const struct label *label)
{
	metrics_text_add(line, label->name);
	metrics_text_add(line, "=\"");
	for (const char *at = label->value; *at != '\0'; at++) {
		if (*at == '\n')
			metrics_text_add(line, "\\n");
		else if (*at == '"' || *at == '\\')
			metrics_text_add(line, (const char[]){ '\\', *at, '\0' });
		else if (line->used < LINE_TEXT)
			line->text[line->used++] = *at;
	}
	metrics_text_add(line, "\"");
}

void
metrics_line(FILE *out, const char *name, const char *ending, const struct label *labels, size_t count,
    const char *value)
{
	struct line line;

	line.used = 0;
	metrics_text_add(&line, "dsrd_");
	metrics_text_add(&line, name);
	metrics_text_add(&line, ending);
	for (size_t i = 0; i < count; i++) {
		metrics_text_add(&line, i == 0 ? "{" : ",");
		metrics_text_add_label(&line, &labels[i]);
	}
	metrics_text_add(&line, count > 0 ? "} " : " ");
	metrics_text_add(&line, value);
	metrics_text_add(&line, "\n");
	fwrite(line.text, 1, line.used, out);
}

const char *
metric_type_ending(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "_total";
	case METRIC_INFO:
		return "_info";
	case METRIC_GAUGE:
	case METRIC_HISTOGRAM:
		break;
	}
	return "";
}

const char *
metrics_seconds(uint64_t microseconds, char text[SECONDS_TEXT])
{
	snprintf(text, SECONDS_TEXT, "%" PRIu64 ".%06" PRIu64, microseconds / SECONDS(1), microseconds % SECONDS(1));
	return text;
}

void
metrics_bound(uint64_t microseconds, char text[SECONDS_TEXT])
{
	size_t length = strlen(metrics_seconds(microseconds, text));

	while (text[length - 1] == '0' && text[length - 2] != '.')
		text[--length] = '\0';
}

void
metrics_head(FILE *out, bool openmetrics, const char *name, enum metric_type type, bool unknown, const char *help)
{
	static const char *const types[] = { [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram", [METRIC_INFO] = "info" };
	/* OpenMetrics names the family, the older format the samples; and that has no info. */
	const char *ending = openmetrics && !unknown ? "" : metric_type_ending(type), *word = types[type];

	if (type == METRIC_INFO && !openmetrics)
		word = "gauge";
	else if (unknown)
		word = "unknown";
	fprintf(out, "# HELP dsrd_%s%s %s\n# TYPE dsrd_%s%s %s\n", name, ending, help, name, ending, word);
}
