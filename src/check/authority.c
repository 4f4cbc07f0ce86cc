/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/authority.h"

#include <sys/wait.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "check/children.h"

#define BYTES_MOST ((size_t)4 << 20) /* a system's whole bundle has a quarter of a million */
#define FRESH SECONDS(1)
#define STALLED SECONDS(5) /* before the next attempt at a file system that did not answer */
#define REASON 512

/* Shorter than most checks. */
static const struct timeval patience = { 0, 500000 };

struct file {
	struct file *next;
	struct child *child; /* that reads; NULL: none does */
	uint64_t due;        /* when it may be read again */
	uint64_t version;
	char *bytes;
	size_t length;
	struct authority_waiter *waiting;
	char reason[REASON];
	char path[];
};

struct authorities {
	struct children *children;
	struct file *files;
};

struct authorities *
authorities_new(struct children *children)
{
	struct authorities *authorities = calloc(1, sizeof(*authorities));

	if (authorities != NULL)
		authorities->children = children;
	return authorities;
}

void
authorities_free(struct authorities *authorities)
{
	if (authorities == NULL)
		return;
	while (authorities->files != NULL) {
		struct file *file = authorities->files;

		authorities->files = file->next;
		if (file->child != NULL)
			child_forget(file->child);
		while (file->waiting != NULL)
			authority_forget(file->waiting);
		free(file->bytes);
		free(file);
	}
	free(authorities);
}

static struct file *
authority_file(const struct authorities *authorities, const char *path)
{
	struct file *file = authorities->files;

	while (file != NULL && strcmp(file->path, path) != 0)
		file = file->next;
	return file;
}

/* 0, or -1: out of memory, and nothing has changed. */
static int
authority_copy(struct file *file, const char *bytes, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy == NULL)
		return -1;
	if (length > 0)
		memcpy(copy, bytes, length);
	free(file->bytes);
	file->bytes = copy;
	file->length = length;
	return 0;
}

static void
authority_keep(struct file *file, const struct child_end *end)
{
	if (file->bytes != NULL && file->length == end->length && memcmp(file->bytes, end->bytes, end->length) == 0)
		return;
	if (authority_copy(file, end->bytes, end->length) == 0)
		file->version++;
	else
		(void)snprintf(file->reason, sizeof(file->reason), "out of memory");
}

static void
authority_on_end(void *context, const struct child_end *end)
{
	struct file *file = context;
	const int error = end->error != 0 ? end->error : WIFEXITED(end->status) ? WEXITSTATUS(end->status) : EIO;

	file->child = NULL;
	file->due = clock_us() + (end->timed_out ? STALLED : FRESH);
	if (end->timed_out)
		(void)snprintf(file->reason, sizeof(file->reason), "%s: its file system does not answer", file->path);
	else if (error != 0)
		(void)snprintf(file->reason, sizeof(file->reason), "%s: %s", file->path, strerror(error));
	else
		authority_keep(file, end);
	while (file->waiting != NULL) {
		struct authority_waiter *waiter = file->waiting;

		authority_forget(waiter);
		waiter->ready(waiter->context);
	}
}

static void
authority_read(struct authorities *authorities, struct file *file)
{
	static const char *const environment[] = { NULL };
	const char *const argv[] = { LAUNCHER_READ, file->path, NULL };
	const struct child_order order = { .argv = argv, .environment = environment, .timeout = patience,
		.ended = authority_on_end, .context = file, .wants_bytes = BYTES_MOST };

	file->child = child_start(authorities->children, &order);
	if (file->child != NULL)
		return;
	file->due = clock_us() + FRESH;
	(void)snprintf(file->reason, sizeof(file->reason), "%s: no process can be started to read it: %s", file->path,
	    strerror(errno));
}

/* NULL: out of memory. */
static struct file *
authority_add(struct authorities *authorities, const char *path)
{
	struct file *file = calloc(1, sizeof(*file) + strlen(path) + 1);

	if (file == NULL)
		return NULL;
	memcpy(file->path, path, strlen(path) + 1);
	file->next = authorities->files;
	authorities->files = file;
	return file;
}

int
authority_set(struct authorities *authorities, const char *path, uint64_t version, const char *bytes, size_t length)
{
	struct file *file = authority_file(authorities, path);

	if (file == NULL)
		file = authority_add(authorities, path);
	if (file == NULL || authority_copy(file, bytes, length) == -1)
		return -1;
	file->version = version;
	return 0;
}

bool
authority_await(struct authorities *authorities, const char *path, struct authority_waiter *waiter)
{
	struct file *file = authority_file(authorities, path);

	if (authorities->children == NULL)
		return false;
	if (file == NULL)
		file = authority_add(authorities, path);
	if (file == NULL)
		return false;
	if (file->child == NULL && clock_us() >= file->due)
		authority_read(authorities, file);
	if (file->child == NULL)
		return false;
	waiter->next = file->waiting;
	waiter->link = &file->waiting;
	if (waiter->next != NULL)
		waiter->next->link = &waiter->next;
	file->waiting = waiter;
	return true;
}

void
authority_forget(struct authority_waiter *waiter)
{
	if (waiter->link == NULL)
		return;
	*waiter->link = waiter->next;
	if (waiter->next != NULL)
		waiter->next->link = waiter->link;
	waiter->next = NULL;
	waiter->link = NULL;
}

struct authority
authority_find(const struct authorities *authorities, const char *path)
{
	const struct file *file = authority_file(authorities, path);

	if (file == NULL)
		return (struct authority){ .reason = "out of memory" };
	return (struct authority){ file->version, file->bytes, file->length, file->reason };
}
