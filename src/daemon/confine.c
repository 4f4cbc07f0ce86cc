/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/confine.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/interfaces.h"
#include "os/os.h"

/* The directory of `path`, into `text`. */
static const char *
directory_of(const char *path, char *text, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		(void)snprintf(text, size, ".");
	else if (slash == path)
		(void)snprintf(text, size, "/");
	else
		(void)snprintf(text, size, "%.*s", (int)(slash - path), path);
	return text;
}

/* Where the control socket and the pidfile are, which are removed in the end. */
static int
confine_to_directories(const struct conf *conf, const char *pidfile, char error[OS_ERROR])
{
	const char *control = conf->control[0] != '\0' ? conf->control : CONF_CONTROL;
	char texts[2][CONF_PATH];
	const char *directories[2];
	size_t count = 0;

	if (*control == '/') {
		directories[count] = directory_of(control, texts[count], sizeof(texts[count]));
		count++;
	}
	if (pidfile != NULL) {
		directories[count] = directory_of(pidfile, texts[count], sizeof(texts[count]));
		count++;
	}
	return os_confine(directories, count, error);
}

enum exit_status
confine(const struct conf *conf, const char *pidfile, struct interfaces *interfaces)
{
	char error[OS_ERROR];

	/* A root process could undo the confinement. */
	if (conf->user[0] == '\0')
		return EXIT_OK;
	if (os_drop_root(conf->user, error) == -1) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_NO_PERMISSION;
	}
	interfaces_lock(interfaces);
	if (confine_to_directories(conf, pidfile, error) == -1)
		log_warning("confine result=failed reason=\"%s\" meaning=\"dsrd works, with all rights of its user\"", error);
	return EXIT_OK;
}
