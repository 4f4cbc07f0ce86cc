/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzzer's LLVMFuzzerTestOneInput() over a corpus without libFuzzer, so that `make check` does it everywhere.
 * Each file is given whole, then cut short at every length: what a fuzzer found once stays found, and so does every
 * short read near it. Inputs are on the heap with no byte to spare, for a sanitizer or valgrind to see the first byte
 * beyond.
 *
 *     replay_WHAT [DIRECTORY]     default: $SOURCE_DIR/tests/fuzz/corpus/WHAT
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VIPCHECK_TEXT 4096
#define INPUT_MOST (1024 * 1024)
#define CUT_MOST 2048 /* longer inputs are cut in as many places, evenly: all would take too long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run(const uint8_t *bytes, size_t length)
{
	uint8_t *copy;

	copy = malloc(length > 0 ? length : 1);
	if (copy == NULL)
		return -1;
	memcpy(copy, bytes, length);
	(void)LLVMFuzzerTestOneInput(copy, length);
	free(copy);
	return 0;
}

static int
run_cut(const uint8_t *bytes, size_t length)
{
	size_t cut, step;

	step = length / CUT_MOST + 1;
	for (cut = 0; cut < length; cut += step)
		if (run(bytes, cut) == -1)
			return -1;
	return run(bytes, length);
}

/* 0, or -1 with the reason printed. */
static int
replay_file(const char *path)
{
	uint8_t *bytes;
	size_t length;
	FILE *in;
	int result = -1;

	bytes = malloc(INPUT_MOST);
	in = fopen(path, "rb");
	if (bytes == NULL || in == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		goto out;
	}
	length = fread(bytes, 1, INPUT_MOST, in);
	if (ferror(in) || !feof(in)) {
		fprintf(stderr, "%s: cannot be read, or is longer than %d bytes\n", path, INPUT_MOST);
		goto out;
	}
	if (run_cut(bytes, length) == -1) {
		fprintf(stderr, "%s: out of memory\n", path);
		goto out;
	}
	result = 0;
out:
	if (in != NULL)
		fclose(in);
	free(bytes);
	return result;
}

/* The number of files, or -1 with the reason printed. */
static int
replay_directory(const char *directory)
{
	char path[VIPCHECK_TEXT];
	struct dirent *entry;
	struct stat status;
	int count = 0;
	DIR *dir;

	dir = opendir(directory);
	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", directory, strerror(errno));
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= (int)sizeof(path))
			continue;
		if (stat(path, &status) == -1 || !S_ISREG(status.st_mode))
			continue;
		/* A sanitizer's report does not say which input it was about. */
		fprintf(stderr, "replaying %s\n", path);
		if (replay_file(path) == -1) {
			count = -1;
			break;
		}
		count++;
	}
	closedir(dir);
	return count;
}

/* WHAT of ".../replay_WHAT"; libtool and some systems put something in front or behind, which nobody does here. */
static const char *
corpus_name(const char *program)
{
	const char *slash, *name;

	slash = strrchr(program, '/');
	name = slash == NULL ? program : slash + 1;
	return strncmp(name, "replay_", 7) == 0 ? name + 7 : name;
}

int
main(int argc, char **argv)
{
	char path[VIPCHECK_TEXT];
	const char *source;
	int count;

	source = getenv("SOURCE_DIR");
	if (argc > 1)
		snprintf(path, sizeof(path), "%s", argv[1]);
	else
		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source == NULL ? "." : source,
		    corpus_name(argv[0]));
	count = replay_directory(path);
	if (count == -1)
		return 1;
	printf("%s: %d files, whole and cut short\n", path, count);
	if (count == 0) {
		fprintf(stderr, "%s: a corpus without files tests nothing\n", path);
		return 1;
	}
	return 0;
}
