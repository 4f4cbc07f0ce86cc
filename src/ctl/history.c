/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/history.h"

#include <string.h>

static void
history_begin(struct history *history, uint64_t dropped, uint64_t when)
{
	memset(&history->sum, 0, sizeof(history->sum));
	history->samples = 0;
	history->began = when;
	history->dropped = dropped;
}

static void
history_sample(struct history *history, const struct model *model)
{
	struct history_point *sum = &history->sum;

	sum->servers = sum->servers_up = 0;
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		sum->connections += service->rates.connections.current;
		sum->packets += service->rates.packets.current;
		sum->in += service->rates.bytes.current;
		sum->out += service->rates.responses.current;
		for (size_t j = 0; j < service->server_count; j++)
			sum->servers_up += server_state(service->servers[j]) == SERVER_UP;
		sum->servers += (uint32_t)service->server_count;
	}
	history->samples++;
}

static void
history_end(struct history *history, uint64_t dropped, uint32_t flows, uint64_t when)
{
	struct history_point point = history->sum;

	point.when = when;
	point.connections /= history->samples;
	point.packets /= history->samples;
	point.in /= history->samples;
	point.out /= history->samples;
	point.dropped = dropped - history->dropped;
	point.flows = flows;
	if (history->count == HISTORY_POINTS) {
		history->first = (history->first + 1) % HISTORY_POINTS;
		history->count--;
	}
	history->points[(history->first + history->count++) % HISTORY_POINTS] = point;
}

void
history_tick(struct history *history, const struct model *model, uint64_t dropped, uint32_t flows, uint64_t when)
{
	if (history->began == 0 || when < history->began || when - history->began > 2 * HISTORY_STEP)
		history_begin(history, dropped, when);
	history_sample(history, model);
	if (when - history->began < HISTORY_STEP)
		return;
	history_end(history, dropped, flows, when);
	history_begin(history, dropped, when);
}

const struct history_point *
history_at(const struct history *history, size_t index)
{
	return &history->points[(history->first + index) % HISTORY_POINTS];
}
