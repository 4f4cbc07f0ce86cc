/* SPDX-License-Identifier: ISC */
/*
 * `include = PATTERN`: the matching files in byte order of their names, so that every system and locale reads them in
 * the same order. Hidden files are skipped: they are often an editor's.
 */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/reader.h"
#include "conf/source.h"

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
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
include_hidden(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (slash == NULL ? path : slash + 1)[0] == '.';
}

/* A pipe or a device would be waited for, or would never end. */
static void
include_file(struct parse *parse, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		parse_error(parse, "cannot open %s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		parse_error(parse, "cannot include %s: not a regular file", path);
	else
		parse_file(parse, path);
}

static void
include_matches(struct parse *parse, const char *pattern)
{
	glob_t matches;
	int result = glob(pattern, GLOB_NOSORT, NULL, &matches);

	switch (result) {
	case 0:
		qsort(matches.gl_pathv, matches.gl_pathc, sizeof(matches.gl_pathv[0]), compare_paths);
		for (size_t i = 0; i < matches.gl_pathc && errlist_count(parse->errors) < READER_ERRORS; i++) {
			if (!include_hidden(matches.gl_pathv[i]))
				include_file(parse, matches.gl_pathv[i]);
		}
		globfree(&matches);
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
