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
begin(struct writer *writer)
{
	json_object(json_of(writer), NULL);
	json_number(json_of(writer), "schema", SCHEMA);
}

static int
end(struct writer *writer)
{
	json_close(json_of(writer));
	return json_finish(json_of(writer));
}

static void
fact(struct writer *writer, const char *name, const char *label UNUSED, const char *text)
{
	if (text == NULL)
		json_null(json_of(writer), name);
	else
		json_text(json_of(writer), name, text);
}

static void
number(struct writer *writer, const char *name, const char *label UNUSED, uint64_t value)
{
	json_number(json_of(writer), name, value);
}

static void
flag(struct writer *writer, const char *name, bool value)
{
	json_bool(json_of(writer), name, value);
}

static void
table(struct writer *writer, const char *name, const char *title UNUSED, const struct column *columns,
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
row(struct writer *writer)
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
cell(struct writer *writer, const char *text, enum mood mood UNUSED)
{
	fact(writer, next_name(writer), NULL, text);
}

static void
cell_number(struct writer *writer, uint64_t value)
{
	json_number(json_of(writer), next_name(writer), value);
}

static void
cell_flag(struct writer *writer, bool value)
{
	json_bool(json_of(writer), next_name(writer), value);
}

static void
table_end(struct writer *writer)
{
	end_row((struct json_writer *)writer);
	json_close(json_of(writer));
}

static void
list(struct writer *writer, const char *name, const char *title UNUSED)
{
	json_array(json_of(writer), name);
}

static void
item(struct writer *writer, const char *heading UNUSED, enum mood mood UNUSED)
{
	json_object(json_of(writer), NULL);
}

static void
close_one(struct writer *writer)
{
	json_close(json_of(writer));
}

static void
gap(struct writer *writer UNUSED)
{
}

static const struct writer_ops ops = { begin, end, fact, number, flag, fact, table, row, cell, cell_number, cell_flag,
	table_end, gap, list, item, close_one, close_one };

struct writer *
writer_json(FILE *out)
{
	struct json_writer *self = calloc(1, sizeof(*self));

	if (self == NULL)
		return NULL;
	self->writer.ops = &ops;
	self->writer.out = out;
	json_begin(&self->json, out);
	begin(&self->writer);
	return &self->writer;
}

int
writer_end(struct writer *writer)
{
	const int result = writer->ops->end(writer);

	free(writer);
	return result;
}
