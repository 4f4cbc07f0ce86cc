/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/stats.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/announcing.h"
#include "daemon/offloading.h"
#include "daemon/peering.h"
#include "daemon/port.h"
#include "daemon/roles.h"
#include "daemon/selfcheck.h"

void
stats_sync(const struct stats_sources *sources)
{
	offloading_sync(sources->offloading);
}

struct report_facts
stats_gather(const struct stats_sources *sources, struct report_iface ifaces[IFACES_MOST])
{
	const struct director *director = sources->director;
	struct report_facts facts;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct receiver_stats received;
		struct sender_stats sent;

		nic_stats(&sources->nics[i], &received, &sent);
		ifaces[i] = (struct report_iface){ &director->ifaces[i], nic_is_open(&sources->nics[i]),
			received.received, received.dropped, sent.sent, sent.failed,
			    offloading_state(sources->offloading, i),
			offloading_reason(sources->offloading, i) };
	}
	facts = (struct report_facts){ .now = clock_us(), .started = sources->started, .reloads = sources->reloads,
		.log_lost = log_lines_lost(),
		.loaded = sources->loaded, .reload_failed = selfcheck_reload_failed(sources->selfcheck),
		.observe = sources->observe, .problems = selfcheck_problems(sources->selfcheck),
		.roles = roles_status(sources->roles), .role_count = roles_count(sources->roles),
		    .model = director->model, .forwarder = &director->forwarder, .ifaces = ifaces,
		.iface_count = director->iface_count, .unix_now = (uint64_t)time(NULL),
		.peer_name = peering_name(sources->peering), .peers_refused = peering_refused(sources->peering) };
	facts.announce = announcing_report(sources->announcing);
	facts.peers = peering_list(sources->peering, &facts.peer_count);
	return facts;
}
