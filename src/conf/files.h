/* SPDX-License-Identifier: ISC */
/*
 * What the parser asks of the file system, so that a process that must not wait for one can read a configuration:
 * another process reads it from disk and records each answer, and the first one plays the record. The parser asks the
 * same questions in the same order both times, so the record is a sequence. It is for one machine and one program:
 * numbers are in host order.
 */
#ifndef CONF_FILES_H
#define CONF_FILES_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"

#define FILES_MOST ((size_t)16 << 20) /* bytes of a file; more in a configuration is a mistake */

/* All zero: from disk, without a record. */
struct files {
	FILE *record;         /* answers are also written here */
	const char *play;     /* not NULL: answers come from here, up to `end`, and the file system is not asked */
	const char *end;
	bool denied;          /* the permission to open a file was missing */
};

/* As open() and fstat(), then all of the file; NULL with errno. EIO: the record has another answer, or ends. */
NODISCARD FILE *files_open(struct files *files, const char *path, struct stat *status);
/* As stat(): of `status` st_dev, st_ino and st_mode. 0, or -1 with errno. */
NODISCARD int files_stat(struct files *files, const char *path, struct stat *status);
/*
 * As glob(), in no order: its result, and for 0 the paths, of which each ends with a zero, and after the last another
 * one. To be freed. GLOB_ABORTED: errno.
 */
NODISCARD int files_find(struct files *files, const char *pattern, char **paths);

#endif
