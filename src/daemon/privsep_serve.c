/* SPDX-License-Identifier: ISC */
/*
 * The privileged process. It believes nothing that the director says: what an interface or a server is, the
 * configuration says.
 */
#include "config.h"

#include "daemon/privsep.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errlist.h"
#include "base/iface.h"
#include "check/attempt_serve.h"
#include "compat/close_from.h"
#include "compat/cmsg_cloexec.h"
#include "daemon/confine.h"
#include "daemon/iface_lock.h"
#include "daemon/peering_settings.h"
#include "daemon/route_holder.h"
#include "os/sandbox.h"
#include "peer/socket.h"

#define SOCKET PRIVSEP_SOCKET
#define LOCKS_MOST 64  /* as interfaces of a director */
/* Milliseconds: the director waits as long. */
#define PATIENCE_SELF 5 /* for a process that is ending */
#define PATIENCE 20     /* for one that was killed */
#define DESCRIPTORS 2  /* of a message: one more than any may have */

struct serving {
	const struct privsep_order *order;
	struct conf conf; /* read again when a request names what it does not have */
	bool reread;      /* `conf` is this process's own */
	pid_t director;
	pid_t checker;      /* 0: there is none that was not waited for */
	char ended[PRIVSEP_REASON]; /* how the last one did; empty: nothing is known */
	struct iface_lock *locks[LOCKS_MOST];
	char locked[LOCKS_MOST][IFACE_NAME];
};

union rights {
	struct cmsghdr header; /* for its alignment */
	char room[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

/* --- what the configuration allows -------------------------------------------------------------------------------- */

/* It names the interface, or a server's address is in a network of it. */
static bool
conf_has_iface(const struct conf *conf, const char *name)
{
	char error[OS_ERROR];
	struct iface facts;
	const bool known = os_iface_read(name, &facts, error) == 0, loopback = os_loopback() != NULL &&
	    strcmp(name, os_loopback()) == 0;

	for (size_t i = 0; i < conf->settings.service_count; i++) {
		const struct service_settings *service = &conf->settings.services[i];

		if (strcmp(service->iface, name) == 0)
			return true;
		for (size_t j = 0; j < service->server_count; j++)
			if (strcmp(service->servers[j].iface, name) == 0 ||
			    (loopback && service->servers[j].method == ENCAP_LOCAL) ||
			    (known && service->servers[j].iface[0] == '\0' &&
			    iface_is_on_link(&facts, &service->servers[j].addr)))
				return true;
	}
	return false;
}

static bool
conf_has_server(const struct conf *conf, const struct addr *addr)
{
	for (size_t i = 0; i < conf->settings.service_count; i++)
		for (size_t j = 0; j < conf->settings.services[i].server_count; j++)
			if (addr_equal(&conf->settings.services[i].servers[j].addr, addr))
				return true;
	return false;
}

/* What a reload reads. A file that cannot be read changes nothing. */
static void
serving_reread(struct serving *serving)
{
	struct errlist *errors = errlist_new();
	struct conf fresh;

	if (errors != NULL && conf_load(serving->order->options->config, &fresh, errors) == 0) {
		options_override(serving->order->options, &fresh);
		if (serving->reread)
			conf_clear(&serving->conf);
		serving->conf = fresh;
		serving->reread = true;
	}
	errlist_free(errors);
}

static bool
serving_allows(struct serving *serving, const struct privsep_request *request)
{
	struct addr addr;

	if (request->operation == PRIVSEP_LAUNCHER || request->operation == PRIVSEP_CHECKER ||
	    request->operation == PRIVSEP_ROUTES)
		return true;
	if (request->operation == PRIVSEP_SYNC_KEY || request->operation == PRIVSEP_PEER_LISTEN) {
		serving_reread(serving);
		return serving->conf.peer_count > 0;
	}
	addr.family = request->addr.family;
	memcpy(addr.bytes, request->addr.bytes, sizeof(addr.bytes));
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		if (request->operation == PRIVSEP_PING ? conf_has_server(&serving->conf, &addr) :
		    conf_has_iface(&serving->conf, request->iface))
			return true;
		if (attempt == 0)
			serving_reread(serving);
	}
	return false;
}

/* --- operations --------------------------------------------------------------------------------------------------- */

/* errno into the answer. -1. */
static int
serving_fail(struct privsep_answer *answer, const char *what)
{
	answer->error = errno != 0 ? errno : EIO;
	(void)snprintf(answer->reason, sizeof(answer->reason), "%.100s: %s", what, strerror(answer->error));
	return -1;
}

static int
serve_lock(struct serving *serving, const char *iface, struct privsep_answer *answer)
{
	const char *control = serving->conf.control[0] == '/' ? serving->conf.control : CONF_CONTROL;
	size_t at = 0;

	while (at < LOCKS_MOST && serving->locks[at] != NULL)
		at++;
	errno = EMFILE;
	if (at == LOCKS_MOST)
		return serving_fail(answer, "locks");
	serving->locks[at] = iface_lock_take(iface, serving->director, control, answer->reason);
	if (serving->locks[at] == NULL) {
		answer->error = errno != 0 ? errno : EIO;
		return -1;
	}
	(void)snprintf(serving->locked[at], IFACE_NAME, "%s", iface);
	/* The director holds it: when it ends, however that is, the lock is free. */
	return iface_lock_give(serving->locks[at]);
}

static void
serve_unlock(struct serving *serving, const char *iface)
{
	for (size_t i = 0; i < LOCKS_MOST; i++) {
		if (serving->locks[i] == NULL || strcmp(serving->locked[i], iface) != 0)
			continue;
		iface_lock_release(serving->locks[i]);
		serving->locks[i] = NULL;
	}
}

static int
serve_launcher(const struct serving *serving, struct privsep_answer *answer)
{
	struct launcher launcher;

	if (launcher_open(&launcher, serving->order->become, serving->order->task) == -1)
		return serving_fail(answer, "fork");
	answer->value = (uint32_t)launcher.pid;
	return launcher.fd;
}

static void
serving_note_end(struct serving *serving, int status)
{
	serving->checker = 0;
	if (WIFSIGNALED(status))
		(void)snprintf(serving->ended, sizeof(serving->ended), "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		(void)snprintf(serving->ended, sizeof(serving->ended), "exit status %d", WEXITSTATUS(status));
}

/*
 * Waits for those that have ended. Only here and below: until then the number of a process that this one kills cannot
 * become another's.
 */
static void
serving_reap(struct serving *serving)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == serving->checker)
			serving_note_end(serving, status);
}

