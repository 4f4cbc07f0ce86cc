/* SPDX-License-Identifier: ISC */
/* The command line. One table of flags drives parsing and --help. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/flag.h"

#define DSRD_CONF SYSCONFDIR "/dsrd.conf"

/* sysexits(3): dsrd's exit statuses, documented in dsrd(8). */
enum exit_status {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_NO_INTERFACE = 69,
	EXIT_SYSTEM = 71,
	EXIT_NO_PERMISSION = 77,
	EXIT_BAD_CONFIG = 78
};

enum run_mode {
	MODE_LIVE = 0,
	MODE_OFFLINE, /* -r */
	MODE_CHECK,   /* -n */
	MODE_DUMP,    /* -T */
	MODE_HELP,
	MODE_VERSION
};

struct options {
	enum run_mode mode;
	const char *config;
	const char *iface;
	const char *pidfile;
	const char *read;
	const char *write;
	const char *user;
	bool foreground;
	bool log_stderr;
	bool observe;
	bool report;
	bool strict;
	int verbose;
};

struct conf;

extern const struct flag options_flags[];
extern const size_t options_flag_count;

/* EXIT_OK, or EXIT_USAGE with the reason on standard error. Texts point into argv. */
NODISCARD enum exit_status options_parse(struct options *options, int argc, char *const argv[]);
/* The command line overrides the file, at every reload too. */
void options_override(const struct options *options, struct conf *conf);
void options_print_help(void);

#endif
