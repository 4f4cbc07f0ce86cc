/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "web/metrics_line.h"

#include <string.h>

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
metrics_line_add(struct line *line, const char *text)
{
	const size_t length = strlen(text);

	if (length > LINE_TEXT - line->used)
		return;
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

/* Backslash, quote and newline are all that both formats escape. */
static void
add_label(struct line *line, const struct label *label)
{
	metrics_line_add(line, label->name);
	metrics_line_add(line, "=\"");
	for (const char *at = label->value; *at != '\0'; at++) {
		if (*at == '\n')
			metrics_line_add(line, "\\n");
		else if (*at == '"' || *at == '\\')
			metrics_line_add(line, (const char[]){ '\\', *at, '\0' });
		else if (line->used < LINE_TEXT)
			line->text[line->used++] = *at;
	}
	metrics_line_add(line, "\"");
}

void
metrics_line(FILE *out, const char *name, const char *ending, const struct label *labels, size_t count,
    const char *value)
{
	struct line line;

	line.used = 0;
	metrics_line_add(&line, "dsrd_");
	metrics_line_add(&line, name);
	metrics_line_add(&line, ending);
	for (size_t i = 0; i < count; i++) {
		metrics_line_add(&line, i == 0 ? "{" : ",");
		add_label(&line, &labels[i]);
	}
	metrics_line_add(&line, count > 0 ? "} " : " ");
	metrics_line_add(&line, value);
	metrics_line_add(&line, "\n");
	fwrite(line.text, 1, line.used, out);
}
