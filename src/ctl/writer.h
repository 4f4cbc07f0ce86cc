/* SPDX-License-Identifier: ISC */
/*
 * Output of reports: one walk over the data, and a writer that makes it text for people or JSON for programs. A report
 * consists of facts, tables and nested items. Names are JSON's; labels and heads are for people, and an item without
 * one is for programs only.
 */
#ifndef CTL_WRITER_H
#define CTL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

enum mood {
	MOOD_PLAIN = 0,
	MOOD_GOOD,
	MOOD_WARN,
	MOOD_BAD,
	MOOD_HEAD
};

struct column {
	const char *name;
	const char *head; /* NULL: for programs only */
	bool right;       /* aligned, as numbers are */
};

#define COLUMNS_MOST 36

struct writer;

void writer_fact(struct writer *writer, const char *name, const char *label, const char *text);
void writer_number(struct writer *writer, const char *name, const char *label, uint64_t number);
void writer_flag(struct writer *writer, const char *name, bool value); /* programs only */
/* Several lines: commands, indented. With an empty label and outside of all items a text as it is. */
void writer_block(struct writer *writer, const char *name, const char *label, const char *text);
/* A table; people see nothing of one without rows. */
void writer_table(struct writer *writer, const char *name, const char *title, const struct column *columns,
    size_t count);
void writer_row(struct writer *writer);
void writer_cell(struct writer *writer, const char *text); /* NULL: unknown */
void writer_cell_mood(struct writer *writer, const char *text, enum mood mood);
void writer_cell_number(struct writer *writer, uint64_t number);
void writer_cell_flag(struct writer *writer, bool value);
void writer_table_end(struct writer *writer);
void writer_gap(struct writer *writer); /* an empty line, for people */
/* Things in things. */
void writer_list(struct writer *writer, const char *name, const char *title);
void writer_item(struct writer *writer, const char *heading, enum mood mood);
void writer_item_end(struct writer *writer);
void writer_list_end(struct writer *writer);

/* NULL when memory is out. */
NODISCARD struct writer *writer_json(FILE *out);
NODISCARD struct writer *writer_text(FILE *out, bool colour);
/* 0, or -1 when the report is not complete. Frees the writer. */
NODISCARD int writer_end(struct writer *writer);

#endif
