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
confine_to_directories(const struct dsrd *dsrd, char error[OS_ERROR])
{
	const char *control = dsrd->conf.control[0] != '\0' ? dsrd->conf.control : CONF_CONTROL;
	char texts[2][CONF_PATH];
	const char *directories[2];
	size_t count = 0;

	if (*control == '/') {
		directories[count] = directory_of(control, texts[count], sizeof(texts[count]));
		count++;
	}
	if (dsrd->options->pidfile != NULL) {
		directories[count] = directory_of(dsrd->options->pidfile, texts[count], sizeof(texts[count]));
		count++;
	}
	return os_confine(directories, count, error);
}

enum exit_status
confine(struct dsrd *dsrd)
{
	char error[OS_ERROR];

	/* Who stays root could undo it all. */
	if (dsrd->conf.user[0] == '\0')
		return EXIT_OK;
	if (os_drop_root(dsrd->conf.user, error) == -1) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_NO_PERMISSION;
	}
	interfaces_lock(dsrd);
	if (confine_to_directories(dsrd, error) == -1)
		log_warning("confine result=failed reason=\"%s\" meaning=\"dsrd works, with all rights of its user\"", error);
	return EXIT_OK;
}
