/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/launcher.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "compat/close_from.h"

#define WORDS_ALL 64 /* of a command and its environment */
#define SOCKET 3     /* in the launcher: its one descriptor */

enum operation { START, SIGNAL, CONFINE };

/* Behind it are the words, each with its zero. */
struct request {
	uint32_t operation;
	uint32_t id;
	int32_t value; /* SIGNAL: its number */
	uint16_t argc;
	uint16_t envc;
};

union message {
	struct request request;
	char bytes[LAUNCHER_MESSAGE];
};

/* The answer to CONFINE. */
struct confined {
	char reason[LAUNCHER_REASON]; /* empty: it worked */
	union {
		max_align_t align;
		char bytes[LAUNCHER_OUTCOME];
	} outcome;
};

union rights {
	struct cmsghdr header; /* for its alignment */
	char room[CMSG_SPACE(sizeof(int))];
};

/* --- in the launcher ---------------------------------------------------------------------------------------------- */

struct program {
	uint32_t id;
	pid_t pid;
	bool held; /* SIGTERM was sent: not reaped before SIGKILL */
	struct program *next;
};

struct state {
	struct program *programs;
	launcher_become *become;
	launcher_task *task;
	bool confined;
	sigset_t unblocked; /* while it waits */
};

static void
answer(enum launcher_result result, uint32_t id, int value)
{
	const struct launcher_answer message = { (uint32_t)result, id, value };

	/* The daemon reads in every turn of its loop; that its socket is full costs only the launcher's time. */
	while (send(SOCKET, &message, sizeof(message), MSG_NOSIGNAL) == -1 && (errno == EINTR || errno == ENOBUFS))
		continue;
}

