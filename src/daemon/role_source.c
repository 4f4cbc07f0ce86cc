/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/role_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "os/os.h"

#define WORD 16

/* The first word of the file; O_NONBLOCK: a FIFO in its place must not stop the director. */
static enum role_event
role_source_file(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[WORD];
	ssize_t length;

	if (fd == -1)
		return ROLE_EVENT_COUNT;
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (length <= 0)
		return ROLE_EVENT_COUNT;
	text[length] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	return role_order(text);
}

enum role_event
role_source_read(const struct role_settings *settings)
{
	char iface[IFACE_NAME], error[OS_ERROR];
	struct iface facts;

	switch (settings->source) {
	case ROLE_FIXED_ACTIVE:
		return ROLE_ORDER_ACTIVE;
	case ROLE_FIXED_STANDBY:
		return ROLE_ORDER_STANDBY;
	case ROLE_FOLLOW:
		return os_holds_address(&settings->addr, iface) ? ROLE_ORDER_ACTIVE : ROLE_ORDER_STANDBY;
	case ROLE_FILE:
		return role_source_file(settings->path);
	case ROLE_CARP:
		/* The link of a carp(4) interface is up while it is master: ip_carp.c, carp_set_state(). */
		return os_iface_read(settings->iface, &facts, error) == 0 && facts.up ? ROLE_ORDER_ACTIVE :
		    ROLE_ORDER_STANDBY;
	}
	return ROLE_EVENT_COUNT;
}

/* A whole file takes the place of the old one: readers see one or the other. */
static int
role_source_replace(const char *path, const char *text)
{
	char fresh[ROLE_PATH + 8];
	const size_t length = strlen(text);
	int fd, saved;
	bool done;

	(void)snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		return -1;
	done = write(fd, text, length) == (ssize_t)length;
	done = close(fd) == 0 && done;
	if (done && rename(fresh, path) == 0)
		return 0;
	saved = errno;
	(void)unlink(fresh);
	errno = saved;
	return -1;
}

int
role_source_write(const struct role_settings *settings, enum role_event order)
{
	static const char *const words[] = { [ROLE_ORDER_ACTIVE] = "active\n", [ROLE_ORDER_STANDBY] = "standby\n",
		[ROLE_ORDER_OBSERVE] = "observe\n" };

	return role_source_replace(settings->path, words[order]);
}

void
ready_file_prepare(const char *path, const char *user)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0644);
	char error[OS_ERROR];
	struct os_user found;

	if (fd == -1)
		return;
	if (os_user_find(user, &found, error) == 0 && fchown(fd, found.uid, found.gid) == -1)
		log_debug("ready-file file=%s result=not-given reason=\"%s\"", path, strerror(errno));
	(void)close(fd);
}

/*
 * In place, since keepalived watches the file itself; and with one write of a constant length, so it never reads a
 * part.
 */
int
ready_file_write(const char *path, bool ready)
{
	char text[WORD];
	const int length = snprintf(text, sizeof(text), "%4d\n", ready ? 0 : READY_NOT);
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	int result;

	if (fd == -1)
		return -1;
	result = write(fd, text, (size_t)length) == length ? 0 : -1;
	return close(fd) == 0 ? result : -1;
}
