/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/writer.h"

#include <stdlib.h>

#include "base/attr.h"
#include "ctl/json.h"

#define SCHEMA 1 /* of all reports: grows when something is taken away or means something else */

struct json_writer {
	struct writer writer; /* first: a pointer to one is a pointer to the other */
	struct json json;
	const struct column *columns;
	size_t column;
	bool in_row;
};

static struct json *
json_of(struct writer *writer)
{
	return &((struct json_writer *)writer)->json;
}

static void
writer_json_start(struct writer *writer)
{
	json_object(json_of(writer), NULL);
	json_number(json_of(writer), "schema", SCHEMA);
}

static int
writer_json_end(struct writer *writer)
{
	json_close(json_of(writer));
	return json_finish(json_of(writer));
}

static void
writer_json_fact(struct writer *writer, const char *name, const char *label UNUSED, const char *text)
{
	if (text == NULL)
		json_null(json_of(writer), name);
	else
		json_text(json_of(writer), name, text);
}

static void
writer_json_number(struct writer *writer, const char *name, const char *label UNUSED, uint64_t value)
{
	json_number(json_of(writer), name, value);
}

static void
writer_json_flag(struct writer *writer, const char *name, bool value)
{
	json_bool(json_of(writer), name, value);
}

static void
writer_json_table(struct writer *writer, const char *name, const char *title UNUSED, const struct column *columns,
    size_t count UNUSED)
{
	struct json_writer *self = (struct json_writer *)writer;

	json_array(&self->json, name);
	self->columns = columns;
	self->in_row = false;
}

static void
end_row(struct json_writer *self)
{
	if (self->in_row)
		json_close(&self->json);
	self->in_row = false;
}

static void
writer_json_row(struct writer *writer)
{
	struct json_writer *self = (struct json_writer *)writer;

	end_row(self);
	json_object(&self->json, NULL);
	self->column = 0;
	self->in_row = true;
}

static const char *
next_name(struct writer *writer)
{
	struct json_writer *self = (struct json_writer *)writer;

	return self->columns[self->column++].name;
}

static void
writer_json_cell(struct writer *writer, const char *text, enum mood mood UNUSED)
{
	writer_json_fact(writer, next_name(writer), NULL, text);
}

static void
writer_json_cell_number(struct writer *writer, uint64_t value)
{
	json_number(json_of(writer), next_name(writer), value);
}

static void
writer_json_cell_flag(struct writer *writer, bool value)
{
	json_bool(json_of(writer), next_name(writer), value);
}

static void
writer_json_table_end(struct writer *writer)
{
	end_row((struct json_writer *)writer);
	json_close(json_of(writer));
}

static void
writer_json_list(struct writer *writer, const char *name, const char *title UNUSED)
{
	json_array(json_of(writer), name);
}

static void
writer_json_item(struct writer *writer, const char *heading UNUSED, enum mood mood UNUSED)
{
	json_object(json_of(writer), NULL);
}

static void
writer_json_close_one(struct writer *writer)
{
	json_close(json_of(writer));
}

static void
writer_json_gap(struct writer *writer UNUSED)
{
}

static const struct writer_ops ops = { writer_json_start, writer_json_end, writer_json_fact, writer_json_number,
    writer_json_flag, writer_json_fact, writer_json_table, writer_json_row, writer_json_cell, writer_json_cell_number,
    writer_json_cell_flag,
	writer_json_table_end, writer_json_gap, writer_json_list, writer_json_item, writer_json_close_one,
	    writer_json_close_one };

struct writer *
writer_json(FILE *out)
{
	struct json_writer *self = calloc(1, sizeof(*self));

	if (self == NULL)
		return NULL;
	self->writer.ops = &ops;
	self->writer.out = out;
	json_begin(&self->json, out);
	writer_json_start(&self->writer);
	return &self->writer;
}

int
writer_end(struct writer *writer)
{
	const int result = writer->ops->end(writer);

	free(writer);
	return result;
}