static int
launcher_read(const char *path)
{
	char bytes[16384];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd != -1 ? 0 : -1;

	while (got != -1 && (got = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t put, at = 0; at < got; at += put)
			if ((put = write(STDOUT_FILENO, bytes + at, (size_t)(got - at))) == -1)
				return errno;
	return got == 0 ? 0 : errno;
}

static int
launcher_do(const struct state *state, const char *const *argv)
{
	if (strcmp(argv[0], LAUNCHER_READ) == 0 && argv[1] != NULL)
		return launcher_read(argv[1]);
	return state->task != NULL ? state->task(argv) : ENOSYS;
}

/* In the child: it does the task or becomes the program, or says why it does not. */
static void
launcher_execute(const struct state *state, const struct request *request, const char *const *argv,
    const char *const *environment, int out)
{
	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	if (out == -1 || dup2(out, STDOUT_FILENO) != -1) {
		if (out != -1)
			(void)close(out);
		(void)sigprocmask(SIG_SETMASK, &state->unblocked, NULL);
		if (argv[0][0] != '/')
			_exit(launcher_do(state, argv));
		/* POSIX promises that it writes into neither list. */
		(void)execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
	}
	answer(LAUNCHER_FAILED, request->id, errno);
	_exit(127);
}

static void
serve_start(struct state *state, const struct request *request, const char *words, size_t length, int out)
{
	const char *lists[WORDS_ALL + 2] = { NULL };
	const size_t count = (size_t)request->argc + request->envc;
	struct program *program = NULL;
	size_t at = 0;

	errno = EPERM;
	if (!state->confined)
		goto failed;
	errno = E2BIG;
	if (request->argc == 0)
		goto failed;
	for (size_t i = 0; i < count; i++) {
		if (count > WORDS_ALL || at >= length)
			goto failed;
		/* A NULL stands between the two lists. */
		lists[i < request->argc ? i : i + 1] = words + at;
		at += strnlen(words + at, length - at) + 1;
	}
	program = calloc(1, sizeof(*program));
	if (program == NULL)
		goto failed;
	program->id = request->id;
	program->pid = fork();
	if (program->pid == 0)
		launcher_execute(state, request, lists, lists + request->argc + 1, out);
	if (program->pid == -1)
		goto failed;
	program->next = state->programs;
	state->programs = program;
	return;
failed:
	answer(LAUNCHER_FAILED, request->id, errno);
	free(program);
}

static void
signal_group(const struct program *program, int number)
{
	/* Before it has made its group there is only itself. */
	if (kill(-program->pid, number) == -1)
		(void)kill(program->pid, number);
}

static void
serve_signal(struct state *state, const struct request *request)
{
	for (struct program *program = state->programs; program != NULL; program = program->next) {
		if (program->id != request->id)
			continue;
		signal_group(program, request->value);
		program->held = request->value != SIGKILL;
	}
}

static void
serve_confine(struct state *state, const char *bytes, size_t size)
{
	struct confined confined;
	union {
		max_align_t align;
		char bytes[LAUNCHER_ORDER];
	} order;

	memset(&order, 0, sizeof(order));
	memset(&confined, 0, sizeof(confined));
	memcpy(order.bytes, bytes, size < sizeof(order.bytes) ? size : sizeof(order.bytes));
	state->confined = state->become(order.bytes, confined.outcome.bytes, confined.reason) == 0;
	if (state->confined)
		confined.reason[0] = '\0';
	(void)send(SOCKET, &confined, sizeof(confined), MSG_NOSIGNAL);
}

static void
serve_request(struct state *state)
{
	union message message;
	union rights rights;
	struct iovec part = { message.bytes, sizeof(message.bytes) - 1 };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = rights.room,
		.msg_controllen = sizeof(rights.room) };
	const ssize_t length = recvmsg(SOCKET, &header, 0);
	struct cmsghdr *control = CMSG_FIRSTHDR(&header);
	int out = -1;

	if (length == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	/* The daemon is gone, so its programs go. */
	if (length < (ssize_t)sizeof(struct request)) {
		for (const struct program *program = state->programs; program != NULL; program = program->next)
			signal_group(program, SIGKILL);
		_exit(0);
	}
	message.bytes[length] = '\0';
	if (control != NULL && control->cmsg_type == SCM_RIGHTS)
		memcpy(&out, CMSG_DATA(control), sizeof(out));
	switch ((enum operation)message.request.operation) {
	case START:
		serve_start(state, &message.request, message.bytes + sizeof(struct request),
		    (size_t)length - sizeof(struct request), out);
		break;
	case SIGNAL:
		serve_signal(state, &message.request);
		break;
	case CONFINE:
		serve_confine(state, message.bytes + sizeof(struct request), (size_t)length - sizeof(struct request));
		break;
	}
	if (out != -1)
		(void)close(out);
}

static void
launcher_reap(struct state *state)
{
	struct program **link = &state->programs, *program;

	while ((program = *link) != NULL) {
		int status = 0;

		if (program->held || waitpid(program->pid, &status, WNOHANG) != program->pid) {
			link = &program->next;
			continue;
		}
		answer(LAUNCHER_ENDED, program->id, status);
		*link = program->next;
		free(program);
	}
}

static void
on_child(int number UNUSED)
{
	/* It ends pselect(). */
}

static void
prepare_signals(struct state *state)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE };
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child;

	/* A terminal or a service manager signals all processes: this one ends after the daemon. */
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGCHLD, &action, NULL);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	(void)sigemptyset(&state->unblocked);
}

static void
launcher_serve(int socket, launcher_become *become, launcher_task *task)
{
	struct state state = { .become = become, .task = task, .confined = become == NULL };
	int null;

	(void)dup2(socket, SOCKET);
	close_from(SOCKET + 1);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	(void)close(null);
	(void)fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SOCKET, F_SETFL, 0);
	prepare_signals(&state);
	for (;;) {
		fd_set readable;

		FD_ZERO(&readable);
		FD_SET(SOCKET, &readable);
		if (pselect(SOCKET + 1, &readable, NULL, NULL, NULL, &state.unblocked) == 1)
			serve_request(&state);
		launcher_reap(&state);
	}
}

/* --- in the daemon ------------------------------------------------------------------------------------------------ */

