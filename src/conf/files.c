/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_FIRST 4096

enum question { QUESTION_OPEN, QUESTION_STAT, QUESTION_FIND };

/* An answer. Behind it are the path or pattern, and then the file or the paths. */
struct answer {
	uint64_t dev;
	uint64_t ino;
	uint64_t name_length;
	uint64_t length;
	uint32_t question;
	uint32_t mode;
	int32_t result; /* of files_find() */
	int32_t error;  /* errno; 0: it worked */
};

/* --- the record --------------------------------------------------------------------------------------------------- */

static void
files_record(struct files *files, struct answer *answer, const char *name, const void *bytes)
{
	answer->name_length = strlen(name);
	if (files->record == NULL)
		return;
	/* A record that is cut short is found out when it is played. */
	(void)fwrite(answer, sizeof(*answer), 1, files->record);
	(void)fwrite(name, 1, (size_t)answer->name_length, files->record);
	if (answer->length > 0)
		(void)fwrite(bytes, 1, (size_t)answer->length, files->record);
}

/* The bytes of the next answer, or NULL with errno: it is not the one to this question. */
static const char *
files_play(struct files *files, enum question question, const char *name, struct answer *answer)
{
	const size_t left = (size_t)(files->end - files->play), length = strlen(name);
	const char *bytes = files->play + sizeof(*answer) + length;

	errno = EIO;
	if (left < sizeof(*answer) || left - sizeof(*answer) < length)
		return NULL;
	memcpy(answer, files->play, sizeof(*answer));
	if (answer->question != (uint32_t)question || answer->name_length != length ||
	    memcmp(files->play + sizeof(*answer), name, length) != 0 || answer->length > (uint64_t)(files->end - bytes))
		return NULL;
	files->play = bytes + answer->length;
	errno = answer->error;
	return bytes;
}

static void
files_fill_status(const struct answer *answer, struct stat *status)
{
	memset(status, 0, sizeof(*status));
	status->st_dev = (dev_t)answer->dev;
	status->st_ino = (ino_t)answer->ino;
	status->st_mode = (mode_t)answer->mode;
}

static void
files_take_status(struct answer *answer, const struct stat *status)
{
	answer->dev = (uint64_t)status->st_dev;
	answer->ino = (uint64_t)status->st_ino;
	answer->mode = (uint32_t)status->st_mode;
}

/* --- the disk ----------------------------------------------------------------------------------------------------- */

/* All that is left of it, to be freed; NULL with errno. */
static char *
files_read_all(int fd, uint64_t *length)
{
	size_t room = ROOM_FIRST, used = 0;
	char *bytes = malloc(room);

	while (bytes != NULL) {
		const ssize_t got = read(fd, bytes + used, room - used);

		if (got == 0) {
			*length = used;
			return bytes;
		}
		if (got == -1 && errno != EINTR)
			break;
		used += got > 0 ? (size_t)got : 0;
		if (used == room) {
			char *more = room < FILES_MOST ? realloc(bytes, room * 2) : NULL;

			if (more == NULL) {
				errno = room < FILES_MOST ? ENOMEM : EFBIG;
				break;
			}
			bytes = more;
			room *= 2;
		}
	}
	if (bytes != NULL) {
		const int reason = errno;

		free(bytes);
		errno = reason;
	}
	return NULL;
}

/* A directory has no bytes. */
static char *
files_read_disk(const char *path, struct answer *answer)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *bytes = NULL;

	if (fd == -1 || fstat(fd, &status) == -1) {
		answer->error = errno;
	} else {
		files_take_status(answer, &status);
		bytes = S_ISDIR(status.st_mode) ? calloc(1, 1) : files_read_all(fd, &answer->length);
		answer->error = bytes == NULL ? errno : 0;
	}
	if (fd != -1)
		(void)close(fd);
	return bytes;
}

/* Has a copy of the bytes. NULL with errno. */
static FILE *
files_stream(const char *bytes, uint64_t length)
{
	/* The byte beyond is for the zero that a flush adds. */
	FILE *stream = fmemopen(NULL, (size_t)length + 1, "w+");

	if (stream == NULL)
		return NULL;
	if (fwrite(bytes, 1, (size_t)length, stream) != length || fflush(stream) != 0) {
		(void)fclose(stream);
		errno = ENOMEM;
		return NULL;
	}
	rewind(stream);
	return stream;
}

