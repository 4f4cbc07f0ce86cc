/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "conf/conf.h"

/* Flags without a letter. */
enum { FLAG_OBSERVE = FLAG_LONG, FLAG_REPORT, FLAG_STRICT };

const struct flag options_flags[] = {
	{ 'f', "config", "FILE", "configuration, default " DSRD_CONF, NULL },
	{ 'n', "check", NULL, "check the configuration: all errors at once, then exit (-t is accepted too)", NULL },
	{ FLAG_STRICT, "strict", NULL, "with -n: warnings about this host are errors, too", NULL },
	{ 'T', "dump", NULL, "print the effective configuration, defaults filled in, and exit", NULL },
	{ 'd', "debug", NULL, "do not detach; log to standard error", NULL },
	{ 'F', "foreground", NULL, "do not detach; log as set by `log`", NULL },
	{ FLAG_OBSERVE, "observe", NULL, "see, decide and count, but send nothing", NULL },
	{ 'i', "interface", "IF", "overrides `interface` of the configuration", NULL },
	{ 'p', "pidfile", "FILE", "write the process number here, and refuse to run twice", NULL },
	{ 'r', "read", "FILE", "offline: take frames from a savefile ('-': standard input)",
	    "with the savefile's own clock; needs no privilege" },
	{ 'w', "write", "FILE", "with -r: write the frames that would have been sent", NULL },
	{ FLAG_REPORT, "report", NULL, "with -r: print the share of each server, and what would move without it",
	    NULL },
	{ 'u', "user", "USER[:GROUP]", "overrides `user` of the configuration", NULL },
	{ 'v', "verbose", NULL, "log more; twice: log everything", NULL },
	{ 'V', "version", NULL, "print the version and how it was built, and exit", NULL },
	{ 'h', "help", NULL, "print this, and exit", NULL },
};
const size_t options_flag_count = ARRAY_LEN(options_flags);

static_assert(ARRAY_LEN(options_flags) <= FLAGS_MOST, "all of them are known to getopt");

static enum exit_status
options_apply(struct options *options, int letter, const char *value)
{
	switch (letter) {
	case 'f':
		options->config = value;
		break;
	case 'n':
	case 't':
		options->mode = MODE_CHECK;
		break;
	case 'T':
		options->mode = MODE_DUMP;
		break;
	case 'd':
		options->log_stderr = true;
		options->foreground = true;
		break;
	case 'F':
		options->foreground = true;
		break;
	case FLAG_OBSERVE:
		options->observe = true;
		break;
	case 'i':
		options->iface = value;
		break;
	case FLAG_REPORT:
		options->report = true;
		break;
	case FLAG_STRICT:
		options->strict = true;
		break;
	case 'p':
		options->pidfile = value;
		break;
	case 'r':
		options->read = value;
		break;
	case 'w':
		options->write = value;
		break;
	case 'u':
		options->user = value;
		break;
	case 'v':
		options->verbose++;
		break;
	case 'V':
		options->mode = MODE_VERSION;
		break;
	case 'h':
		options->mode = MODE_HELP;
		break;
	default: /* getopt_long has said what is wrong */
		fprintf(stderr, "dsrd: dsrd --help lists the flags\n");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static enum exit_status
options_check_conflicts(struct options *options, int argc, char *const argv[], int next)
{
	if (next < argc) {
		fprintf(stderr, "dsrd: %s: unexpected argument; a configuration file is given with -f\n", argv[next]);
		return EXIT_USAGE;
	}
	if (options->write != NULL && options->read == NULL) {
		fprintf(stderr, "dsrd: -w requires -r FILE: it writes the frames that offline mode would send\n");
		return EXIT_USAGE;
	}
	if (options->report && options->read == NULL) {
		fprintf(stderr, "dsrd: --report requires -r FILE: it reports on offline mode\n");
		return EXIT_USAGE;
	}
	if (options->strict && options->mode != MODE_CHECK) {
		fprintf(stderr, "dsrd: --strict requires -n: it turns warnings into errors\n");
		return EXIT_USAGE;
	}
	if (options->read != NULL && options->mode == MODE_LIVE)
		options->mode = MODE_OFFLINE;
	return EXIT_OK;
}

enum exit_status
options_parse(struct options *options, int argc, char *const argv[])
{
	int letter;

	memset(options, 0, sizeof(*options));
	options->config = DSRD_CONF;
	while ((letter = flag_next(options_flags, options_flag_count, "t", argc, argv)) != -1)
		if (options_apply(options, letter, optarg) != EXIT_OK)
			return EXIT_USAGE;
	return options_check_conflicts(options, argc, argv, optind);
}

void
options_print_help(void)
{
	printf("usage: dsrd [-dFhTvV] [-f file] [-i interface] [-p pidfile] [-u user[:group]]\n"
	    "            [-n [--strict]] [-r in.pcap [-w out.pcap] [--report]]\n\n"
	    "A load balancer by direct server return. The manual: dsrd(8), dsrd.conf(5).\n\n");
	flag_print(options_flags, options_flag_count, stdout);
}

void
options_override(const struct options *options, struct conf *conf)
{
	if (options->iface != NULL)
		conf_set_iface(conf, options->iface);
	if (options->user != NULL)
		snprintf(conf->user, sizeof(conf->user), "%s", options->user);
}
