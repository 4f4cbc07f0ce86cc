/* SPDX-License-Identifier: ISC */
/* The owner of everything that lives in a running director, and its life: start, bursts, ticks, reload, stop. */
#ifndef DAEMON_DSRD_H
#define DAEMON_DSRD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/drop_log.h"
#include "daemon/options.h"
#include "daemon/recording.h"
#include "daemon/port.h"

struct background;
struct offloading;
struct children;
struct command_server;
struct notify_program;
struct loop;
struct notify;
struct checker;
struct selfcheck;
struct state;
struct trace;
struct web_status;
struct host_shield;

struct dsrd {
	const struct options *options;
	struct background *background;
	const struct notify *notify;
	struct conf conf; /* its settings have moved into the director's model */
	struct director director;
	struct nic nics[IFACES_MOST]; /* by the director's interface numbers */
	struct drop_log losses;
	struct selfcheck *selfcheck;
	struct offloading *offloading; /* NULL: the kernel is not to carry */
	struct host_shield *host_shield; /* NULL: the host's stack sees what it sees */
	struct loop *loop;
	struct children *children;
	struct notify_program *notify_program;
	struct checker *checker;
	struct command_server *cmds; /* NULL: no control socket */
	struct trace *trace; /* NULL: nobody watches frames */
	struct web_status *web_status; /* NULL: no HTTP */
	struct state *state; /* NULL: a restart loses connections */
	int news; /* of interfaces, from the system; -1: it tells nothing */
	unsigned listeners; /* that need to receive everything sent to this host: see interfaces_listen() */
	uint64_t rescanned;
	uint64_t next_rescan;
	uint64_t next_wake;  /* UINT64_MAX: none is ordered */
	uint64_t next_refresh; /* not before, when compiling the table takes long */
	uint64_t reloads;
	uint64_t started;    /* by dsrd_clock() */
	uint64_t loaded;     /* seconds since 1970, when the configuration that runs was read */
	struct recording recording; /* what happened, and what passed */
	bool reload_failed;  /* the last one: what runs is older than what the file says. See selfcheck_reload() */
	bool unchecked; /* the checks do not follow the model yet, for lack of memory */
	bool locked; /* descriptors of interfaces take no new orders, see os_can_lock() */
};

/* Run until told to stop; say so when ready. Takes `conf`'s contents. */
NODISCARD enum exit_status dsrd_run(const struct options *options, struct conf *conf, struct background *background,
    const struct notify *notify);

/* Everything that can fail on the way to `conf`: a failure changes nothing. */
NODISCARD enum exit_status dsrd_prepare(struct dsrd *dsrd, const struct conf *conf);
/* Makes what runs be what `conf` says. -1 when memory is out: then nothing was changed. */
NODISCARD int dsrd_take_over(struct dsrd *dsrd, struct conf *conf);
/* The command line has the last word, at every reload too. */
void dsrd_override(const struct options *options, struct conf *conf);

/* What was given to the senders leaves now. */
void dsrd_flush(struct dsrd *dsrd);
/* The monotonic clock, in microseconds. */
uint64_t dsrd_clock(void);

#endif
