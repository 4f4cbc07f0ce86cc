/* SPDX-License-Identifier: ISC */
/* Landlock for files, seccomp for system calls. A kernel without one of them runs dsrd with the other. */
#include "config.h"

#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/seccomp.h"

/*
 * The interface of the kernel, include/uapi/linux/landlock.h and Documentation/userspace-api/landlock.rst: headers of a
 * system that is built on are often older than the kernel that it runs.
 */
#define CALL_CREATE_RULESET 444 /* the same on all machines */
#define CALL_ADD_RULE 445
#define CALL_RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_REG (1ULL << 8)
#define FS_MAKE_SOCK (1ULL << 9)
#define FS_TRUNCATE (1ULL << 14)
#define FS_ALL_1 ((1ULL << 13) - 1) /* of version 1 */
#define FS_REFER (1ULL << 13)       /* version 2 */
                                    /* FS_TRUNCATE: version 3 */
#define FS_IOCTL_DEV (1ULL << 15)   /* version 5 */
#define NET_BIND_TCP (1ULL << 0)    /* version 4 */
#define NET_CONNECT_TCP (1ULL << 1) /* version 4 */
#define SCOPE_SIGNAL (1ULL << 1)    /* version 6 */

#define READ_RIGHTS (FS_READ_FILE | FS_READ_DIR)
/* A state file beside the old one, which it replaces; sockets and the pidfile, which are removed. */
#define WRITE_RIGHTS (READ_RIGHTS | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_MAKE_SOCK | FS_TRUNCATE)
/* Of these, those for something that is no directory. */
#define FILE_RIGHTS (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct beneath {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

struct net_port {
	uint64_t rights;
	uint64_t port;
};

static struct ruleset
ruleset_of(long version, const struct os_sandbox_order *order)
{
	struct ruleset ruleset = { .fs = FS_ALL_1 };

	if (version >= 2)
		ruleset.fs |= FS_REFER;
	if (version >= 3)
		ruleset.fs |= FS_TRUNCATE;
	if (version >= 4)
		ruleset.net = NET_BIND_TCP | (order->limits_ports ? NET_CONNECT_TCP : 0);
	if (version >= 5)
		ruleset.fs |= FS_IOCTL_DEV;
	if (version >= 6)
		ruleset.scoped = SCOPE_SIGNAL;
	return ruleset;
}

/* An older kernel knows a shorter one. */
static size_t
ruleset_size(long version)
{
	return version >= 6 ? sizeof(struct ruleset) : version >= 4 ? offsetof(struct ruleset, scoped) :
	    offsetof(struct ruleset, net);
}

/* 0 also for what does not exist. */
static int
allow(int ruleset, const char *path, uint64_t rights)
{
	struct beneath beneath = { .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	int result = -1, number;

	if (beneath.fd == -1)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -1;
	if (fstat(beneath.fd, &st) == 0) {
		beneath.rights = S_ISDIR(st.st_mode) ? rights : rights & FILE_RIGHTS;
		result = (int)syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &beneath, 0);
	}
	number = errno;
	(void)close(beneath.fd);
	errno = number;
	return result;
}

/*
 * A port that the system chooses: connections to peers leave from a configured address. Any other port is refused
 * (Documentation/userspace-api/landlock.rst, "Network flags").
 */
static int
allow_any_port(int ruleset, uint64_t handled)
{
	const struct net_port port = { .rights = NET_BIND_TCP };

	return (handled & NET_BIND_TCP) == 0 ? 0 : (int)syscall(CALL_ADD_RULE, ruleset, RULE_NET_PORT, &port, 0);
}

static int
allow_ports(int ruleset, const struct os_sandbox_order *order, uint64_t handled)
{
	int result = 0;

	for (size_t i = 0; i < order->port_count && (handled & NET_CONNECT_TCP) != 0 && result == 0; i++) {
		const struct net_port port = { .rights = NET_CONNECT_TCP, .port = order->ports[i] };

		result = (int)syscall(CALL_ADD_RULE, ruleset, RULE_NET_PORT, &port, 0);
	}
	return result;
}

static int
allow_all(int ruleset, const struct os_sandbox_order *order, uint64_t handled)
{
	int result = 0;

	for (size_t i = 0; i < order->readable_count && result == 0; i++)
		result = allow(ruleset, order->readable[i], READ_RIGHTS & handled);
	for (size_t i = 0; i < order->writable_count && result == 0; i++)
		result = allow(ruleset, order->writable[i], WRITE_RIGHTS & handled);
	return result;
}

static int
landlock_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR])
{
	const long version = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	const struct ruleset wanted = ruleset_of(version, order);
	int ruleset, result = -1;

	if (version < 1) {
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), errno == EOPNOTSUPP ?
		    "Landlock is off in this kernel (see its parameter lsm=)" : errno == EPERM ?
		    "what started dsrd refuses Landlock (systemd: SystemCallFilter=)" :
		    "the kernel has no Landlock (Linux 5.13 has)");
		return 0;
	}
	ruleset = (int)syscall(CALL_CREATE_RULESET, &wanted, ruleset_size(version), 0);
	if (ruleset != -1) {
		result = allow_all(ruleset, order, wanted.fs);
		if (result == 0 && order->process == OS_PROCESS_DIRECTOR)
			result = allow_any_port(ruleset, wanted.net);
		if (result == 0)
			result = allow_ports(ruleset, order, wanted.net);
		if (result == 0)
			result = (int)syscall(CALL_RESTRICT_SELF, ruleset, 0);
		if (result == -1)
			(void)snprintf(error, OS_ERROR, "Landlock: %s", strerror(errno));
		(void)close(ruleset);
	} else {
		(void)snprintf(error, OS_ERROR, "Landlock: %s", strerror(errno));
	}
	if (result == 0) {
		sandbox->files = OS_CONFINED_YES;
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), "Landlock %ld", version);
	} else {
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), "%.*s", OS_SANDBOX_TEXT - 1, error);
	}
	return result;
}

int
os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR])
{
	int result = 0;

	memset(sandbox, 0, sizeof(*sandbox));
	if (order->mode == OS_SANDBOX_OFF) {
		(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), "sandbox = off");
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), "sandbox = off");
		return 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		(void)snprintf(error, OS_ERROR, "no_new_privs: %s", strerror(errno));
		return -1;
	}
	if (order->mode == OS_SANDBOX_LOG)
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), "sandbox = log");
	else if (order->process == OS_PROCESS_PRIVILEGED || order->process == OS_PROCESS_LAUNCHER)
		(void)snprintf(sandbox->files_by, sizeof(sandbox->files_by), "programs need files of their own");
	else
		result = landlock_enter(order, sandbox, error);
	return seccomp_enter(order->process, order->mode, sandbox, error) == -1 ? -1 : result;
}
