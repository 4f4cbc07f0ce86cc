/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/notify_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "check/children.h"

#define RUNNING_MOST 4
#define QUEUE_MOST 64
#define TEXT 96 /* more than any reason or state */

static const struct timeval timeout = { 10, 0 };

/* A change, copied: its server may be gone when its turn comes. */
struct event {
	char service[NAME_MOST];
	char server[NAME_MOST]; /* "-": the service itself */
	char from[TEXT];
	char to[TEXT];
	char reason[TEXT];
	char address[ADDR_TEXT];
	char vip[ADDR_TEXT];
	uint16_t port;
};

struct run {
	struct hook *hook;
	struct child *child; /* NULL: free */
};

struct hook {
	struct children *children;
	const char *program;
	struct event queue[QUEUE_MOST];
	size_t first;
	size_t count;
	struct run runs[RUNNING_MOST];
	struct hook_stats stats;
};

struct hook *
hook_new(struct children *children, const char *program)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (hook == NULL)
		return NULL;
	hook->children = children;
	hook->program = program;
	return hook;
}

void
hook_free(struct hook *hook)
{
	if (hook == NULL)
		return;
	for (size_t i = 0; i < RUNNING_MOST; i++)
		if (hook->runs[i].child != NULL)
			child_forget(hook->runs[i].child);
	free(hook);
}

struct hook_stats
hook_stats(const struct hook *hook)
{
	return hook->stats;
}

static void
fail(struct hook *hook, const char *reason)
{
	hook->stats.failed++;
	log_warning("notify result=failed program=%s reason=\"%s\"", hook->program, reason);
}

static void start_waiting(struct hook *hook);

static void
on_end(void *argument, const struct child_end *end)
{
	struct run *run = argument;
	char reason[TEXT];
	int status = end->status; /* NetBSD's WIFEXITED takes the address of what it is given */

	run->child = NULL;
	if (end->timed_out)
		fail(run->hook, "it ran for more than 10 s and was ended");
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		(void)snprintf(reason, sizeof(reason), "%s %d", WIFEXITED(status) ? "exit status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		fail(run->hook, reason);
	}
	start_waiting(run->hook);
}

static void
start(struct hook *hook, struct run *run, const struct event *event)
{
	char service[NAME_MOST + 16], server[NAME_MOST + 16], address[ADDR_TEXT + 16], port[32], vip[ADDR_TEXT + 16];
	const char *const argv[] = { hook->program, event->service, event->server, event->from, event->to, event->reason,
		NULL };
	const char *const environment[] = { service, server, address, port, vip, NULL };
	const struct child_order order = { argv, environment, timeout, false, on_end, run };

	(void)snprintf(service, sizeof(service), "DSRD_SERVICE=%s", event->service);
	(void)snprintf(server, sizeof(server), "DSRD_SERVER=%s", strcmp(event->server, "-") == 0 ? "" : event->server);
	(void)snprintf(address, sizeof(address), "DSRD_ADDRESS=%s", event->address);
	(void)snprintf(port, sizeof(port), "DSRD_PORT=%u", event->port);
	(void)snprintf(vip, sizeof(vip), "DSRD_VIP=%s", event->vip);
	run->hook = hook;
	run->child = child_start(hook->children, &order);
	if (run->child == NULL)
		fail(hook, strerror(errno));
	else
		hook->stats.started++;
}

static struct run *
find_idle(struct hook *hook)
{
	for (size_t i = 0; i < RUNNING_MOST; i++)
		if (hook->runs[i].child == NULL)
			return &hook->runs[i];
	return NULL;
}

static void
start_waiting(struct hook *hook)
{
	struct run *run;

	while (hook->count > 0 && (run = find_idle(hook)) != NULL) {
		const struct event *event = &hook->queue[hook->first];

		hook->first = (hook->first + 1) % QUEUE_MOST;
		hook->count--;
		if (hook->program[0] != '\0')
			start(hook, run, event);
	}
}

void
hook_run(struct hook *hook, const struct state_change *change)
{
	const struct service_settings *service = &change->service->settings;
	struct event *event;

	if (hook->program[0] == '\0')
		return;
	if (hook->count == QUEUE_MOST) {
		if (hook->stats.dropped++ == 0)
			log_warning("notify result=dropped program=%s reason=\"64 changes wait for it already: it is too slow; "
			    "further losses are counted only\"", hook->program);
		return;
	}
	event = &hook->queue[(hook->first + hook->count++) % QUEUE_MOST];
	memset(event, 0, sizeof(*event));
	(void)snprintf(event->service, sizeof(event->service), "%s", service->name);
	(void)snprintf(event->server, sizeof(event->server), "%s",
	    change->server == NULL ? "-" : change->server->settings.name);
	(void)snprintf(event->from, sizeof(event->from), "%s", change->from);
	(void)snprintf(event->to, sizeof(event->to), "%s", change->to);
	(void)snprintf(event->reason, sizeof(event->reason), "%s", change->reason);
	if (change->server != NULL)
		addr_format(&change->server->settings.addr, event->address);
	if (service->listen_count > 0) {
		addr_format(&service->listens[0].vip, event->vip);
		event->port = service->listens[0].first;
	}
	start_waiting(hook);
}
