/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a configuration: refused with at least one error, or taken; and what was taken is written by conf_dump()
 * in a way that is read back as the same.
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
insist(int holds, const char *what, const char *text)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:\n%s\n", what, text);
	abort();
}

/* The dump of what is in `bytes`, to be freed; NULL when that is no good configuration. */
static char *
read_and_dump(const char *bytes, size_t size)
{
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen((void *)(uintptr_t)bytes, size, "r");
	FILE *out;
	char *text = NULL;
	size_t length;
	struct conf conf;

	if (errors == NULL || in == NULL)
		goto out;
	if (conf_read(in, "fuzz", &conf, errors) != 0) {
		insist(errlist_count(errors) > 0, "refused without a reason", "");
		goto out;
	}
	insist(errlist_count(errors) == 0, "taken in spite of an error", errlist_text(errors, 0));
	out = open_memstream(&text, &length);
	if (out != NULL) {
		conf_dump(&conf, out);
		(void)fclose(out);
	}
	conf_clear(&conf);
out:
	if (in != NULL)
		(void)fclose(in);
	errlist_free(errors);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *first, *again;

	if (size == 0)
		return 0;
	first = read_and_dump((const char *)data, size);
	if (first == NULL)
		return 0;
	again = read_and_dump(first, strlen(first));
	insist(again != NULL, "the dump is refused", first);
	insist(strcmp(first, again) == 0, "the dump is read back as something else", first);
	free(first);
	free(again);
	return 0;
}
