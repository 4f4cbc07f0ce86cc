/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "compat/close_from.h"
#include "daemon/background.h"
#include "daemon/confine.h"
#include "daemon/dsrd.h"
#include "daemon/loop.h"
#include "io/io.h"
#include "os/os.h"

static enum exit_status
open_pidfile(const struct options *options, struct pidfile **pidfile)
{
	char error[BACKGROUND_ERROR];

	*pidfile = NULL;
	if (options->pidfile == NULL)
		return EXIT_OK;
	*pidfile = pidfile_open(options->pidfile, error);
	if (*pidfile != NULL && pidfile_write(*pidfile, error) == 0)
		return EXIT_OK;
	log_error("pidfile result=failed reason=\"%s\"", error);
	pidfile_remove(*pidfile);
	*pidfile = NULL;
	return EXIT_SYSTEM;
}

/* In the process that stays: EXIT_OK means that it served, and was stopped. */
static enum exit_status
serve(const struct options *options, struct conf *conf, struct background *background)
{
	struct notify notify;
	struct pidfile *pidfile;
	enum exit_status status = open_pidfile(options, &pidfile);

	notify_open(&notify);
	if (status == EXIT_OK)
		status = dsrd_run(options, conf, background, &notify);
	pidfile_remove(pidfile);
	notify_close(&notify);
	return status;
}

enum exit_status
start_live(const struct options *options, struct conf *conf)
{
	/* A service manager that waits for a word wants the process it started. */
	const bool detach = !options->foreground && getenv("NOTIFY_SOCKET") == NULL;
	const char *missing = os_missing_privilege();
	const char *user = confine_user(options->user != NULL ? options->user : conf->user);
	struct options absolute = *options;
	struct os_user found;
	struct background background = { 0 };
	char error[BACKGROUND_ERROR];
	enum exit_status status = EXIT_SYSTEM;
	char *path = NULL;

	/* What the starter left open is not for this process, and even less for the programs it starts. */
	close_from(STDERR_FILENO + 1);
	log_open(SINK_STDERR, options->verbose);
	if (missing != NULL) {
		fprintf(stderr, "dsrd: %s\n", missing);
		status = EXIT_NO_PERMISSION;
		goto out;
	}
	if (user != NULL && os_user_find(user, &found, error) == -1) {
		fprintf(stderr, "dsrd: %s\n", error);
		status = EXIT_NO_PERMISSION;
		goto out;
	}
	/* A daemon's working directory is /, and a reload must find the file again. */
	path = realpath(options->config, NULL);
	if (path != NULL)
		absolute.config = path;
	if (detach) {
		switch (background_start(&background, error)) {
		case 0:
			break;
		case 1:
			status = (enum exit_status)background.status;
			goto out;
		default:
			fprintf(stderr, "dsrd: %s\n", error);
			goto out;
		}
	}
	status = serve(&absolute, conf, &background);
	background_failed(&background, status);
out:
	conf_clear(conf);
	free(path);
	return status;
}

void
start_print_version(void)
{
	printf("dsrd %s (%s)\n%s\n%s\nlibevent version %s\nhardening: %s\n", PACKAGE_VERSION, DSRD_BUILD,
	    io_pcap_version(),
	    io_libnet_version(), loop_library(), DSRD_HARDENING[0] != '\0' ? DSRD_HARDENING : "none");
}
