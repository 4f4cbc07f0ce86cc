/* SPDX-License-Identifier: ISC */
/*
 * The privileged process: a small one beside the director, forked when it starts. The director, which reads hostile
 * frames, has no capability; what needs one is done there, by requests of a fixed form (privsep_message.h), for the
 * interfaces and servers of the configuration alone, which that process reads itself.
 *
 * Each request waits for its answer, as the system call would that it stands for, but for no more than two seconds: a
 * privileged process that does not answer is given up.
 */
#ifndef DAEMON_PRIVSEP_H
#define DAEMON_PRIVSEP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/attr.h"
#include "check/launcher.h"
#include "conf/conf.h"
#include "daemon/options.h"
#include "daemon/privsep_message.h"
#include "offload/attach.h"
#include "os/os.h"
#include "os/sandbox.h"

struct privsep;

struct privsep_order {
	const struct options *options; /* which file to read, and what of the command line is in force instead */
	const struct conf *conf;       /* what it said when dsrd started */
	launcher_become *become;       /* of launchers */
	launcher_become *checker;      /* of checkers: its order is a struct conf */
	launcher_task *task;
};

/*
 * Forks, so call it while the process is small and has its privileges. `*privsep` is NULL where the system cannot use
 * one: then the caller does it all itself, as every function below does for NULL. 0, or -1 with a reason.
 */
NODISCARD int privsep_start(const struct privsep_order *order, struct privsep **privsep, char error[OS_ERROR]);
/* It ends. NULL is fine. */
void privsep_stop(struct privsep *privsep);

/* Lends libpcap or libnet the socket that it opens next: io/io_lend.h. 0, or -1 with a reason and errno. */
NODISCARD int privsep_lend(struct privsep *privsep, enum privsep_operation operation, const char *iface, char *error,
    size_t size);
/* As os_offload_off() and os_offload_restore(). */
NODISCARD int privsep_offload_off(struct privsep *privsep, const char *iface, struct offload *offload,
    char error[OS_ERROR]);
NODISCARD int privsep_offload_restore(struct privsep *privsep, const char *iface, const struct offload *offload,
    char error[OS_ERROR]);
/* A raw ICMP socket for a server, or -1 with errno. The form is that of checker_set_ping(). */
int privsep_ping(void *privsep, const struct addr *addr);
/* A route holder that the privileged process has forked: its socket, or -1 with errno. */
NODISCARD int privsep_routes(struct privsep *privsep, pid_t *pid);
/* A launcher that the privileged process has forked. 0, or -1 with errno. */
NODISCARD int privsep_launcher(void *privsep, struct launcher *launcher);
/*
 * A checker, which replaces the one before. 0 and in `text` how that one had ended, or nothing; or -1 with errno and a
 * reason.
 */
NODISCARD int privsep_checker(struct privsep *privsep, struct launcher *process, char text[PRIVSEP_REASON]);
/* sync-key-file, open, or a socket that listens at peer-listen: -1 with a reason. */
int privsep_peer(struct privsep *privsep, enum privsep_operation operation, char *error, size_t size);
/* The lock of an interface: a descriptor that holds it, or -1 with a reason and errno, as iface_lock_take(). */
NODISCARD int privsep_lock(struct privsep *privsep, const char *iface, char *error, size_t size);
void privsep_unlock(struct privsep *privsep, const char *iface);
/* NULL for NULL. */
const struct attacher *privsep_attacher(const struct privsep *privsep);
/* False: there is none, or it has ended. */
bool privsep_process(const struct privsep *privsep, pid_t *pid, const struct os_sandbox **sandbox);

#define PRIVSEP_SOCKET 3 /* the one descriptor of a process beside the director */
/* In such a process, first: `fd` becomes that descriptor, and signals for all processes are ignored. */
void privsep_prepare(int fd);
/* privsep_serve.c: what that process does. It does not return. */
void privsep_serve(int fd, const struct privsep_order *order) __attribute__((noreturn));

#endif
