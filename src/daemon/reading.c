/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/files.h"

#define TASK "configuration"

struct reading {
	struct reading_parts parts;
	struct child *child;
	reading_done *done;
	void *context;
};

int
reading_task(const char *const *argv)
{
	FILE *record;

	if (strcmp(argv[0], TASK) != 0 || argv[1] == NULL)
		return ENOSYS;
	record = fdopen(STDOUT_FILENO, "w");
	if (record == NULL)
		return errno;
	return conf_record(argv[1], record) == 0 ? 0 : EIO;
}

/* It gave up root after it read the file the first time. */
static void
reading_explain_user(const char *path, struct errlist *errors)
{
	errlist_add(errors, path, 0, "the director runs as user ID %jd now (`user`), which may not read it: let that "
	    "user read it and all directories above, or restart dsrd", (intmax_t)geteuid());
}

/*
 * The process that reads is never root. A director that stays root (`user = root`) may read more than that one: what
 * only root can read it reads itself, and waits.
 */
static int
reading_play(const char *path, const struct child_end *end, struct conf *fresh, struct errlist **errors)
{
	bool denied = false;
	int result = conf_play(path, end->bytes != NULL ? end->bytes : "", end->length, fresh, *errors, &denied);

	if (result == 0 || !denied)
		return result;
	if (geteuid() != 0) {
		reading_explain_user(path, *errors);
		return -1;
	}
	errlist_free(*errors);
	*errors = errlist_new();
	return *errors != NULL ? conf_load(path, fresh, *errors) : -1;
}

/* 0, or -1 with its errors added and nothing to free. */
static int
reading_judge(const struct reading *reading, const struct child_end *end, struct conf *fresh, struct errlist **errors)
{
	const char *path = reading->parts.options->config;

	if (end->timed_out) {
		errlist_add(*errors, path, 0, "its file system, or that of a file that it includes, has not answered "
		    "for %d seconds",
		    READING_SECONDS);
		return -1;
	}
	if (end->error != 0) {
		errlist_add(*errors, path, 0, "it cannot be read: %s", strerror(end->error));
		return -1;
	}
	if (reading_play(path, end, fresh, errors) == -1)
		return -1;
	options_override(reading->parts.options, fresh);
	if (fresh->hash_key[0] == '\0')
		fresh->settings.hash_key = *reading->parts.hash_key;
	if (conf_need_iface(fresh, path, *errors) == 0)
		return 0;
	conf_clear(fresh);
	return -1;
}

static void
reading_on_end(void *context, const struct child_end *end)
{
	struct reading *reading = context;
	struct errlist *errors = errlist_new();
	struct conf fresh;
	const bool good = errors != NULL && reading_judge(reading, end, &fresh, &errors) == 0;

	reading->done(reading->context, good ? &fresh : NULL, errors);
	free(reading);
}

struct reading *
reading_start(const struct reading_parts *parts, reading_done *done, void *context)
{
	static const char *const environment[] = { NULL };
	const char *const argv[] = { TASK, parts->options->config, NULL };
	struct reading *reading = malloc(sizeof(*reading));
	const struct child_order order = { .argv = argv, .environment = environment, .timeout = { READING_SECONDS, 0 },
		.wants_bytes = 2 * FILES_MOST, .ended = reading_on_end, .context = reading };
	int reason;

	if (reading == NULL)
		return NULL;
	*reading = (struct reading) { .parts = *parts, .done = done, .context = context };
	reading->child = child_start(parts->children, &order);
	if (reading->child != NULL)
		return reading;
	reason = errno;
	free(reading);
	errno = reason;
	return NULL;
}

void
reading_forget(struct reading *reading)
{
	if (reading == NULL)
		return;
	child_forget(reading->child);
	free(reading);
}
