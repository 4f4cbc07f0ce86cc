/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/errlist.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/host_facts.h"
#include "daemon/offline.h"
#include "daemon/options.h"
#include "daemon/peering_settings.h"
#include "daemon/start.h"
#include "os/os.h"

static enum exit_status
main_load(const struct options *options, struct conf *conf)
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

struct warnings {
	const char *file;
	size_t count;
};

static void
main_print_warning(void *context, enum fit_kind kind UNUSED, const char *service, const char *server,
    const char *message)
{
	struct warnings *warnings = context;

	warnings->count++;
	fprintf(stderr, "%s: warning: %s%s%s%s%s\n", warnings->file, service != NULL ? service : "",
	    server != NULL ? "/" : "", server != NULL ? server : "", service != NULL ? ": " : "", message);
}

/* Without that user dsrd does not start. */
static void
check_user(struct warnings *warnings, const char *user)
{
	char error[OS_ERROR];
	struct os_user found;

	if (os_user_find(user, &found, error) == 0)
		return;
	warnings->count++;
	fprintf(stderr, "%s: warning: %s\n", warnings->file, error);
}

/* Nor without the peers' key and this director's name. A user who may not read the key is not the one who starts dsrd. */
static void
check_peers(struct warnings *warnings, const struct conf *conf)
{
	struct peers_settings settings = { .count = 0 };
	char error[PEERING_ERROR];
	const int key = conf->peer_count == 0 ? -1 : peering_open_key(conf->sync_key_file);
	const bool may = conf->peer_count > 0 && (key != -1 || errno != EACCES);

	if (key != -1)
		(void)close(key);
	if (!may || peering_settings_read(&settings, conf, NULL, error) == 0)
		return;
	warnings->count++;
	fprintf(stderr, "%s: warning: dsrd does not start: %s\n", warnings->file, error);
}

/*
 * The file has no errors. Whether it fits this host is checked separately, and is no error: `dsrd -n` may run
 * anywhere.
 */
static enum exit_status
main_check(const struct options *options, const struct conf *conf)
{
	struct warnings warnings = { .file = options->config };

	if (host_fit(&conf->settings, main_print_warning, &warnings) == -1) {
		fprintf(stderr, "dsrd: out of memory\n");
		return EXIT_SYSTEM;
	}
	check_user(&warnings, options->user != NULL ? options->user : conf->user);
	check_peers(&warnings, conf);
	if (warnings.count == 0)
		printf("%s: no errors\n", options->config);
	else
		printf("%s: no errors; %zu warning%s about this host\n", options->config, warnings.count,
		    warnings.count == 1 ? "" : "s");
	return options->strict && warnings.count > 0 ? EXIT_BAD_CONFIG : EXIT_OK;
}

static enum exit_status
main_run(const struct options *options, struct conf *conf)
{
	enum exit_status status = EXIT_OK;

	switch (options->mode) {
	case MODE_LIVE:
		return start_live(options, conf);
	case MODE_OFFLINE:
		return offline_run(options, conf);
	case MODE_CHECK:
		status = main_check(options, conf);
		break;
	case MODE_DUMP:
		conf_dump(conf, stdout);
		break;
	case MODE_HELP:
	case MODE_VERSION:
		break;
	}
	conf_clear(conf);
	return status;
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
	status = main_load(&options, &conf);
	if (status != EXIT_OK)
		return status;
	return main_run(&options, &conf);
}
