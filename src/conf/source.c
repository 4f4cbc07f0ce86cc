/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/source.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "conf/keys.h"
#include "conf/reader.h"

#define ERROR_TEXT 1024

static void add_error(struct parse *parse, const struct place *place, const char *format, va_list args)
    PRINTF_LIKE(3, 0);

static void
add_error(struct parse *parse, const struct place *place, const char *format, va_list args)
{
	char text[ERROR_TEXT];

	(void)vsnprintf(text, sizeof(text), format, args);
	errlist_add(parse->errors, place->file, place->line, "%s", text);
}

void
parse_error_at(struct parse *parse, const struct place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(parse, place, format, args);
	va_end(args);
}

void
parse_error(struct parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(parse, &parse->place, format, args);
	va_end(args);
}

enum set_result
parse_refuse(struct parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_error(parse, &parse->place, format, args);
	va_end(args);
	return SET_REPORTED;
}

void
parse_out_of_memory(struct parse *parse)
{
	parse_error(parse, "out of memory");
}

const char *
place_text(const struct place *place, const struct place *from, char text[PLACE_TEXT])
{
	if (strcmp(place->file, from->file) == 0)
		(void)snprintf(text, PLACE_TEXT, "on line %u", place->line);
	else
		(void)snprintf(text, PLACE_TEXT, "in %s on line %u", place->file, place->line);
	return text;
}

void *
parse_grow(void *array, size_t count, size_t size)
{
	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) != 0)
		return array;
	if (count > SIZE_MAX / size / 2)
		return NULL;
	return realloc(array, (count == 0 ? 1 : count * 2) * size);
}

static struct draft *
source_find_service(const struct parse *parse, const char *name)
{
	for (size_t i = 0; i < parse->service_count; i++) {
		if (!parse->services[i]->discard && strcmp(parse->services[i]->service.name, name) == 0)
			return parse->services[i];
	}
	return NULL;
}

static struct draft *
new_service(struct parse *parse)
{
	struct draft **services = parse_grow(parse->services, parse->service_count, sizeof(struct draft *));
	struct draft *draft = calloc(1, sizeof(*draft));

	if (services != NULL)
		parse->services = services;
	if (services == NULL || draft == NULL) {
		free(draft);
		parse_out_of_memory(parse);
		return NULL;
	}
	draft->kind = CONF_IN_SERVICE;
	draft->place = parse->place;
	services[parse->service_count++] = draft;
	return draft;
}

static void
begin_service(struct parse *parse, const char *name)
{
	const struct draft *twin = source_find_service(parse, name);
	char where[PLACE_TEXT];

	parse->draft = new_service(parse);
	if (parse->draft == NULL)
		return;
	parse->draft->discard = true;
	if (*name == '\0')
		parse_error(parse, "a service needs a name: [service NAME]");
	else if (!key_is_name(name))
		parse_error(parse, "`%s` is not a valid service name: use up to %d letters, digits, `_`, `.` and `-`",
		    name,
		    NAME_MOST - 1);
	else if (twin != NULL)
		parse_error(parse, "service `%s` was defined %s already", name,
		    place_text(&twin->place, &parse->place, where));
	else {
		(void)snprintf(parse->draft->service.name, NAME_MOST, "%s", name);
		parse->draft->discard = false;
	}
}

static void
tell_unknown_section(struct parse *parse, const char *header, const char *kind)
{
	static const char *const names[] = { "dsrd", "defaults", "service", NULL };
	const char *nearest = text_nearest(kind, names);

	if (nearest == NULL)
		parse_error(parse, "unknown section [%s]: there are [dsrd], [defaults] and [service NAME]", header);
	else
		parse_error(parse, "unknown section [%s], did you mean [%s%s]?", header, nearest,
		    strcmp(nearest, "service") == 0 ? " NAME" : "");
}

static void
begin_section(void *context, unsigned line, const char *header)
{
	struct parse *parse = context;
	char text[READER_LINE + 1];
	char *rest = text;
	const char *kind;

	parse->place.line = line;
	parse->draft = NULL;
	(void)snprintf(text, sizeof(text), "%s", header);
	kind = text_next_word(&rest);
	if (kind == NULL)
		kind = "";
	rest = text_trim(rest);
	if (strcmp(kind, "service") == 0)
		begin_service(parse, rest);
	else if (strcmp(kind, "dsrd") == 0 && *rest == '\0')
		parse->draft = &parse->dsrd;
	else if (strcmp(kind, "defaults") == 0 && *rest == '\0')
		parse->draft = &parse->defaults;
	else
		tell_unknown_section(parse, header, kind);
	parse->lost = parse->draft == NULL;
	if (parse->draft != NULL && parse->draft->place.file == NULL)
		parse->draft->place = parse->place;
}

static void
source_take_key(void *context, unsigned line, const char *name, const char *value)
{
	struct parse *parse = context;

	parse->place.line = line;
	if (parse->draft != NULL)
		key_take(parse, name, value);
	else if (!parse->lost)
		parse_error(parse, "`%s` is before the first section: start with [dsrd]", name);
}

