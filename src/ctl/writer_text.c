/* SPDX-License-Identifier: ISC */
/* Aligned columns need all rows first, so a table's cells are kept until its end. */
#include "config.h"

#include "ctl/writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define CELL_MOST 160 /* what is longer is cut, in tables only, and there not in the last column */
#define INDENT 2
#define GAP 2 /* between columns */
#define LINE_WIDTH 100

struct writer_text_cell {
	char *text;
	enum mood mood;
};

struct text_writer {
	struct writer writer; /* first: a pointer to one is a pointer to the other */
	bool colour;
	bool failed;
	bool begun;           /* something was written: sections have an empty line between them */
	unsigned indent;
	const char *title;
	const struct column *columns;
	size_t column_count;
	struct writer_text_cell *cells;
	size_t cell_count;
	size_t cell_room;
	size_t column;        /* of the next cell */
};

static const char *
writer_text_escape_of(const struct text_writer *self, enum mood mood)
{
	/* ECMA-48 SGR. */
	static const char *const escapes[] = { "", "\033[32m", "\033[33m", "\033[31m", "\033[1m" };

	return self->colour ? escapes[mood] : "";
}

static const char *
escape_end(const struct text_writer *self, enum mood mood)
{
	return self->colour && mood != MOOD_PLAIN ? "\033[0m" : "";
}

