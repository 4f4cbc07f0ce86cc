/* SPDX-License-Identifier: ISC */
/* OpenBSD: unveil(2) and pledge(2). dsrd(8), PLATFORMS, lists what they forbid. */
#include "config.h"

#include "os/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * rpath: the configuration, at a reload. wpath cpath flock: pidfile and control socket go at the end. inet mcast unix:
 * the checks, HTTP, the control socket, groups of IPv6. dns: names for `dsrctl show`. route: addresses and links.
 * bpf: the counters of capture. error: what is forbidden fails, and does not end a director that works.
 */
#define DIRECTOR "stdio error rpath wpath cpath flock inet mcast unix dns route bpf"
/* Of the launcher alone: a program that it starts begins without promises (pledge(2), execpromises). */
#define LAUNCHER "stdio error rpath proc exec"
/* Connections, and the system's certificates. */
#define CHECKER "stdio error rpath inet"

static const char *
promises_of(enum os_process process)
{
	switch (process) {
	case OS_PROCESS_DIRECTOR:
		return DIRECTOR;
	case OS_PROCESS_CHECKER:
		return CHECKER;
	case OS_PROCESS_PRIVILEGED:
	case OS_PROCESS_LAUNCHER:
		break;
	}
	return LAUNCHER;
}

static int
unveil_all(const struct os_sandbox_order *order, char error[OS_ERROR])
{
	const char *what = "/dev/log"; /* syslogd(8), when it was restarted; its socket may be missing now */

	if (unveil(what, "rw") == -1 && errno != ENOENT)
		goto failed;
	for (size_t i = 0; i < order->readable_count; i++) {
		what = order->readable[i];
		if (unveil(what, "r") == -1 && errno != ENOENT)
			goto failed;
	}
	for (size_t i = 0; i < order->writable_count; i++) {
		what = order->writable[i];
		if (unveil(what, "rwc") == -1 && errno != ENOENT)
			goto failed;
	}
	what = "the rest";
	if (unveil(NULL, NULL) == 0)
		return 0;
failed:
	(void)snprintf(error, OS_ERROR, "unveil %.100s: %s", what, strerror(errno));
	return -1;
}

int
os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR])
{
	const bool listed = order->process == OS_PROCESS_DIRECTOR || order->process == OS_PROCESS_CHECKER;

	memset(sandbox, 0, sizeof(*sandbox));
	(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), order->mode == OS_SANDBOX_OFF ? "sandbox = off" :
	    "pledge");
	(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), order->mode == OS_SANDBOX_OFF ? "sandbox = off" :
	    listed ?
	    "unveil" : "programs need files of their own");
	/* Neither of the two can be told only to log: with `error` the kernel logs what it refuses (dmesg(8)). */
	if (order->mode == OS_SANDBOX_OFF)
		return 0;
	if (listed && unveil_all(order, error) == -1)
		return -1;
	sandbox->files = listed ? OS_CONFINED_YES : OS_CONFINED_NO;
	if (pledge(promises_of(order->process), NULL) == -1) {
		(void)snprintf(error, OS_ERROR, "pledge: %s", strerror(errno));
		return -1;
	}
	sandbox->calls = OS_CONFINED_YES;
	return 0;
}

/* The kernel logs them itself. */
bool
os_sandbox_refused(char name[OS_CALL_NAME] UNUSED, unsigned *lost)
{
	*lost = 0;
	return false;
}
