/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/facts.h"

#include <time.h>

#include "base/log.h"
#include "daemon/dsrd.h"
#include "daemon/offloading.h"
#include "daemon/selfcheck.h"

struct report_facts
stats_gather(const struct dsrd *dsrd, struct report_iface ifaces[IFACES_MOST])
{
	const struct director *director = &dsrd->director;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct receiver_stats received;
		struct sender_stats sent;

		nic_stats(&dsrd->nics[i], &received, &sent);
		ifaces[i] = (struct report_iface){ &director->ifaces[i], nic_is_open(&dsrd->nics[i]),
			received.received, received.dropped, sent.sent, sent.failed, offloading_state(dsrd, i),
			offloading_reason(dsrd, i) };
	}
	return (struct report_facts){ .now = dsrd_clock(), .started = dsrd->started, .reloads = dsrd->reloads,
		.log_lost = log_lines_lost(),
		.loaded = dsrd->loaded, .reload_failed = dsrd->reload_failed,
		.observe = dsrd->options->observe, .problems = selfcheck_problems(dsrd->selfcheck),
		.model = director->model, .forwarder = &director->forwarder, .ifaces = ifaces,
		.iface_count = director->iface_count, .unix_now = (uint64_t)time(NULL) };
}
