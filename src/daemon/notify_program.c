/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/notify_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "check/children.h"
#include "model/model.h"

#define RUNNING_MOST 4
#define QUEUE_MOST 64
#define TEXT 96 /* more than any reason or state */

static const struct timeval timeout = { 10, 0 };

/* A change, copied: its server may be gone when its turn comes. */
struct event {
	char program[NOTIFY_PATH];
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
	struct notify_program *notify_program;
	struct child *child; /* NULL: free */
	char program[NOTIFY_PATH];
};

struct notify_program {
	struct children *children;
	const char *program;
	struct event queue[QUEUE_MOST];
	size_t first;
	size_t count;
	struct run runs[RUNNING_MOST];
	struct notify_program_stats stats;
};

struct notify_program *
notify_program_new(struct children *children, const char *program)
{
	struct notify_program *notify_program = calloc(1, sizeof(*notify_program));

	if (notify_program == NULL)
		return NULL;
	notify_program->children = children;
	notify_program->program = program;
	return notify_program;
}

void
notify_program_free(struct notify_program *notify_program)
{
	if (notify_program == NULL)
		return;
	for (size_t i = 0; i < RUNNING_MOST; i++)
		if (notify_program->runs[i].child != NULL)
			child_forget(notify_program->runs[i].child);
	free(notify_program);
}

struct notify_program_stats
notify_program_stats(const struct notify_program *notify_program)
{
	return notify_program->stats;
}

static void
notify_program_fail(struct run *run, const char *reason)
{
	run->notify_program->stats.failed++;
	log_warning("notify result=failed program=%s reason=\"%s\"", run->program, reason);
}

static void notify_program_start_waiting(struct notify_program *notify_program);

static void
notify_program_on_exit(void *argument, const struct child_end *end)
{
	struct run *run = argument;
	char reason[CHILD_REASON];

	run->child = NULL;
	if (child_failed(end, &timeout, reason))
		notify_program_fail(run, reason);
	notify_program_start_waiting(run->notify_program);
}

static void
notify_program_start(struct notify_program *notify_program, struct run *run, const struct event *event)
{
	char service[NAME_MOST + 16], server[NAME_MOST + 16], address[ADDR_TEXT + 16], port[32], vip[ADDR_TEXT + 16];
	const char *const argv[] = { run->program, event->service, event->server, event->from, event->to,
		event->reason, NULL };
	const char *const environment[] = { service, server, address, port, vip, NULL };
	const struct child_order order = { .argv = argv, .environment = environment, .timeout = timeout,
		.ended = notify_program_on_exit, .context = run };

	(void)snprintf(service, sizeof(service), "DSRD_SERVICE=%s", event->service);
	(void)snprintf(server, sizeof(server), "DSRD_SERVER=%s", strcmp(event->server, "-") == 0 ? "" : event->server);
	(void)snprintf(address, sizeof(address), "DSRD_ADDRESS=%s", event->address);
	(void)snprintf(port, sizeof(port), "DSRD_PORT=%u", event->port);
	(void)snprintf(vip, sizeof(vip), "DSRD_VIP=%s", event->vip);
	run->child = child_start(notify_program->children, &order);
	if (run->child == NULL)
		notify_program_fail(run, strerror(errno));
	else
		notify_program->stats.started++;
}

static struct run *
notify_program_find_idle(struct notify_program *notify_program)
{
	for (size_t i = 0; i < RUNNING_MOST; i++)
		if (notify_program->runs[i].child == NULL)
			return &notify_program->runs[i];
	return NULL;
}

static void
notify_program_start_waiting(struct notify_program *notify_program)
{
	struct run *run;

	while (notify_program->count > 0 && (run = notify_program_find_idle(notify_program)) != NULL) {
		const struct event *event = &notify_program->queue[notify_program->first];

		notify_program->first = (notify_program->first + 1) % QUEUE_MOST;
		notify_program->count--;
		run->notify_program = notify_program;
		memcpy(run->program, event->program, sizeof(run->program));
		notify_program_start(notify_program, run, event);
	}
}

void
notify_program_change(void *context, const struct state_change *change)
{
	struct notify_program *notify_program = context;
	const struct service_settings *service = &change->service->settings;
	const char *own = service_notify(service, change->server == NULL ? NULL : change->server->settings.name);
	const char *program = own != NULL ? own : notify_program->program;
	struct event *event;

	if (program[0] == '\0' || change->kind != CHANGE_STATE)
		return;
	if (notify_program->count == QUEUE_MOST) {
		if (notify_program->stats.dropped++ == 0)
			log_warning("notify result=dropped program=%s reason=\"64 changes wait for it already: the "
			    "program is too slow; "
			    "further losses are counted only\"", program);
		return;
	}
	event = &notify_program->queue[(notify_program->first + notify_program->count++) % QUEUE_MOST];
	memset(event, 0, sizeof(*event));
	(void)snprintf(event->program, sizeof(event->program), "%s", program);
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
	notify_program_start_waiting(notify_program);
}
