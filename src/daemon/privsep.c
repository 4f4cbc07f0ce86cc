/* SPDX-License-Identifier: ISC */
/* The director's end. */
#include "config.h"

#include "daemon/privsep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "compat/cmsg_cloexec.h"
#include "io/io_lend.h"

#define PATIENCE 2000 /* milliseconds */

struct privsep {
	pid_t pid;
	int fd; /* -1: it has ended */
	struct os_sandbox sandbox;
	struct attacher attacher;
};

union rights {
	struct cmsghdr header; /* for its alignment */
	char room[CMSG_SPACE(sizeof(int))];
};

static void
privsep_lose(struct privsep *privsep, const char *reason)
{
	log_error("privileged-process pid=%ld result=lost reason=\"%s\" meaning=\"no interface can be opened, no "
	    "offload changed and no "
	    "lost launcher replaced: restart dsrd\"", (long)privsep->pid, reason);
	(void)close(privsep->fd);
	privsep->fd = -1;
}

/* 0 or -1. */
static int
privsep_send(const struct privsep *privsep, const struct privsep_request *request, int descriptor)
{
	union rights rights;
	struct iovec part = { .iov_base = (void *)(uintptr_t)request, .iov_len = sizeof(*request) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (descriptor != -1) {
		memset(&rights, 0, sizeof(rights));
		header.msg_control = rights.room;
		header.msg_controllen = sizeof(rights.room);
		rights.header.cmsg_level = SOL_SOCKET;
		rights.header.cmsg_type = SCM_RIGHTS;
		rights.header.cmsg_len = CMSG_LEN(sizeof(descriptor));
		memcpy(CMSG_DATA(&rights.header), &descriptor, sizeof(descriptor));
	}
	return sendmsg(privsep->fd, &header, MSG_NOSIGNAL) == (ssize_t)sizeof(*request) ? 0 : -1;
}

static int
privsep_receive(const struct privsep *privsep, struct privsep_answer *answer, int *descriptor)
{
	union rights rights;
	struct iovec part = { answer, sizeof(*answer) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room,
		.msg_controllen = sizeof(rights.room) };
	struct pollfd ready = { .fd = privsep->fd, .events = POLLIN };
	struct cmsghdr *control;
	int result;

	*descriptor = -1;
	do
		result = poll(&ready, 1, PATIENCE);
	while (result == -1 && errno == EINTR);
	if (result != 1 || recvmsg(privsep->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*answer))
		return -1;
	control = CMSG_FIRSTHDR(&header);
	if (control != NULL && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
		memcpy(descriptor, CMSG_DATA(control), sizeof(*descriptor));
	answer->reason[sizeof(answer->reason) - 1] = '\0';
	return 0;
}

/* 0, or a value for errno with a reason in the answer. `*descriptor` is that of the answer, or -1. */
static int
privsep_ask(struct privsep *privsep, const struct privsep_request *request, int send, struct privsep_answer *answer,
    int *descriptor)
{
	*descriptor = -1;
	if (privsep->fd != -1 && (privsep_send(privsep, request, send) == -1 ||
	    privsep_receive(privsep, answer, descriptor) == -1))
		privsep_lose(privsep, "it does not answer");
	if (privsep->fd == -1) {
		(void)snprintf(answer->reason, sizeof(answer->reason),
		    "the privileged process has ended: restart dsrd");
		return EPERM;
	}
	return answer->error;
}

static struct privsep_request
privsep_request_of(enum privsep_operation operation, const char *iface)
{
	struct privsep_request request;

	memset(&request, 0, sizeof(request));
	request.operation = operation;
	(void)snprintf(request.iface, sizeof(request.iface), "%s", iface);
	return request;
}

/* A descriptor, or -1 with errno and a reason of `size` bytes. */
static int
privsep_descriptor(struct privsep *privsep, const struct privsep_request *request, char *error, size_t size,
    uint32_t *value)
{
	struct privsep_answer answer;
	int fd;
	const int number = privsep_ask(privsep, request, -1, &answer, &fd);

	if (number == 0 && fd != -1) {
		*value = answer.value;
		return fd;
	}
	if (fd != -1)
		(void)close(fd);
	(void)snprintf(error, size, "%s", answer.reason);
	errno = number != 0 ? number : EPROTO;
	return -1;
}

/* The same for a process that was forked. 0, or -1. `text`: what the answer says. */
static int
privsep_fork(struct privsep *privsep, enum privsep_operation operation, struct launcher *process,
    char text[PRIVSEP_REASON])
{
	const struct privsep_request request = privsep_request_of(operation, "");
	struct privsep_answer answer = { .value = 0 };
	const int number = privsep_ask(privsep, &request, -1, &answer, &process->fd);

	process->pid = (pid_t)answer.value;
	memcpy(text, answer.reason, PRIVSEP_REASON);
	if (number == 0 && process->fd != -1)
		return 0;
	if (process->fd != -1)
		(void)close(process->fd);
	process->fd = -1;
	errno = number != 0 ? number : EPROTO;
	return -1;
}

static int
privsep_begin_program(void *context, int program, const char *iface, enum attach_place place, int *link)
{
	struct privsep_request request = privsep_request_of(PRIVSEP_ATTACH, iface);
	struct privsep_answer answer;

	request.value = place;
	return privsep_ask(context, &request, program, &answer, link);
}

static void
privsep_end_program(void *context, const char *iface, enum attach_place place)
{
	struct privsep_request request = privsep_request_of(PRIVSEP_DETACH, iface);
	struct privsep_answer answer;
	int none;

	request.value = place;
	(void)privsep_ask(context, &request, -1, &answer, &none);
}

int
privsep_start(const struct privsep_order *order, struct privsep **privsep, char error[OS_ERROR])
{
	struct privsep *fresh;
	int ends[2];

	*privsep = NULL;
	if (!io_can_lend())
		return 0;
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1) {
		(void)snprintf(error, OS_ERROR, "no privileged process: %s", strerror(errno));
		free(fresh);
		return -1;
	}
	fresh->pid = fork();
	if (fresh->pid == 0)
		privsep_serve(ends[1], order);
	(void)close(ends[1]);
	fresh->fd = ends[0];
	(void)fcntl(fresh->fd, F_SETFD, FD_CLOEXEC);
	fresh->attacher = (struct attacher) { privsep_begin_program, privsep_end_program, fresh };
	/* Its first message is what confines it, or why it does not serve. */
	if (fresh->pid != -1 && recv(fresh->fd, &fresh->sandbox, sizeof(fresh->sandbox), 0) ==
	    (ssize_t)sizeof(fresh->sandbox)) {
		*privsep = fresh;
		return 0;
	}
	(void)snprintf(error, OS_ERROR, "the privileged process does not start: %s", strerror(errno));
	privsep_stop(fresh);
	return -1;
}

void
privsep_stop(struct privsep *privsep)
{
	if (privsep == NULL)
		return;
	if (privsep->fd != -1)
		(void)close(privsep->fd);
	/* It ends at once; a fifth of a second is patience enough. */
	for (unsigned i = 0; i < 200 && privsep->pid > 0 && waitpid(privsep->pid, NULL, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 1);
	free(privsep);
}

int
privsep_lend(struct privsep *privsep, enum privsep_operation operation, const char *iface, char *error, size_t size)
{
	const struct privsep_request request = privsep_request_of(operation, iface);
	uint32_t unused;
	int fd;

	if (privsep == NULL)
		return 0;
	fd = privsep_descriptor(privsep, &request, error, size, &unused);
	if (fd == -1)
		return -1;
	io_lend(fd);
	return 0;
}

int
privsep_offload_off(struct privsep *privsep, const char *iface, struct offload *offload, char error[OS_ERROR])
{
	const struct privsep_request request = privsep_request_of(PRIVSEP_OFFLOADS_OFF, iface);
	struct privsep_answer answer = { .value = 0 };
	int none, number;

	if (privsep == NULL)
		return os_offload_off(iface, offload, error);
	number = privsep_ask(privsep, &request, -1, &answer, &none);
	offload->turned_off = answer.value;
	(void)snprintf(error, OS_ERROR, "%s", answer.reason);
	errno = number;
	return number == 0 ? 0 : -1;
}

int
privsep_offload_restore(struct privsep *privsep, const char *iface, const struct offload *offload, char error[OS_ERROR])
{
	struct privsep_request request = privsep_request_of(PRIVSEP_OFFLOADS_RESTORE, iface);
	struct privsep_answer answer;
	int none, number;

	if (privsep == NULL)
		return os_offload_restore(iface, offload, error);
	request.value = offload->turned_off;
	number = privsep_ask(privsep, &request, -1, &answer, &none);
	(void)snprintf(error, OS_ERROR, "%s", answer.reason);
	errno = number;
	return number == 0 ? 0 : -1;
}

int
privsep_ping(void *privsep, const struct addr *addr)
{
	struct privsep_request request = privsep_request_of(PRIVSEP_PING, "");
	char unused[PRIVSEP_REASON];
	uint32_t value;

	request.addr.family = addr->family;
	memcpy(request.addr.bytes, addr->bytes, sizeof(request.addr.bytes));
	return privsep_descriptor(privsep, &request, unused, sizeof(unused), &value);
}

int
privsep_routes(struct privsep *privsep, pid_t *pid)
{
	const struct privsep_request request = privsep_request_of(PRIVSEP_ROUTES, "");
	char unused[PRIVSEP_REASON];
	uint32_t value = 0;
	const int fd = privsep_descriptor(privsep, &request, unused, sizeof(unused), &value);

	*pid = (pid_t)value;
	return fd;
}

int
privsep_launcher(void *privsep, struct launcher *launcher)
{
	char unused[PRIVSEP_REASON];

	return privsep_fork(privsep, PRIVSEP_LAUNCHER, launcher, unused);
}

int
privsep_checker(struct privsep *privsep, struct launcher *process, char text[PRIVSEP_REASON])
{
	return privsep_fork(privsep, PRIVSEP_CHECKER, process, text);
}

int
privsep_peer(struct privsep *privsep, enum privsep_operation operation, char *error, size_t size)
{
	const struct privsep_request request = privsep_request_of(operation, "");
	uint32_t unused;

	return privsep_descriptor(privsep, &request, error, size, &unused);
}

int
privsep_lock(struct privsep *privsep, const char *iface, char *error, size_t size)
{
	const struct privsep_request request = privsep_request_of(PRIVSEP_LOCK, iface);
	uint32_t unused;

	return privsep_descriptor(privsep, &request, error, size, &unused);
}

void
privsep_unlock(struct privsep *privsep, const char *iface)
{
	const struct privsep_request request = privsep_request_of(PRIVSEP_UNLOCK, iface);
	struct privsep_answer answer;
	int none;

	(void)privsep_ask(privsep, &request, -1, &answer, &none);
}

const struct attacher *
privsep_attacher(const struct privsep *privsep)
{
	return privsep == NULL ? NULL : &privsep->attacher;
}

bool
privsep_process(const struct privsep *privsep, pid_t *pid, const struct os_sandbox **sandbox)
{
	if (privsep == NULL || privsep->fd == -1)
		return false;
	*pid = privsep->pid;
	*sandbox = &privsep->sandbox;
	return true;
}
