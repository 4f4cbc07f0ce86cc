/* SPDX-License-Identifier: ISC */
/* Commands about what is announced to routers. */
#include "config.h"

#include "daemon/commands_int.h"

#include <inttypes.h>

#include "base/log.h"
#include "daemon/announcing.h"
#include "daemon/burst.h"
#include "daemon/stats.h"

enum control_result
commands_drain_director(struct command_server *cmds, const struct control_ask *ask, struct writer *writer, FILE *out)
{
	const bool drain = ask->request->command == COMMAND_DRAIN_DIRECTOR;
	const struct admin_author author = commands_author(ask);
	const enum announce_drain before = commands_facts(cmds).announce.drain;
	struct report_facts facts;

	if (!announcing_drain(cmds->parts.announcing, drain ? ANNOUNCE_DRAINING : ANNOUNCE_SERVING,
	    cmds->parts.sources->director->now)) {
		fputs("this director announces nothing to routers, so there is nothing to withdraw: add `announce = "
		    "device` to [dsrd] of the configuration and reload it; a pair hands over with `dsrctl role "
		    "standby`\n", out);
		return CONTROL_REFUSED;
	}
	burst_wake_at(cmds->parts.burst, announcing_due(cmds->parts.announcing));
	facts = commands_facts(cmds);
	if (facts.announce.drain != before)
		log_notice("director %s=yes by=uid:%" PRId64 " user=%s", drain ? "drain" : "enable", author.user,
		    admin_author_name(&author));
	report_announce(writer, &facts);
	return CONTROL_DONE;
}

enum control_result
commands_announce(struct command_server *cmds, const struct control_ask *ask, FILE *out)
{
	bool listens;
	size_t group = ROLE_GROUPS;

	if (ask->request->argument_count > 0 && !commands_role_group(cmds, ask->request->arguments[0], &group, out))
		return CONTROL_UNKNOWN;
	listens = announcing_listen(cmds->parts.announcing, cmds->control, ask->client, group, out);
	burst_wake_at(cmds->parts.burst, announcing_due(cmds->parts.announcing));
	return listens ? CONTROL_STREAM : CONTROL_BUSY;
}
