/* SPDX-License-Identifier: ISC */
/* OpenBSD: unveil(2) and pledge(2). dsrd(8), PLATFORMS, lists what they forbid. */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * rpath: the configuration, at a reload. wpath cpath flock: pidfile and control socket go at the end. inet mcast unix:
 * the checks, HTTP, the control socket, groups of IPv6. dns: names for `dsrctl show`. proc exec: scripts and `notify`.
 * route: addresses and links. bpf: the counters of capture. error: what is forbidden fails, and does not end a director
 * that works.
 */
#define PROMISES "stdio error rpath wpath cpath flock inet mcast unix dns proc exec route bpf"

int
os_confine(const char *const directories[], size_t count, char error[OS_ERROR])
{
	const char *what = "/";

	/* What the user may not read anyway stays unreadable; a reload may name any file and any script. */
	if (unveil("/", "rx") == -1)
		goto failed;
	what = "/dev/null"; /* of scripts */
	if (unveil("/dev/null", "rw") == -1)
		goto failed;
	what = "/dev/log"; /* syslogd(8), when it was restarted; its socket may be missing now */
	if (unveil("/dev/log", "rw") == -1 && errno != ENOENT)
		goto failed;
	for (size_t i = 0; i < count; i++) {
		what = directories[i];
		if (unveil(directories[i], "rwxc") == -1)
			goto failed;
	}
	what = "the rest";
	if (unveil(NULL, NULL) == -1)
		goto failed;
	if (pledge(PROMISES, NULL) == 0)
		return 0;
	(void)snprintf(error, OS_ERROR, "pledge: %s", strerror(errno));
	return -1;
failed:
	(void)snprintf(error, OS_ERROR, "unveil %.100s: %s", what, strerror(errno));
	return -1;
}
