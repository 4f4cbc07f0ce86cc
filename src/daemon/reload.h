/* SPDX-License-Identifier: ISC */
/* Taking a new configuration while frames go on: all of it or nothing. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "base/attr.h"
#include "base/errlist.h"
#include "base/keyhash.h"
#include "conf/conf.h"
#include "daemon/options.h"
#include "daemon/reading.h"

struct interfaces;
struct notify;
struct selfcheck;
struct stats_sources;

/* What a reload works with, and the one step of it that concerns the whole director. */
struct reload {
	const struct options *options;
	const struct notify *notify;
	struct children *children; /* one of them reads the file */
	struct siphash_key hash_key; /* of consistent hashing, where the configuration has none */
	struct conf *conf; /* what runs; its settings have moved into the director's model */
	struct interfaces *interfaces;
	struct selfcheck *selfcheck;
	struct stats_sources *sources; /* the director, and the count of reloads */
	/* Makes what runs be what `conf` says. -1 when memory is out: then nothing was changed. */
	int (*take_over)(void *context, struct conf *conf);
	void *context;
	struct reading *reading; /* for a signal; NULL: none is going on */
	bool again;              /* another signal came meanwhile */
};

/* Everything that can fail on the way to `conf`: a failure changes nothing. */
NODISCARD enum exit_status reload_prepare(const struct reload *reload, const struct conf *conf);

/* Begins to read the file again: daemon/reading.h. NULL with errno. */
NODISCARD struct reading *reload_read(const struct reload *reload, reading_done *done, void *context);
/* The file that was read has errors: the list of problems says so. */
void reload_refuse(const struct reload *reload, const struct errlist *errors);
/* Makes it what runs, and takes or frees its contents. 0, or -1 with the reason in the log and nothing changed. */
int reload_apply(struct reload *reload, struct conf *fresh);
/* All of it, for a signal: what is wrong is logged. */
void reload_by_signal(struct reload *reload);
/* Ends what a signal began. */
void reload_close(struct reload *reload);

#endif