/* NULL when memory is out. */
static struct source *
new_source(struct parse *parse, const char *name)
{
	struct source **sources = parse_grow(parse->sources, parse->source_count, sizeof(struct source *));
	struct source *source = calloc(1, sizeof(*source));

	if (sources != NULL)
		parse->sources = sources;
	if (source != NULL)
		source->name = strdup(name);
	if (sources == NULL || source == NULL || source->name == NULL) {
		free(source);
		parse_out_of_memory(parse);
		return NULL;
	}
	sources[parse->source_count++] = source;
	return source;
}

/* An included file starts without a section, and does not affect the section of the including file. */
static void
read_source(struct parse *parse, FILE *in, struct source *source)
{
	const struct reader_events events = { begin_section, source_take_key, parse };
	const struct parse saved = *parse;

	parse->source = source;
	parse->draft = NULL;
	parse->lost = false;
	parse->place = (struct place){ .file = source->name };
	parse->depth++;
	reader_run(in, source->name, parse->errors, &events);
	parse->source = saved.source;
	parse->draft = saved.draft;
	parse->lost = saved.lost;
	parse->place = saved.place;
	parse->depth = saved.depth;
}

void
parse_stream(struct parse *parse, FILE *in, const char *name)
{
	struct source *source = new_source(parse, name);

	if (source != NULL)
		read_source(parse, in, source);
}

static bool
was_read(const struct parse *parse, const struct stat *status)
{
	for (size_t i = 0; i < parse->source_count; i++) {
		const struct source *source = parse->sources[i];

		if (source->on_disk && source->dev == status->st_dev && source->ino == status->st_ino)
			return true;
	}
	return false;
}

void
parse_file(struct parse *parse, const char *path)
{
	struct source *source;
	struct stat status;
	FILE *in = files_open(parse->files, path, &status);

	if (in == NULL) {
		parse_error(parse, "cannot open %s: %s", path, strerror(errno));
		return;
	}
	if (S_ISDIR(status.st_mode))
		parse_error(parse, "cannot read %s: it is a directory", path);
	else if (was_read(parse, &status))
		parse_error(parse, "%s has been read already: a file cannot include itself or be included twice", path);
	else if ((source = new_source(parse, path)) != NULL) {
		source->dev = status.st_dev;
		source->ino = status.st_ino;
		source->on_disk = true;
		read_source(parse, in, source);
	}
	(void)fclose(in);
}

/*
 * `include = PATTERN`: the matching files in byte order of their names, so that every system and locale reads them in
 * the same order. Hidden files are skipped: they are often an editor's.
 */
#define DEPTH_MOST 8 /* deeper nesting is a mistake */

#define PATTERN_TEXT 1024

/* Relative to the directory of the file that includes. False when it does not fit. */
static bool
complete_pattern(const char *from, const char *pattern, char text[PATTERN_TEXT])
{
	const char *slash = strrchr(from, '/');
	int length;

	if (*pattern == '/' || slash == NULL)
		length = snprintf(text, PATTERN_TEXT, "%s", pattern);
	else
		length = snprintf(text, PATTERN_TEXT, "%.*s/%s", (int)(slash - from), from, pattern);
	return length >= 0 && length < PATTERN_TEXT;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A pipe or a device would be waited for, or would never end. */
static void
include_file(struct parse *parse, const char *path)
{
	struct stat status;

	if (files_stat(parse->files, path, &status) != 0)
		parse_error(parse, "cannot open %s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		parse_error(parse, "cannot include %s: not a regular file", path);
	else
		parse_file(parse, path);
}

/* The files of a list as files_find() gives it. */
static void
include_list(struct parse *parse, const char *paths)
{
	size_t count = 0, at = 0;
	const char **sorted;

	for (const char *path = paths; *path != '\0'; path += strlen(path) + 1)
		count++;
	sorted = calloc(count + 1, sizeof(*sorted));
	if (sorted == NULL) {
		parse_out_of_memory(parse);
		return;
	}
	for (const char *path = paths; *path != '\0'; path += strlen(path) + 1)
		sorted[at++] = path;
	qsort(sorted, count, sizeof(*sorted), compare_paths);
	for (at = 0; at < count && errlist_count(parse->errors) < READER_ERRORS; at++) {
		const char *slash = strrchr(sorted[at], '/');

		/* Hidden files are often an editor's. */
		if ((slash == NULL ? sorted[at] : slash + 1)[0] != '.')
			include_file(parse, sorted[at]);
	}
	free(sorted);
}

static void
include_matches(struct parse *parse, const char *pattern)
{
	char *paths;

	switch (files_find(parse->files, pattern, &paths)) {
	case 0:
		include_list(parse, paths);
		break;
	case GLOB_NOMATCH: /* an empty directory of snippets is a fine start */
		break;
	case GLOB_NOSPACE:
		parse_out_of_memory(parse);
		break;
	default:
		parse_error(parse, "cannot look for %s: %s", pattern, strerror(errno));
		break;
	}
	free(paths);
}

void
parse_include(struct parse *parse, const char *pattern)
{
	char text[PATTERN_TEXT];

	if (!parse->source->on_disk)
		parse_error(parse, "`include` works in a file only");
	else if (parse->depth >= DEPTH_MOST)
		parse_error(parse, "files include each other more than %d deep", DEPTH_MOST);
	else if (!complete_pattern(parse->source->name, pattern, text))
		parse_error(parse, "`%s`: the path is too long", pattern);
	else if (strpbrk(pattern, "*?[") == NULL)
		include_file(parse, text);
	else
		include_matches(parse, text);
}
