/* SPDX-License-Identifier: ISC */
/* Commands about roles. */
#include "config.h"

#include "daemon/commands_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/burst.h"
#include "daemon/roles.h"
#include "daemon/stats.h"

bool
commands_role_group(const struct command_server *cmds, const char *name, size_t *group, FILE *out)
{
	const struct role_config *config = &cmds->parts.sources->director->model->roles;

	*group = role_group_find(config, name);
	if (*group < config->group_count)
		return true;
	fprintf(out, "there is no group `%s`; there are:", name);
	for (size_t i = 0; i < config->group_count; i++)
		fprintf(out, " %s", config->groups[i].name);
	fputc('\n', out);
	return false;
}

enum control_result
commands_role(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct http_request *request = ask->request;
	const enum role_event order = role_order(request->arguments[0]);
	const char *name = request->argument_count > 1 ? request->arguments[1] : ROLE_MAIN;
	const struct admin_author author = commands_author(ask);
	struct director *director = cmds->parts.sources->director;
	char by[ROLE_REASON], warning[ROLE_REASON + ROLE_PATH];
	struct report_facts facts;
	size_t group;

	if (order == ROLE_EVENT_COUNT) {
		fprintf(out, "`%s` is not a role: use active, standby or observe\n", request->arguments[0]);
		return CONTROL_USAGE;
	}
	if (!commands_role_group(cmds, name, &group, out))
		return CONTROL_UNKNOWN;
	if (!director->model->roles.groups[group].given) {
		fprintf(out, "group %s has no role, so this director is always active: add `role = standby%s%s` to "
		    "[dsrd] of the "
		    "configuration, and reload it\n", name, group == 0 ? "" : " group=", group == 0 ? "" : name);
		return CONTROL_REFUSED;
	}
	(void)snprintf(by, sizeof(by), "dsrctl role, by uid %" PRId64 " %s", author.user, admin_author_name(&author));
	if (roles_order(cmds->parts.roles, group, order, by, director->now) == -1) {
		(void)snprintf(warning, sizeof(warning), "%s cannot be written, so a restart does not know this order: "
		    "%s",
		    director->model->roles.groups[group].path, strerror(errno));
		writer_fact(writer, "warning", "warning", warning);
	}
	burst_flush(cmds->parts.burst);
	facts = commands_facts(cmds);
	report_roles(writer, &facts);
	return CONTROL_DONE;
}

enum control_result
commands_ready(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const struct report_facts facts = commands_facts(cmds);
	const char *name = ask->request->argument_count > 0 ? ask->request->arguments[0] : NULL;
	size_t group;

	if (name != NULL && !commands_role_group(cmds, name, &group, out))
		return CONTROL_UNKNOWN;
	return report_ready(writer, &facts, name) ? CONTROL_DONE : CONTROL_WRONG;
}
