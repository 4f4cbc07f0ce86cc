/* SPDX-License-Identifier: ISC */
/* What is worked out of the counters once a second. */
#include "config.h"

#include "model/model.h"

static void
tick_rates(struct server_rates *rates, const struct server_run *total, uint64_t now)
{
	rate_tick(&rates->connections, total->connections, now);
	rate_tick(&rates->packets, total->packets, now);
	rate_tick(&rates->bytes, total->bytes, now);
	rate_tick(&rates->responses, total->measure.response_bytes, now);
}

struct usual {
	uint64_t sum;
	uint64_t count; /* of the servers that something is known of */
};

static struct usual
usual_latency(const struct service *service)
{
	struct usual usual = { 0, 0 };

	for (size_t i = 0; i < service->server_count; i++) {
		usual.sum += service->servers[i]->run->measure.smoothed;
		usual.count += service->servers[i]->run->measure.smoothed != 0;
	}
	return usual;
}

/* The mean of the others; 0: unknown. */
static uint32_t
latency_of_others(struct usual usual, const struct measure *measure)
{
	const uint64_t others = usual.count - (measure->smoothed != 0);

	return others > 0 ? (uint32_t)((usual.sum - measure->smoothed) / others) : 0;
}

static bool
tick_service(struct service *service, uint64_t now)
{
	const struct usual usual = usual_latency(service);
	struct server_run total = { 0 };

	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[i];

		measure_tick(&server->run->measure, latency_of_others(usual, &server->run->measure));
		tick_rates(&server->rates, server->run, now);
		total.connections += server->run->connections;
		total.packets += server->run->packets;
		total.bytes += server->run->bytes;
		total.measure.response_bytes += server->run->measure.response_bytes;
	}
	tick_rates(&service->rates, &total, now);
	return model_judge_lost(service, now);
}

bool
model_tick(struct model *model, uint64_t now)
{
	bool changed = false;

	for (size_t i = 0; i < model->service_count; i++)
		changed |= tick_service(model->services[i], now);
	return changed;
}
