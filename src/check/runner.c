/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/runner.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/util.h>

#include "base/clock.h"
#include "base/duration.h"

/* A deadline that is noticed so late: the process was held up, and has not read what came meanwhile. */
#define LATE MILLISECONDS(20)

#define DATAGRAM_MOST 4096 /* what is looked at of an answer; EDNS answers are not longer */

enum health_reason
check_reason_of(int error)
{
	switch (error) {
	case 0:
		return HEALTH_REASON_NONE;
	case ECONNREFUSED:
		return HEALTH_REASON_REFUSED;
	case ETIMEDOUT:
		return HEALTH_REASON_TIMEOUT;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return HEALTH_REASON_RESET;
	case EMFILE: /* no descriptors, memory or ports left here */
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EAGAIN:
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EPERM: /* a filter of our own (Linux, netfilter's OUTPUT) */
	case EACCES:
	case EAFNOSUPPORT: /* a kernel without IPv6 */
		return HEALTH_REASON_LOCAL;
	default: /* EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, and what else ICMP errors become (ENOPROTOOPT) */
		return HEALTH_REASON_UNREACHABLE;
	}
}

const struct check_type *
check_type_of(enum check_kind kind)
{
	switch (kind) {
	case CHECK_TCP:
		return &check_tcp;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		return &check_http;
	case CHECK_ICMP:
		return &check_icmp;
	case CHECK_DNS:
		return &check_dns;
	case CHECK_UDP:
		return &check_udp;
	case CHECK_SCRIPT:
		return &check_script;
	}
	return NULL;
}

const char *
check_error_text(int error)
{
	if (check_reason_of(error) != HEALTH_REASON_LOCAL)
		return NULL;
	if (error == EMFILE)
		return "too many open files: raise the hard limit of dsrd's open files (systemd: LimitNOFILE=, "
		    "login.conf: openfiles)";
	return strerror(error);
}

int
socket_connect(const struct addr *addr, uint16_t port, int type, int protocol)
{
	struct sockaddr_storage storage;
	const socklen_t length = addr_to_sockaddr(&storage, addr, port);
	const int fd = socket(addr->family == ADDR_IPV4 ? AF_INET : AF_INET6, type, protocol);
	int reason;

	if (fd == -1)
		return -1;
	if (evutil_make_socket_nonblocking(fd) == -1 || evutil_make_socket_closeonexec(fd) == -1)
		goto fail;
	if (connect(fd, (const struct sockaddr *)&storage, length) == 0) {
		errno = 0;
		return fd;
	}
	if (errno == EINPROGRESS)
		return fd;
fail:
	reason = errno;
	(void)close(fd);
	errno = reason;
	return -1;
}

int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1 ? errno : error;
}

void
runner_tell(const struct runner *runner, enum health_reason reason, int weight, const char *detail)
{
	const struct check_report report = { .reason = reason, .weight = weight, .detail = detail };

	runner->target->answer(runner->target->job, &report);
}

static void
runner_stop(struct runner *runner)
{
	if (runner->type->stop != NULL)
		runner->type->stop(runner);
	if (runner->event != NULL)
		event_free(runner->event);
	runner->event = NULL;
	runner->extended = false;
	(void)event_del(runner->deadline);
	if (runner->fd != -1 && !runner->type->keeps_socket) {
		(void)close(runner->fd);
		runner->fd = -1;
	}
}

void
runner_finish(void *argument, enum health_reason reason, const char *detail)
{
	struct runner *runner = argument;

	runner_stop(runner);
	if (runner->type->judge != NULL && !runner->target->once)
		reason = runner->type->judge(runner, reason);
	runner_tell(runner, reason, CHECK_NO_WEIGHT, detail);
}

void
runner_fail(void *argument, int error)
{
	struct runner *runner = argument;

	if (runner->type->failed != NULL)
		runner->type->failed(runner, check_reason_of(error), check_error_text(error));
	else
		runner_finish(runner, check_reason_of(error), check_error_text(error));
}

void
runner_drop(void *argument)
{
	struct runner *runner = argument;

	runner_stop(runner);
	runner->target->answer(runner->target->job, NULL);
}

int
runner_limit(void *argument, const struct timeval *time)
{
	struct runner *runner = argument;

	runner->due = clock_us() + timeval_us(time);
	return event_add(runner->deadline, time);
}

/* The server is not to blame for the time that this process stood still, such as a machine that was stopped. */
static void
runner_on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct runner *runner = argument;
	const uint64_t now = clock_us();
	const bool late = now > runner->due + LATE && !runner->extended;

	runner->extended = late;
	if (!late || runner_limit(runner, &runner->target->timeout) == -1)
		runner_fail(runner, ETIMEDOUT);
}

void *
runner_new(const struct check_type *type, const struct check_target *target)
{
	struct runner *runner = calloc(1, type->size);

	if (runner == NULL)
		return NULL;
	runner->type = type;
	runner->target = target;
	runner->fd = -1;
	runner->deadline = event_new(target->base, -1, 0, runner_on_deadline, runner);
	if (runner->deadline == NULL) {
		free(runner);
		return NULL;
	}
	if (type->init != NULL)
		type->init(runner);
	return runner;
}

void
runner_free(void *argument)
{
	struct runner *runner = argument;

	runner_stop(runner);
	if (runner->fd != -1)
		(void)close(runner->fd);
	event_free(runner->deadline);
	free(runner);
}

bool
runner_connect(void *argument, int type)
{
	struct runner *runner = argument;

	runner->fd = socket_connect(&runner->target->addr, runner->target->port, type, 0);
	if (runner->fd != -1)
		return true;
	/* The checker frees the runner then. */
	runner_fail(runner, errno);
	return false;
}

void
runner_await(void *argument, short what, event_callback_fn callback)
{
	struct runner *runner = argument;

	if (runner->event != NULL)
		event_free(runner->event);
	runner->event = event_new(runner->target->base, runner->fd, (short)(what | EV_PERSIST), callback, runner);
	if (runner->event == NULL || event_add(runner->event, NULL) == -1 ||
	    (!evtimer_pending(runner->deadline, NULL) && runner_limit(runner, &runner->target->timeout) == -1))
		runner_finish(runner, HEALTH_REASON_LOCAL, "out of memory");
}

static void
runner_on_datagram(evutil_socket_t fd, short what UNUSED, void *argument)
{
	struct runner *runner = argument;
	uint8_t bytes[DATAGRAM_MOST];
	/* A connected socket takes datagrams of the server's port only, and its ICMP errors. */
	const ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	if (got >= 0)
		runner->type->received(runner, bytes, (size_t)got);
	else if (errno != EAGAIN && errno != EINTR)
		runner_fail(runner, errno);
}

void
runner_ask(void *argument, const uint8_t *bytes, size_t length)
{
	struct runner *runner = argument;

	if (!runner_connect(runner, SOCK_DGRAM))
		return;
	if (send(runner->fd, bytes, length, 0) == -1)
		runner_fail(runner, errno);
	else
		runner_await(runner, EV_READ, runner_on_datagram);
}
