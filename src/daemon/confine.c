/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/confine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* A service manager has started dsrd as the user it is to be: only a user that was asked for must be that one. */
const char *
confine_user(const char *user)
{
	return geteuid() != 0 && strcmp(user, DSRD_USER) == 0 ? NULL : user;
}

/* No program of a check or of `notify` runs as root, whatever dsrd runs as. */
int
confine_programs(const char *user, char error[OS_ERROR])
{
	const char *own = confine_user(user);
	struct os_user found;

	if (own != NULL && os_user_find(own, &found, error) == 0 && found.uid == 0)
		own = os_user_find(DSRD_USER, &found, error) == 0 ? DSRD_USER : "nobody";
	return os_drop_root(own, error);
}

enum exit_status
confine(const struct conf *conf, const char *pidfile, struct interfaces *interfaces)
{
	char error[OS_ERROR];

	if (os_drop_root(confine_user(conf->user), error) == -1) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_NO_PERMISSION;
	}
	/* A process that stays root could undo the rest. */
	if (geteuid() == 0) {
		log_warning("confine user=root meaning=\"a fault in dsrd would give away this host: take `user = root` out of the "
		    "configuration, and it runs as %s\"", DSRD_USER);
		return EXIT_OK;
	}
	interfaces_lock(interfaces);
	if (confine_to_directories(conf, pidfile, error) == -1)
		log_warning("confine result=failed reason=\"%s\" meaning=\"dsrd works, with all rights of its user\"", error);
	return EXIT_OK;
}