static int
open_pair(int ends[2])
{
	/* Messages whose end is seen when the other end closes; macOS has none, and there datagrams do it. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1 && socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == -1)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		const int room = 4 * LAUNCHER_MESSAGE;

		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		(void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	}
	return 0;
}

int
launcher_open(struct launcher *launcher, launcher_become *become, launcher_task *task)
{
	int ends[2], reason;

	launcher->fd = -1;
	if (open_pair(ends) == -1)
		return -1;
	launcher->pid = fork();
	if (launcher->pid == 0) {
		launcher_serve(ends[1], become, task);
		_exit(0);
	}
	reason = errno;
	(void)close(ends[1]);
	if (launcher->pid == -1) {
		(void)close(ends[0]);
		errno = reason;
		return -1;
	}
	launcher->fd = ends[0];
	return 0;
}

void
launcher_close(struct launcher *launcher)
{
	if (launcher->fd == -1)
		return;
	(void)close(launcher->fd);
	launcher->fd = -1;
	/* It ends at once; a fifth of a second is patience enough. */
	for (unsigned i = 0; i < 200 && waitpid(launcher->pid, NULL, WNOHANG) == 0; i++)
		(void)poll(NULL, 0, 1);
}

/* Nothing of it waits: a launcher that does not read gets no more orders. */
static int
send_request(const struct launcher *launcher, union message *message, size_t length, int out)
{
	union rights rights;
	struct iovec part = { message->bytes, length };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (launcher->fd == -1) {
		errno = EPIPE;
		return -1;
	}
	if (out != -1) {
		struct cmsghdr *control = &rights.header;

		memset(&rights, 0, sizeof(rights));
		header.msg_control = rights.room;
		header.msg_controllen = sizeof(rights.room);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(out));
		memcpy(CMSG_DATA(control), &out, sizeof(out));
	}
	return sendmsg(launcher->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

/* The words of a list, behind what is there. Their number, or -1. */
static int
launcher_add_words(union message *message, size_t *length, const char *const *words)
{
	int count = 0;

	for (; words[count] != NULL; count++) {
		const size_t size = strlen(words[count]) + 1;

		if (*length + size >= sizeof(message->bytes)) {
			errno = E2BIG;
			return -1;
		}
		memcpy(message->bytes + *length, words[count], size);
		*length += size;
	}
	return count;
}

int
launcher_start(struct launcher *launcher, uint32_t id, const char *const *argv, const char *const *environment, int out)
{
	union message message;
	size_t length = sizeof(message.request);
	int argc, envc;

	memset(&message.request, 0, sizeof(message.request));
	argc = launcher_add_words(&message, &length, argv);
	envc = argc == -1 ? -1 : launcher_add_words(&message, &length, environment);
	if (envc == -1)
		return -1;
	message.request.operation = START;
	message.request.id = id;
	message.request.argc = (uint16_t)argc;
	message.request.envc = (uint16_t)envc;
	return send_request(launcher, &message, length, out);
}

int
launcher_signal(struct launcher *launcher, uint32_t id, int number)
{
	union message message = { .request = { .operation = SIGNAL, .id = id, .value = number } };

	return send_request(launcher, &message, sizeof(message.request), -1);
}

int
launcher_confine(struct launcher *launcher, const void *order, size_t size, void *outcome, char reason[LAUNCHER_REASON])
{
	union message message = { .request = { .operation = CONFINE } };
	struct confined confined;
	ssize_t got = -1;

	memcpy(message.bytes + sizeof(message.request), order, size);
	if (send_request(launcher, &message, sizeof(message.request) + size, -1) == 0) {
		do
			got = recv(launcher->fd, &confined, sizeof(confined), 0);
		while (got == -1 && errno == EINTR);
	}
	if (got != (ssize_t)sizeof(confined)) {
		(void)snprintf(reason, LAUNCHER_REASON, "the process that starts programs has ended");
		return -1;
	}
	memcpy(reason, confined.reason, LAUNCHER_REASON);
	memcpy(outcome, confined.outcome.bytes, LAUNCHER_OUTCOME);
	return reason[0] == '\0' ? 0 : -1;
}

int
launcher_answer(struct launcher *launcher, struct launcher_answer *answer)
{
	const ssize_t got = recv(launcher->fd, answer, sizeof(*answer), MSG_DONTWAIT);

	if (got == (ssize_t)sizeof(*answer))
		return 1;
	return got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : -1;
}
