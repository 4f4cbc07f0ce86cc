/* SPDX-License-Identifier: ISC */
/* The messages, and the process. */
#include "config.h"

#include "daemon/route_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "announce/announce.h"
#include "base/clock.h"
#include "base/errlist.h"
#include "compat/cmsg_cloexec.h"
#include "daemon/privsep.h"
#include "os/routes.h"

/* So often every route is looked after: a program that flushes them does not know what it does. */
#define REPAIR SECONDS(2)

/* --- messages ----------------------------------------------------------------------------------------------------- */

static bool
request_is_zero(const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((const uint8_t *)bytes)[i] != 0)
			return false;
	return true;
}

int
route_holder_request_read(const void *bytes, size_t length, struct route_holder_request *request)
{
	if (length != sizeof(*request))
		return -1;
	memcpy(request, bytes, sizeof(*request));
	if (!request_is_zero(request->zero, sizeof(request->zero)))
		return -1;
	switch (request->operation) {
	case ROUTE_HOLDER_BEAT:
	case ROUTE_HOLDER_RELOAD:
		return request->metric == 0 && request_is_zero(&request->addr, sizeof(request->addr)) ? 0 : -1;
	case ROUTE_HOLDER_ADD:
		if (request->metric == 0 || request->metric > ANNOUNCE_METRIC_MOST + ANNOUNCE_RAISE)
			return -1;
		break;
	case ROUTE_HOLDER_REMOVE:
		if (request->metric != 0)
			return -1;
		break;
	default:
		return -1;
	}
	if (request->addr.family == ADDR_IPV4)
		return request_is_zero(request->addr.bytes + 4, sizeof(request->addr.bytes) - 4) ? 0 : -1;
	return request->addr.family == ADDR_IPV6 ? 0 : -1;
}

