/* SPDX-License-Identifier: ISC */
/*
 * Reading the configuration while frames go on. A file system that does not answer, as NFS when its server is gone,
 * must not stop the event loop: a process of its own reads the files, and the director gets the record
 * (conf/files.h).
 */
#ifndef DAEMON_READING_H
#define DAEMON_READING_H

#include "base/attr.h"
#include "base/errlist.h"
#include "base/keyhash.h"
#include "check/children.h"
#include "conf/conf.h"
#include "daemon/options.h"

/* Shorter than dsrctl waits for an answer (CONTROL_PATIENCE). */
#define READING_SECONDS 3

struct reading;

/*
 * Called once, and not after reading_forget(): `fresh` is NULL if there are errors, otherwise its contents are the
 * callee's, with the command line in it. `errors` is the callee's, to be freed; NULL: memory is out.
 */
typedef void reading_done(void *context, struct conf *fresh, struct errlist *errors);

struct reading_parts {
	struct children *children;
	const struct options *options;
	const struct siphash_key *hash_key; /* of consistent hashing, where the configuration has none */
};

/* The task of the process that reads, for children_new(). */
int reading_task(const char *const *argv);
/* NULL with errno: it did not begin. */
NODISCARD struct reading *reading_start(const struct reading_parts *parts, reading_done *done, void *context);
/* NULL is fine. */
void reading_forget(struct reading *reading);

#endif
