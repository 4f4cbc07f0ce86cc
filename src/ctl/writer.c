/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/json.h"

#define CELL_MOST 160 /* what is longer is cut, in tables only, and there not in the last column */
#define INDENT 2
#define GAP 2 /* between columns */
#define LINE_WIDTH 100
#define NUMBER_TEXT 24
#define SCHEMA 1 /* of all reports: grows when something is taken away or means something else */

struct writer_cell {
	char *text;
	enum mood mood;
};

struct writer {
	FILE *out;
	const struct column *columns; /* of the table */
	size_t column;                /* of the next cell */
	bool is_json;
	/* JSON: */
	struct json json;
	bool in_row;
	/* Text. Aligned columns need all rows first, so a table's cells are kept until its end. */
	bool colour;
	bool failed;
	bool begun;           /* something was written: sections have an empty line between them */
	unsigned indent;
	const char *title;
	size_t column_count;
	struct writer_cell *cells;
	size_t cell_count;
	size_t cell_room;
};

static const char *
escape_of(const struct writer *writer, enum mood mood)
{
	/* ECMA-48 SGR. */
	static const char *const escapes[] = { "", "\033[32m", "\033[33m", "\033[31m", "\033[1m" };

	return writer->colour ? escapes[mood] : "";
}

static const char *
escape_end(const struct writer *writer, enum mood mood)
{
	return writer->colour && mood != MOOD_PLAIN ? "\033[0m" : "";
}

/* Text from others (names in DNS, answers of servers) must not contain terminal control sequences. */
static void
put_safe(FILE *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const unsigned char byte = (unsigned char)text[i];

		fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, out);
	}
}

static void
put_indent(struct writer *writer, unsigned more)
{
	fprintf(writer->out, "%*s", (int)((writer->indent + more) * INDENT), "");
}

/* Breaks a paragraph at blanks. */
static void
put_wrapped(struct writer *writer, const char *text, size_t used, unsigned more)
{
	FILE *out = writer->out;

	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (used > (writer->indent + more) * INDENT && used + 1 + word > LINE_WIDTH) {
			fputc('\n', out);
			put_indent(writer, more);
			used = (writer->indent + more) * INDENT;
		} else if (used > (writer->indent + more) * INDENT) {
			fputc(' ', out);
			used++;
		}
		put_safe(out, text, word);
		used += word;
		text += word + strspn(text + word, " ");
	}
	fputc('\n', out);
}

static void
put_fact(struct writer *writer, const char *label, const char *text)
{
	size_t used;

	put_indent(writer, 0);
	used = writer->indent * INDENT + (size_t)fprintf(writer->out, "%s%s", label, *label == '\0' ? "" : ":");
	put_wrapped(writer, text, used, *label == '\0' ? 0 : 1);
	writer->begun = true;
}

/* What is longer is cut, but in the last column. */
static void
keep_cell(struct writer *writer, const char *text, enum mood mood)
{
	bool is_last = true;

	for (size_t i = writer->column; i < writer->column_count; i++)
		is_last &= writer->columns[i].head == NULL;
	if (writer->cell_count == writer->cell_room) {
		const size_t room = writer->cell_room == 0 ? 64 : writer->cell_room * 2;
		struct writer_cell *cells = realloc(writer->cells, room * sizeof(*cells));

		if (cells == NULL) {
			writer->failed = true;
			return;
		}
		writer->cells = cells;
		writer->cell_room = room;
	}
	writer->cells[writer->cell_count].text = strndup(text, is_last ? strlen(text) : CELL_MOST);
	writer->cells[writer->cell_count].mood = mood;
	if (writer->cells[writer->cell_count].text == NULL)
		writer->failed = true;
	else
		writer->cell_count++;
}

/* `*blanks` are owed to the line: a line never ends in blanks. */
static void
put_cell(struct writer *writer, const char *text, enum mood mood, size_t width, bool right, size_t *blanks)
{
	FILE *out = writer->out;
	const size_t length = strlen(text), pad = length < width ? width - length : 0;

	*blanks += right ? pad : 0;
	if (length > 0) {
		fprintf(out, "%*s%s", (int)*blanks, "", escape_of(writer, mood));
		put_safe(out, text, length);
		fputs(escape_end(writer, mood), out);
		*blanks = 0;
	}
	*blanks += (right ? 0 : pad) + GAP;
}

static void
put_table(struct writer *writer)
{
	const struct column *shown[COLUMNS_MOST];
	size_t widths[COLUMNS_MOST], blanks = writer->indent * INDENT, count = 0;

	for (size_t i = 0; i < writer->column_count && count < COLUMNS_MOST; i++)
		if (writer->columns[i].head != NULL)
			shown[count++] = &writer->columns[i];
	if (count == 0 || writer->cell_count == 0 || writer->failed)
		return;
	if (writer->begun)
		fputc('\n', writer->out);
	if (writer->title != NULL)
		fprintf(writer->out, "%s%s%s\n", escape_of(writer, MOOD_HEAD), writer->title, escape_end(writer,
		    MOOD_HEAD));
	writer->begun = true;
	for (size_t i = 0; i < count; i++)
		widths[i] = strlen(shown[i]->head);
	for (size_t i = 0; i < writer->cell_count; i++) {
		const size_t length = strlen(writer->cells[i].text);

		if (length > widths[i % count])
			widths[i % count] = length;
	}
	for (size_t i = 0; i < count; i++)
		put_cell(writer, shown[i]->head, MOOD_HEAD, widths[i], shown[i]->right, &blanks);
	fputc('\n', writer->out);
	for (size_t i = 0; i < writer->cell_count; i++) {
		if (i % count == 0)
			blanks = writer->indent * INDENT;
		put_cell(writer, writer->cells[i].text, writer->cells[i].mood, widths[i % count],
		    shown[i % count]->right, &blanks);
		if (i % count + 1 == count)
			fputc('\n', writer->out);
	}
}