static FILE *
files_open_disk(const char *path, struct stat *status)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	FILE *stream = NULL;
	int reason;

	if (fd == -1)
		return NULL;
	if (fstat(fd, status) == 0)
		stream = fdopen(fd, "r");
	if (stream == NULL) {
		reason = errno;
		(void)close(fd);
		errno = reason;
	}
	return stream;
}

/* --- the questions ------------------------------------------------------------------------------------------------ */

FILE *
files_open(struct files *files, const char *path, struct stat *status)
{
	struct answer answer = { .question = QUESTION_OPEN };
	const char *bytes;
	char *read = NULL;
	FILE *stream = NULL;

	if (files->play == NULL && files->record == NULL)
		return files_open_disk(path, status);
	if (files->play != NULL) {
		bytes = files_play(files, QUESTION_OPEN, path, &answer);
	} else {
		bytes = read = files_read_disk(path, &answer);
		files_record(files, &answer, path, bytes);
		errno = answer.error;
	}
	files->denied = files->denied || errno == EACCES;
	if (bytes != NULL && errno == 0) {
		files_fill_status(&answer, status);
		stream = files_stream(bytes, answer.length);
	}
	free(read);
	return stream;
}

int
files_stat(struct files *files, const char *path, struct stat *status)
{
	struct answer answer = { .question = QUESTION_STAT };

	if (files->play != NULL) {
		if (files_play(files, QUESTION_STAT, path, &answer) == NULL || answer.error != 0)
			return -1;
		files_fill_status(&answer, status);
		return 0;
	}
	if (stat(path, status) == 0)
		files_take_status(&answer, status);
	else
		answer.error = errno;
	files_record(files, &answer, path, NULL);
	errno = answer.error;
	return answer.error == 0 ? 0 : -1;
}

/* A copy of the matches with their zeros, and one more zero. NULL: memory is out. */
static char *
files_join(const glob_t *matches, uint64_t *length)
{
	size_t size = 1, at = 0;
	char *paths;

	for (size_t i = 0; i < matches->gl_pathc; i++)
		size += strlen(matches->gl_pathv[i]) + 1;
	paths = calloc(1, size);
	for (size_t i = 0; paths != NULL && i < matches->gl_pathc; i++) {
		const size_t bytes = strlen(matches->gl_pathv[i]) + 1;

		memcpy(paths + at, matches->gl_pathv[i], bytes);
		at += bytes;
	}
	*length = size;
	return paths;
}

static int
files_find_disk(const char *pattern, struct answer *answer, char **paths)
{
	glob_t matches;

	answer->result = glob(pattern, GLOB_NOSORT, NULL, &matches);
	answer->error = errno;
	if (answer->result != 0)
		return answer->result;
	*paths = files_join(&matches, &answer->length);
	globfree(&matches);
	if (*paths == NULL)
		answer->result = GLOB_NOSPACE;
	return answer->result;
}

int
files_find(struct files *files, const char *pattern, char **paths)
{
	struct answer answer = { .question = QUESTION_FIND };
	const char *bytes;

	*paths = NULL;
	if (files->play == NULL) {
		(void)files_find_disk(pattern, &answer, paths);
		if (*paths == NULL)
			answer.length = 0;
		files_record(files, &answer, pattern, *paths);
		errno = answer.error;
		return answer.result;
	}
	bytes = files_play(files, QUESTION_FIND, pattern, &answer);
	if (bytes == NULL)
		return GLOB_ABORTED;
	if (answer.result != 0)
		return answer.result;
	/* Two zeros at the end make a list. */
	if (answer.length < 2 || bytes[answer.length - 1] != '\0' || bytes[answer.length - 2] != '\0') {
		errno = EIO;
		return GLOB_ABORTED;
	}
	*paths = malloc((size_t)answer.length);
	if (*paths == NULL)
		return GLOB_NOSPACE;
	memcpy(*paths, bytes, (size_t)answer.length);
	return 0;
}