/* Its end may be under way: the director sees the end of its socket a little before. */
static void
serving_await_checker(struct serving *serving, unsigned milliseconds)
{
	int status;

	for (unsigned i = 0; i < milliseconds && serving->checker != 0; i++) {
		if (waitpid(serving->checker, &status, WNOHANG) == serving->checker)
			serving_note_end(serving, status);
		else
			(void)poll(NULL, 0, 1);
	}
}

static bool
checker_was_refused(char *name, size_t size)
{
	char call[OS_CALL_NAME];
	unsigned lost;

	if (!os_sandbox_refused(call, &lost))
		return false;
	(void)snprintf(name, size, "%s", call);
	return true;
}

static void __attribute__((noreturn))
checker_begin(const struct serving *serving, int fd)
{
	const struct attempt_host host = { .become = serving->order->checker, .order = serving->order->conf,
		.refused = checker_was_refused };

	(void)dup2(fd, SOCKET);
	close_from(SOCKET + 1);
	(void)fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
	if (os_raise_descriptors() == -1) {
		/* A check that lacks one says so. */
	}
	attempt_serve(SOCKET, &host);
}

/* This process may not signal those of other users, but it may become one. */
static void
kill_as_its_user(const struct serving *serving)
{
	char error[OS_ERROR];
	const pid_t pid = fork();

	if (pid == 0)
		_exit(confine_never_root(serving->order->conf->user, error) == -1 ? 1 : kill(serving->checker, SIGKILL));
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

/* One that cannot be killed ends when it finds its socket closed. */
static void
serving_end_checker(struct serving *serving)
{
	serving_await_checker(serving, PATIENCE_SELF);
	if (serving->checker == 0)
		return;
	if (kill(serving->checker, SIGKILL) == -1)
		kill_as_its_user(serving);
	serving_await_checker(serving, PATIENCE);
	serving->checker = 0;
	serving->ended[0] = '\0';
}

static int
serve_checker(struct serving *serving, struct privsep_answer *answer)
{
	int ends[2];

	serving_end_checker(serving);
	(void)snprintf(answer->reason, sizeof(answer->reason), "%s", serving->ended);
	serving->ended[0] = '\0';
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return serving_fail(answer, "socketpair");
	serving->checker = fork();
	if (serving->checker == 0)
		checker_begin(serving, ends[1]);
	(void)close(ends[1]);
	if (serving->checker == -1) {
		serving->checker = 0;
		(void)serving_fail(answer, "fork");
		(void)close(ends[0]);
		return -1;
	}
	answer->value = (uint32_t)serving->checker;
	return ends[0];
}

static int
serve_routes(const struct serving *serving, struct privsep_answer *answer)
{
	pid_t pid;
	const int fd = route_holder_fork(serving->order, &pid);

	if (fd == -1)
		return serving_fail(answer, "fork");
	answer->value = (uint32_t)pid;
	return fd;
}

static int
serve_ping(const struct privsep_request *request, struct privsep_answer *answer)
{
	struct addr addr = { .family = request->addr.family };
	int fd;

	memcpy(addr.bytes, request->addr.bytes, sizeof(addr.bytes));
	fd = os_ping_socket(&addr);
	return fd == -1 ? serving_fail(answer, "ICMP") : fd;
}

/* The descriptor of the answer, or -1. */
static int
serve(struct serving *serving, const struct privsep_request *request, int given, struct privsep_answer *answer)
{
	const char *iface = request->iface;
	struct offload offload = { .turned_off = request->value };
	int fd = -1;

	errno = 0;
	switch ((enum privsep_operation)request->operation) {
	case PRIVSEP_CAPTURE:
	case PRIVSEP_SENDER:
		fd = os_packet_socket(iface, request->operation == PRIVSEP_CAPTURE);
		return fd == -1 ? serving_fail(answer, iface) : fd;
	case PRIVSEP_OFFLOADS_OFF:
		answer->error = os_offload_off(iface, &offload, answer->reason) == 0 ? 0 : EOPNOTSUPP;
		answer->value = offload.turned_off;
		return -1;
	case PRIVSEP_OFFLOADS_RESTORE:
		answer->error = os_offload_restore(iface, &offload, answer->reason) == 0 ? 0 : EOPNOTSUPP;
		return -1;
	case PRIVSEP_ATTACH:
		answer->error = attach_begin(given, iface, (enum attach_place)request->value, &fd);
		return fd;
	case PRIVSEP_DETACH:
		attach_end(iface, (enum attach_place)request->value);
		return -1;
	case PRIVSEP_PING:
		return serve_ping(request, answer);
	case PRIVSEP_LOCK:
		return serve_lock(serving, iface, answer);
	case PRIVSEP_UNLOCK:
		serve_unlock(serving, iface);
		return -1;
	case PRIVSEP_SYNC_KEY:
		fd = peering_open_key(serving->conf.sync_key_file);
		return fd == -1 ? serving_fail(answer, serving->conf.sync_key_file) : fd;
	case PRIVSEP_PEER_LISTEN:
		fd = peer_socket_listen(&serving->conf.peer_address, serving->conf.peer_port);
		return fd == -1 ? serving_fail(answer, "peer-listen") : fd;
	case PRIVSEP_LAUNCHER:
		return serve_launcher(serving, answer);
	case PRIVSEP_CHECKER:
		return serve_checker(serving, answer);
	case PRIVSEP_ROUTES:
		return serve_routes(serving, answer);
	}
	return -1;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

static void
serving_answer(const struct privsep_answer *answer, int fd)
{
	union rights rights;
	struct iovec part = { .iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd != -1) {
		memset(&rights, 0, sizeof(rights));
		header.msg_control = rights.room;
		header.msg_controllen = CMSG_SPACE(sizeof(fd));
		rights.header.cmsg_level = SOL_SOCKET;
		rights.header.cmsg_type = SCM_RIGHTS;
		rights.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	}
	(void)sendmsg(SOCKET, &header, MSG_NOSIGNAL);
}

/* Their number, of those that came with a message. */
static size_t
take_descriptors(struct msghdr *header, int descriptors[DESCRIPTORS])
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	size_t count;

	if (control == NULL || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
		return 0;
	count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	count = count < DESCRIPTORS ? count : DESCRIPTORS;
	memcpy(descriptors, CMSG_DATA(control), count * sizeof(int));
	return count;
}

/* False: the director is gone. */
static bool
serve_request(struct serving *serving)
{
	char bytes[sizeof(struct privsep_request) + 1]; /* a longer one shows */
	union rights rights;
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room,
		.msg_controllen = sizeof(rights.room) };
	int descriptors[DESCRIPTORS] = { -1, -1 }, fd = -1;
	struct privsep_answer answer;
	struct privsep_request request;
	ssize_t length = recvmsg(SOCKET, &header, MSG_CMSG_CLOEXEC);
	size_t count;

	if (length == -1 && errno == EINTR)
		return true;
	if (length <= 0)
		return false;
	serving_reap(serving);
	memset(&answer, 0, sizeof(answer));
	count = take_descriptors(&header, descriptors);
	if (privsep_message_read(bytes, (size_t)length, count, &request) == -1) {
		errno = EINVAL;
		(void)serving_fail(&answer, "not a request");
	} else if (!serving_allows(serving, &request)) {
		errno = EACCES;
		(void)serving_fail(&answer, "the configuration does not name it");
	} else {
		fd = serve(serving, &request, descriptors[0], &answer);
	}
	serving_answer(&answer, fd);
	if (fd != -1)
		(void)close(fd);
	for (size_t i = 0; i < count; i++)
		(void)close(descriptors[i]);
	return true;
}

void
privsep_prepare(int fd)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE };
	int null;

	/* A terminal or a service manager signals all processes: this one ends after the director. */
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)dup2(fd, SOCKET);
	close_from(SOCKET + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
		(void)dup2(null, number);
	(void)close(null);
	(void)fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
}

void
privsep_serve(int fd, const struct privsep_order *order)
{
	struct serving serving = { .order = order, .conf = *order->conf, .director = getppid() };
	const struct os_sandbox_order confine = { .process = OS_PROCESS_PRIVILEGED,
		.mode = (enum os_sandbox_mode)order->conf->sandbox };
	struct os_sandbox sandbox;
	char error[OS_ERROR];

	privsep_prepare(fd);
	/* What it has no use for goes; where that fails, the director does not start. */
	if (os_keep_privileged(error) == -1 || os_sandbox_enter(&confine, &sandbox, error) == -1 ||
	    send(SOCKET, &sandbox, sizeof(sandbox), MSG_NOSIGNAL) == -1)
		_exit(1);
	while (serve_request(&serving))
		continue;
	/* Files of locks stay: another director may have taken them by now. */
	_exit(0);
}
