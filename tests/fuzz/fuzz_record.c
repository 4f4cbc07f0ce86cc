/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as the record of another process's reading (conf/files.h) of the configuration `main`: refused with at
 * least one error, or taken, and always the same way; and no file is opened.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errlist.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
insist(int holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

/* The dump, or the errors; to be freed. */
static char *
play(const uint8_t *data, size_t size)
{
	struct errlist *errors = errlist_new();
	char *text = NULL;
	struct conf conf;
	bool denied;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (errors == NULL || out == NULL)
		abort();
	if (conf_play("main", (const char *)data, size, &conf, errors, &denied) == 0) {
		insist(errlist_count(errors) == 0, "taken in spite of an error");
		conf_dump(&conf, out);
		conf_clear(&conf);
	} else {
		insist(errlist_count(errors) > 0, "refused without a reason");
		errlist_print(errors, out);
	}
	errlist_free(errors);
	(void)fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first = play(data, size), *again = play(data, size);

	insist(strcmp(first, again) == 0, "played twice with different results");
	free(first);
	free(again);
	return 0;
}