int
route_holder_send(int fd, enum route_holder_operation operation, const struct addr *addr, uint32_t metric)
{
	struct route_holder_request request;

	memset(&request, 0, sizeof(request));
	request.operation = operation;
	request.metric = metric;
	if (addr != NULL) {
		request.addr.family = addr->family;
		memcpy(request.addr.bytes, addr->bytes, sizeof(request.addr.bytes));
	}
	return send(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(request) ? 0 : -1;
}

int
route_holder_read(int fd, struct route_holder_answer *answer)
{
	ssize_t length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);

	/* It ended with requests that it had not read: what it said before follows (net/unix/af_unix.c). */
	if (length == -1 && errno == ECONNRESET)
		length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
	if (length == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (length != (ssize_t)sizeof(*answer))
		return -1;
	answer->reason[sizeof(answer->reason) - 1] = '\0';
	return 1;
}

/* --- the process -------------------------------------------------------------------------------------------------- */

struct held {
	struct addr addr;
	uint32_t metric;
	size_t group;
};

struct holder {
	const struct options *options;
	struct conf conf;
	bool reread;                          /* `conf` is this process's own */
	struct os_routes *routes[ROLE_GROUPS]; /* NULL: not requested yet; groups of one device or table share them */
	struct announce_settings opened[ROLE_GROUPS]; /* with which they were */
	struct held *list;
	size_t count;
	size_t room;
	uint64_t heard;
	uint64_t repaired;
};

static void
holder_answer(enum route_holder_result result, const struct addr *addr, uint32_t metric, const char *reason,
    const struct os_sandbox *sandbox)
{
	struct route_holder_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.result = result;
	answer.metric = metric;
	if (addr != NULL)
		answer.addr = *addr;
	(void)snprintf(answer.reason, sizeof(answer.reason), "%s", reason);
	if (sandbox != NULL)
		answer.sandbox = *sandbox;
	/* A director that does not read is soon found silent. */
	(void)send(PRIVSEP_SOCKET, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* As for a reload; a file that cannot be read changes nothing. */
static void
holder_reread(struct holder *holder)
{
	struct errlist *errors = errlist_new();
	struct conf fresh;

	if (errors != NULL && conf_load(holder->options->config, &fresh, errors) == 0) {
		options_override(holder->options, &fresh);
		if (holder->reread)
			conf_clear(&holder->conf);
		holder->conf = fresh;
		holder->reread = true;
	}
	errlist_free(errors);
}

/* The group of the VIP; ROLE_GROUPS: it is none. */
static size_t
holder_find_group(const struct holder *holder, const struct addr *addr)
{
	for (size_t i = 0; i < holder->conf.settings.service_count; i++) {
		const struct service_settings *service = &holder->conf.settings.services[i];

		for (size_t j = 0; j < service->listen_count; j++)
			if (addr_equal(&service->listens[j].vip, addr))
				return service->group;
	}
	return ROLE_GROUPS;
}

static size_t
holder_group(struct holder *holder, const struct addr *addr)
{
	size_t group = holder_find_group(holder, addr);

	if (group == ROLE_GROUPS) {
		holder_reread(holder);
		group = holder_find_group(holder, addr);
	}
	return group;
}

static uint32_t
holder_table(const struct announce_settings *settings)
{
	return settings->table != 0 ? settings->table : ANNOUNCE_TABLE_MAIN;
}

/* The group whose routes go to the same table, and with `alike` by the same device or none. ROLE_GROUPS: there is none. */
static size_t
holder_find_open(const struct holder *holder, const struct announce_settings *settings, bool alike)
{
	for (size_t i = 0; i < ROLE_GROUPS; i++) {
		const struct announce_settings *opened = &holder->opened[i];

		if (holder->routes[i] != NULL && holder_table(opened) == holder_table(settings) && (!alike ||
		    (opened->way == settings->way && strcmp(opened->device, settings->device) == 0)))
			return i;
	}
	return ROLE_GROUPS;
}

/* Opened when the first VIP of the group is announced. */
static struct os_routes *
holder_routes(struct holder *holder, size_t group, char error[OS_ERROR])
{
	const struct announce_settings *settings = &holder->conf.settings.announces[group];
	const size_t alike = holder_find_open(holder, settings, true);
	const struct os_routes_order order = { .device = settings->way == ANNOUNCE_DEVICE ? settings->device : "",
		.table = settings->table, .protocol = ANNOUNCE_PROTOCOL,
		.shared = holder_find_open(holder, settings, false) != ROLE_GROUPS };

	if (settings->way != ANNOUNCE_DEVICE && settings->way != ANNOUNCE_ROUTE) {
		(void)snprintf(error, OS_ERROR, "the configuration asks for no routes for the VIP's group");
		return NULL;
	}
	if (holder->routes[group] != NULL)
		return holder->routes[group];
	holder->routes[group] = alike != ROLE_GROUPS ? holder->routes[alike] : os_routes_open(&order, error);
	holder->opened[group] = *settings;
	return holder->routes[group];
}

/* Once, however many groups have them. */
static void
holder_close(struct holder *holder, size_t group)
{
	struct os_routes *routes = holder->routes[group];

	for (size_t i = group; i < ROLE_GROUPS; i++)
		if (holder->routes[i] == routes)
			holder->routes[i] = NULL;
	os_routes_close(routes);
}

static struct held *
holder_find(struct holder *holder, const struct addr *addr)
{
	for (size_t i = 0; i < holder->count; i++)
		if (addr_equal(&holder->list[i].addr, addr))
			return &holder->list[i];
	return NULL;
}

static void
holder_remove(struct holder *holder, struct held *held)
{
	char error[OS_ERROR];

	if (os_routes_remove(holder->routes[held->group], &held->addr, held->metric, error) == -1)
		holder_answer(ROUTE_HOLDER_FAILED, &held->addr, held->metric, error, NULL);
	*held = holder->list[--holder->count];
}

static bool
holder_grow(struct holder *holder)
{
	const size_t room = holder->room == 0 ? 16 : holder->room * 2;
	struct held *list;

	if (holder->count < holder->room)
		return true;
	list = realloc(holder->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	holder->list = list;
	holder->room = room;
	return true;
}

/* The new route is there before the old one goes: a routing daemon sees no gap. */
static void
holder_add(struct holder *holder, const struct addr *addr, uint32_t metric)
{
	const size_t group = holder_group(holder, addr);
	struct held *before = holder_find(holder, addr);
	struct os_routes *routes = NULL;
	char error[OS_ERROR];
	int added = -1;

	if (group == ROLE_GROUPS)
		(void)snprintf(error, sizeof(error), "the configuration has no such VIP");
	else
		routes = holder_routes(holder, group, error);
	if (routes != NULL && !holder_grow(holder))
		(void)snprintf(error, sizeof(error), "out of memory");
	else if (routes != NULL)
		added = os_routes_add(routes, addr, metric, error);
	if (added == -1) {
		holder_answer(ROUTE_HOLDER_FAILED, addr, metric, error, NULL);
		return;
	}
	before = holder_find(holder, addr);
	if (before != NULL && before->metric != metric)
		holder_remove(holder, before);
	if (before == NULL || holder_find(holder, addr) == NULL)
		holder->list[holder->count++] = (struct held) { *addr, metric, group };
	holder_answer(ROUTE_HOLDER_DONE, addr, metric, "", NULL);
}

static void
holder_repair(struct holder *holder)
{
	char error[OS_ERROR];

	for (size_t i = 0; i < holder->count; i++) {
		const struct held *held = &holder->list[i];

		switch (os_routes_add(holder->routes[held->group], &held->addr, held->metric, error)) {
		case 1:
			holder_answer(ROUTE_HOLDER_RESTORED, &held->addr, held->metric, "", NULL);
			break;
		case -1:
			holder_answer(ROUTE_HOLDER_FAILED, &held->addr, held->metric, error, NULL);
			break;
		}
	}
}

/* All routes go, then the process. */
static void __attribute__((noreturn))
holder_end(struct holder *holder, const char *reason)
{
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		holder_close(holder, i);
	holder_answer(ROUTE_HOLDER_ENDS, NULL, 0, reason, NULL);
	_exit(0);
}

static void
holder_serve_request(struct holder *holder)
{
	char bytes[sizeof(struct route_holder_request) + 1]; /* a longer one shows */
	struct route_holder_request request;
	const ssize_t length = recv(PRIVSEP_SOCKET, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct addr addr;
	struct held *held;

	if (length == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0)
		holder_end(holder, "the director has ended");
	if (route_holder_request_read(bytes, (size_t)length, &request) == -1)
		return;
	holder->heard = clock_us();
	addr = (struct addr) { .family = request.addr.family };
	memcpy(addr.bytes, request.addr.bytes, sizeof(addr.bytes));
	switch ((enum route_holder_operation)request.operation) {
	case ROUTE_HOLDER_BEAT:
		break;
	case ROUTE_HOLDER_ADD:
		holder_add(holder, &addr, request.metric);
		break;
	case ROUTE_HOLDER_REMOVE:
		held = holder_find(holder, &addr);
		if (held != NULL)
			holder_remove(holder, held);
		break;
	case ROUTE_HOLDER_RELOAD:
		holder_reread(holder);
		break;
	}
}

/* Waits for a request, for packets to a device, or for the time at which something is due. */
static void
holder_wait(struct holder *holder)
{
	struct pollfd wait[1 + ROLE_GROUPS];
	const uint64_t now = clock_us(), silent = holder->heard + ROUTE_HOLDER_SILENCE;
	const uint64_t repair = holder->repaired + REPAIR, due = silent < repair ? silent : repair;

	wait[0] = (struct pollfd) { .fd = PRIVSEP_SOCKET, .events = POLLIN };
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		wait[1 + i] = (struct pollfd) { .fd = holder->routes[i] == NULL ? -1 : os_routes_fd(holder->routes[i]),
			.events = POLLIN };
	if (poll(wait, 1 + ROLE_GROUPS, due <= now ? 0 : (int)((due - now) / MILLISECONDS(1)) + 1) == -1)
		return;
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		if (wait[1 + i].revents != 0 && os_routes_discard(holder->routes[i]) == -1)
			holder_end(holder, "another program has removed the device");
	if (wait[0].revents != 0)
		holder_serve_request(holder);
}

static void __attribute__((noreturn))
holder_serve(int fd, const struct privsep_order *order)
{
	struct holder holder = { .options = order->options, .conf = *order->conf, .heard = clock_us() };
	const struct os_sandbox_order confine = { .process = OS_PROCESS_PRIVILEGED,
		.mode = (enum os_sandbox_mode)order->conf->sandbox };
	struct os_sandbox sandbox;
	char error[OS_ERROR];

	privsep_prepare(fd);
	if (os_keep_network(error) == -1 || os_sandbox_enter(&confine, &sandbox, error) == -1)
		holder_end(&holder, error);
	holder_reread(&holder);
	holder_answer(ROUTE_HOLDER_READY, NULL, 0, "", &sandbox);
	holder.heard = holder.repaired = clock_us();
	for (;;) {
		holder_wait(&holder);
		/* One that has just resumed, as the director may have, first reads what has come meanwhile. */
		if (clock_us() - holder.heard >= ROUTE_HOLDER_SILENCE)
			holder_serve_request(&holder);
		if (clock_us() - holder.heard >= ROUTE_HOLDER_SILENCE)
			holder_end(&holder, "it heard nothing from the director for 1.2 s");
		if (clock_us() - holder.repaired < REPAIR)
			continue;
		holder_repair(&holder);
		holder.repaired = clock_us();
	}
}

int
route_holder_fork(const struct privsep_order *order, pid_t *pid)
{
	int ends[2], number;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	*pid = fork();
	if (*pid == 0)
		holder_serve(ends[1], order);
	number = errno;
	(void)close(ends[1]);
	errno = number;
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	if (*pid != -1)
		return ends[0];
	(void)close(ends[0]);
	errno = number;
	return -1;
}
