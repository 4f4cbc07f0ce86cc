/* SPDX-License-Identifier: ISC */
/* What a report lists: the selection, reduced to servers with problems if it is long or the user wants only those. */
#include "config.h"

#include "ctl/report.h"

#include "doctor/problem.h"

/* Servers that `show` lists whether they are well or not: two screens. */
#define SHOWN_IN_FULL 40

bool
report_selects_everything(const struct report_facts *facts)
{
	return facts->selection == NULL || facts->selection->count == 0;
}

/* Not up, or up and not serving all clients: what --problems lists. */
static bool
select_is_out(const struct server *server)
{
	return server_state(server) != SERVER_UP || mac_is_zero(&server->mac) || server->ports != PORTS_ALL ||
	    server->lost.verdict != LOST_NONE;
}

bool
report_is_well(const struct server *server)
{
	return !select_is_out(server) && !admin_differs(server);
}

static bool
select_has_problems(const struct service *service)
{
	struct service_status status;

	for (size_t i = 0; i < service->server_count; i++)
		if (select_is_out(service->servers[i]))
			return true;
	service_status(service, &status);
	return status.state != SERVICE_UP;
}

bool
report_lists_service(const struct report_facts *facts, const struct service *service)
{
	return selection_has_service(facts->selection, service) &&
	    (!facts->only_problems || select_has_problems(service));
}

/* So many that those that are well would hide the others. */
bool
report_folds(const struct report_facts *facts)
{
	return !facts->all && report_selects_everything(facts) &&
	    model_server_count(facts->model) > SHOWN_IN_FULL;
}

bool
report_lists(const struct report_facts *facts, const struct server *server)
{
	if (!selection_has(facts->selection, server))
		return false;
	if (facts->only_problems)
		return select_is_out(server);
	return !report_folds(facts) || !report_is_well(server);
}

bool
report_has_problems(const struct report_facts *facts)
{
	const struct conflict_table *conflicts = &facts->forwarder->conflicts;

	if (problems_count(facts->problems) > 0)
		return true;
	for (size_t i = 0; i < conflicts->count; i++)
		if (!conflict_has_ended(&conflicts->list[i], facts->now))
			return true;
	for (size_t i = 0; i < facts->model->service_count; i++)
		if (selection_has_service(facts->selection, facts->model->services[i]) &&
		    select_has_problems(facts->model->services[i]))
			return true;
	return false;
}
