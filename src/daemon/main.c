/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/errlist.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/dsrd.h"
#include "daemon/offline.h"
#include "daemon/options.h"
#include "daemon/start.h"

static enum exit_status
load(const struct options *options, struct conf *conf)
{
	struct errlist *errors = errlist_new();
	enum exit_status status = EXIT_OK;

	if (errors == NULL)
		return EXIT_SYSTEM;
	if (conf_load(options->config, conf, errors) == -1) {
		status = EXIT_BAD_CONFIG;
	} else {
		if (options->iface != NULL)
			conf_set_iface(conf, options->iface);
		/* A savefile has no interface, and a dump shows what is missing. */
		if ((options->mode == MODE_LIVE || options->mode == MODE_CHECK) &&
		    conf_need_iface(conf, options->config, errors) == -1) {
			conf_clear(conf);
			status = EXIT_BAD_CONFIG;
		}
	}
	errlist_print(errors, stderr);
	errlist_free(errors);
	return status;
}

static enum exit_status
run(const struct options *options, struct conf *conf)
{
	switch (options->mode) {
	case MODE_LIVE:
		return start_live(options, conf);
	case MODE_OFFLINE:
		return offline_run(options, conf);
	case MODE_CHECK:
		printf("%s: no errors\n", options->config);
		break;
	case MODE_DUMP:
		conf_dump(conf, stdout);
		break;
	case MODE_HELP:
	case MODE_VERSION:
		break;
	}
	conf_clear(conf);
	return EXIT_OK;
}

int
main(int argc, char *argv[])
{
	struct options options;
	struct conf conf;
	enum exit_status status = options_parse(&options, argc, argv);

	if (status != EXIT_OK)
		return status;
	log_open(SINK_STDERR, options.verbose);
	if (options.mode == MODE_HELP) {
		options_print_help();
		return EXIT_OK;
	}
	if (options.mode == MODE_VERSION) {
		start_print_version();
		return EXIT_OK;
	}
	status = load(&options, &conf);
	if (status != EXIT_OK)
		return status;
	return run(&options, &conf);
}