static void
drop_cells(struct writer *writer)
{
	for (size_t i = 0; i < writer->cell_count; i++)
		free(writer->cells[i].text);
	writer->cell_count = 0;
}

void
writer_fact(struct writer *writer, const char *name, const char *label, const char *text)
{
	if (writer->is_json && text == NULL)
		json_null(&writer->json, name);
	else if (writer->is_json)
		json_text(&writer->json, name, text);
	else if (label != NULL && text != NULL)
		put_fact(writer, label, text);
}

void
writer_number(struct writer *writer, const char *name, const char *label, uint64_t number)
{
	char text[NUMBER_TEXT];

	if (writer->is_json) {
		json_number(&writer->json, name, number);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, number);
	writer_fact(writer, name, label, text);
}

void
writer_flag(struct writer *writer, const char *name, bool value)
{
	if (writer->is_json)
		json_bool(&writer->json, name, value);
}

void
writer_block(struct writer *writer, const char *name, const char *label, const char *text)
{
	if (writer->is_json || label == NULL || text == NULL) {
		writer_fact(writer, name, label, text);
		return;
	}
	if (*label != '\0')
		put_fact(writer, "", label);
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		if (*label != '\0' || writer->indent > 0)
			put_indent(writer, 2);
		put_safe(writer->out, text, length);
		fputc('\n', writer->out);
		text += length + (text[length] == '\n');
	}
}

void
writer_table(struct writer *writer, const char *name, const char *title, const struct column *columns, size_t count)
{
	writer->title = title;
	writer->columns = columns;
	writer->column_count = count;
	writer->column = 0;
	writer->in_row = false;
	if (writer->is_json)
		json_array(&writer->json, name);
}

/* The object of a row. */
static void
writer_close_row(struct writer *writer)
{
	if (writer->in_row)
		json_close(&writer->json);
	writer->in_row = false;
}

void
writer_row(struct writer *writer)
{
	writer->column = 0;
	if (!writer->is_json)
		return;
	writer_close_row(writer);
	json_object(&writer->json, NULL);
	writer->in_row = true;
}

void
writer_cell_mood(struct writer *writer, const char *text, enum mood mood)
{
	const struct column *column = &writer->columns[writer->column++];

	if (writer->is_json)
		writer_fact(writer, column->name, NULL, text);
	else if (column->head != NULL)
		keep_cell(writer, text == NULL ? "-" : text, mood);
}

void
writer_cell(struct writer *writer, const char *text)
{
	writer_cell_mood(writer, text, MOOD_PLAIN);
}

void
writer_cell_number(struct writer *writer, uint64_t number)
{
	char text[NUMBER_TEXT];

	if (writer->is_json) {
		json_number(&writer->json, writer->columns[writer->column++].name, number);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, number);
	writer_cell(writer, text);
}

void
writer_cell_flag(struct writer *writer, bool value)
{
	if (writer->is_json)
		json_bool(&writer->json, writer->columns[writer->column++].name, value);
	else
		writer_cell(writer, value ? "yes" : "no");
}

void
writer_table_end(struct writer *writer)
{
	if (writer->is_json) {
		writer_close_row(writer);
		json_close(&writer->json);
		return;
	}
	put_table(writer);
	drop_cells(writer);
}

void
writer_gap(struct writer *writer)
{
	if (!writer->is_json)
		fputc('\n', writer->out);
}

void
writer_list(struct writer *writer, const char *name, const char *title)
{
	if (writer->is_json)
		json_array(&writer->json, name);
	else if (title != NULL)
		put_fact(writer, "", title);
}

void
writer_item(struct writer *writer, const char *heading, enum mood mood)
{
	if (writer->is_json) {
		json_object(&writer->json, NULL);
		return;
	}
	if (writer->begun && writer->indent == 0)
		fputc('\n', writer->out);
	if (heading != NULL) {
		put_indent(writer, 0);
		fputs(escape_of(writer, mood), writer->out);
		put_safe(writer->out, heading, strlen(heading));
		fprintf(writer->out, "%s\n", escape_end(writer, mood));
		writer->begun = true;
	}
	writer->indent++;
}

void
writer_item_end(struct writer *writer)
{
	if (writer->is_json)
		json_close(&writer->json);
	else
		writer->indent--;
}

void
writer_list_end(struct writer *writer)
{
	if (writer->is_json)
		json_close(&writer->json);
}

struct writer *
writer_json(FILE *out)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	writer->out = out;
	writer->is_json = true;
	json_begin(&writer->json, out);
	json_object(&writer->json, NULL);
	json_number(&writer->json, "schema", SCHEMA);
	return writer;
}

struct writer *
writer_text(FILE *out, bool colour)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	writer->out = out;
	writer->colour = colour;
	return writer;
}

int
writer_end(struct writer *writer)
{
	bool failed = writer->failed || ferror(writer->out);

	if (writer->is_json) {
		json_close(&writer->json);
		failed = json_finish(&writer->json) == -1;
	}
	drop_cells(writer);
	free(writer->cells);
	free(writer);
	return failed ? -1 : 0;
}