static void
writer_text_start(struct writer *writer UNUSED)
{
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
put_indent(struct text_writer *self, unsigned more)
{
	fprintf(self->writer.out, "%*s", (int)((self->indent + more) * INDENT), "");
}

/* Breaks a paragraph at blanks. */
static void
put_wrapped(struct text_writer *self, const char *text, size_t used, unsigned more)
{
	FILE *out = self->writer.out;

	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (used > (self->indent + more) * INDENT && used + 1 + word > LINE_WIDTH) {
			fputc('\n', out);
			put_indent(self, more);
			used = (self->indent + more) * INDENT;
		} else if (used > (self->indent + more) * INDENT) {
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
writer_text_fact(struct writer *writer, const char *name UNUSED, const char *label, const char *text)
{
	struct text_writer *self = (struct text_writer *)writer;
	size_t used;

	if (label == NULL || text == NULL)
		return;
	put_indent(self, 0);
	used = self->indent * INDENT + (size_t)fprintf(writer->out, "%s%s", label, *label == '\0' ? "" : ":");
	put_wrapped(self, text, used, *label == '\0' ? 0 : 1);
	self->begun = true;
}

static void
writer_text_number(struct writer *writer, const char *name, const char *label, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	writer_text_fact(writer, name, label, text);
}

static void
writer_text_flag(struct writer *writer UNUSED, const char *name UNUSED, bool value UNUSED)
{
}

static void
writer_text_block(struct writer *writer, const char *name UNUSED, const char *label, const char *text)
{
	struct text_writer *self = (struct text_writer *)writer;

	if (label == NULL || text == NULL)
		return;
	if (*label != '\0')
		writer_text_fact(writer, NULL, "", label);
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		if (*label != '\0' || self->indent > 0)
			put_indent(self, 2);
		put_safe(writer->out, text, length);
		fputc('\n', writer->out);
		text += length + (text[length] == '\n');
	}
}

static void
writer_text_table(struct writer *writer, const char *name UNUSED, const char *title, const struct column *columns,
    size_t count)
{
	struct text_writer *self = (struct text_writer *)writer;

	self->title = title;
	self->columns = columns;
	self->column_count = count;
	self->cell_count = 0;
	self->column = 0;
}

static void
writer_text_row(struct writer *writer)
{
	((struct text_writer *)writer)->column = 0;
}

static bool
writer_text_make_room(struct text_writer *self)
{
	const size_t room = self->cell_room == 0 ? 64 : self->cell_room * 2;
	struct writer_text_cell *cells;

	if (self->cell_count < self->cell_room)
		return true;
	cells = realloc(self->cells, room * sizeof(*cells));
	if (cells == NULL)
		return false;
	self->cells = cells;
	self->cell_room = room;
	return true;
}

static void
writer_text_cell(struct writer *writer, const char *text, enum mood mood)
{
	struct text_writer *self = (struct text_writer *)writer;
	struct writer_text_cell *fresh;
	bool is_last = true;

	if (self->columns[self->column++].head == NULL)
		return;
	for (size_t i = self->column; i < self->column_count; i++)
		is_last &= self->columns[i].head == NULL;
	if (text == NULL)
		text = "-";
	if (!writer_text_make_room(self)) {
		self->failed = true;
		return;
	}
	fresh = &self->cells[self->cell_count];
	fresh->text = strndup(text, is_last ? strlen(text) : CELL_MOST);
	fresh->mood = mood;
	if (fresh->text == NULL)
		self->failed = true;
	else
		self->cell_count++;
}

static void
writer_text_cell_number(struct writer *writer, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	writer_text_cell(writer, text, MOOD_PLAIN);
}

static void
writer_text_cell_flag(struct writer *writer, bool value)
{
	writer_text_cell(writer, value ? "yes" : "no", MOOD_PLAIN);
}

/* `*blanks` are owed to the line: a line never ends in blanks. */
static void
put_cell(struct text_writer *self, const char *text, enum mood mood, size_t width, bool right, size_t *blanks)
{
	FILE *out = self->writer.out;
	const size_t length = strlen(text), pad = length < width ? width - length : 0;

	*blanks += right ? pad : 0;
	if (length > 0) {
		fprintf(out, "%*s%s", (int)*blanks, "", writer_text_escape_of(self, mood));
		put_safe(out, text, length);
		fputs(escape_end(self, mood), out);
		*blanks = 0;
	}
	*blanks += (right ? 0 : pad) + GAP;
}

static void
put_table(struct text_writer *self, const struct column *const shown[COLUMNS_MOST], size_t count)
{
	size_t widths[COLUMNS_MOST], blanks = self->indent * INDENT;

	for (size_t i = 0; i < count; i++)
		widths[i] = strlen(shown[i]->head);
	for (size_t i = 0; i < self->cell_count; i++) {
		const size_t length = strlen(self->cells[i].text);

		if (length > widths[i % count])
			widths[i % count] = length;
	}
	for (size_t i = 0; i < count; i++)
		put_cell(self, shown[i]->head, MOOD_HEAD, widths[i], shown[i]->right, &blanks);
	fputc('\n', self->writer.out);
	for (size_t i = 0; i < self->cell_count; i++) {
		if (i % count == 0)
			blanks = self->indent * INDENT;
		put_cell(self, self->cells[i].text, self->cells[i].mood, widths[i % count], shown[i % count]->right, &blanks);
		if (i % count + 1 == count)
			fputc('\n', self->writer.out);
	}
}

static void
drop_cells(struct text_writer *self)
{
	for (size_t i = 0; i < self->cell_count; i++)
		free(self->cells[i].text);
	self->cell_count = 0;
}

static void
writer_text_table_end(struct writer *writer)
{
	struct text_writer *self = (struct text_writer *)writer;
	const struct column *shown[COLUMNS_MOST];
	size_t count = 0;

	for (size_t i = 0; i < self->column_count && count < COLUMNS_MOST; i++)
		if (self->columns[i].head != NULL)
			shown[count++] = &self->columns[i];
	if (count > 0 && self->cell_count > 0 && !self->failed) {
		if (self->begun)
			fputc('\n', writer->out);
		if (self->title != NULL)
			fprintf(writer->out, "%s%s%s\n", writer_text_escape_of(self, MOOD_HEAD), self->title,
			    escape_end(self, MOOD_HEAD));
		put_table(self, shown, count);
		self->begun = true;
	}
	drop_cells(self);
}

static void
writer_text_gap(struct writer *writer)
{
	fputc('\n', writer->out);
}

static void
writer_text_list(struct writer *writer, const char *name UNUSED, const char *title)
{
	writer_text_fact(writer, NULL, title == NULL ? NULL : "", title);
}

static void
writer_text_item(struct writer *writer, const char *heading, enum mood mood)
{
	struct text_writer *self = (struct text_writer *)writer;

	if (self->begun && self->indent == 0)
		fputc('\n', writer->out);
	if (heading != NULL) {
		put_indent(self, 0);
		fputs(writer_text_escape_of(self, mood), writer->out);
		put_safe(writer->out, heading, strlen(heading));
		fprintf(writer->out, "%s\n", escape_end(self, mood));
		self->begun = true;
	}
	self->indent++;
}

static void
item_end(struct writer *writer)
{
	((struct text_writer *)writer)->indent--;
}

static void
list_end(struct writer *writer UNUSED)
{
}

static int
writer_text_end(struct writer *writer)
{
	struct text_writer *self = (struct text_writer *)writer;
	const bool failed = self->failed || ferror(writer->out);

	drop_cells(self);
	free(self->cells);
	return failed ? -1 : 0;
}

static const struct writer_ops ops = { writer_text_start, writer_text_end, writer_text_fact, writer_text_number,
    writer_text_flag, writer_text_block, writer_text_table, writer_text_row, writer_text_cell, writer_text_cell_number,
    writer_text_cell_flag,
	writer_text_table_end, writer_text_gap, writer_text_list, writer_text_item, item_end, list_end };

struct writer *
writer_text(FILE *out, bool colour)
{
	struct text_writer *self = calloc(1, sizeof(*self));

	if (self == NULL)
		return NULL;
	self->writer.ops = &ops;
	self->writer.out = out;
	self->colour = colour;
	return &self->writer;
}
