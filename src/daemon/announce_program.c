/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/announce_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/children.h"
#include "role/role.h"

static const struct timeval timeout = { 10, 0 };

struct announce_program {
	struct children *children;
	announce_program_ended *ended;
	void *context;
	struct child *child; /* NULL: none runs */
	struct addr addr;
};

struct announce_program *
announce_program_new(struct children *children, announce_program_ended *ended, void *context)
{
	struct announce_program *program = calloc(1, sizeof(*program));

	if (program == NULL)
		return NULL;
	program->children = children;
	program->ended = ended;
	program->context = context;
	return program;
}

void
announce_program_free(struct announce_program *program)
{
	if (program == NULL)
		return;
	if (program->child != NULL)
		child_forget(program->child);
	free(program);
}

bool
announce_program_is_running(const struct announce_program *program)
{
	return program->child != NULL;
}

static void
announce_program_on_exit(void *context, const struct child_end *end)
{
	struct announce_program *program = context;
	char reason[CHILD_REASON];

	program->child = NULL;
	program->ended(program->context, &program->addr, child_failed(end, &timeout, reason) ? reason : NULL);
}

int
announce_program_start(struct announce_program *program, const struct announce_settings *settings,
    const struct announce_vip *vip, const struct addr *addr, const char *group)
{
	char address[ADDR_TEXT], group_text[ROLE_GROUP + 16], metric[32];
	const char *const argv[] = { settings->program, addr_format(addr, address),
		!announce_is_announced(vip) ? "down" : vip->state == ANNOUNCE_LAST ? "drain" : "up", NULL };
	const char *const environment[] = { group_text, metric, NULL };
	const struct child_order order = { .argv = argv, .environment = environment, .timeout = timeout,
		.ended = announce_program_on_exit, .context = program };

	(void)snprintf(group_text, sizeof(group_text), "DSRD_GROUP=%s", group);
	(void)snprintf(metric, sizeof(metric), "DSRD_METRIC=%" PRIu32, vip->metric);
	program->addr = *addr;
	program->child = child_start(program->children, &order);
	return program->child == NULL ? -1 : 0;
}
