/* SPDX-License-Identifier: ISC */
/* Answers that do not reach clients: each server compared with its peers. */
#include "config.h"

#include "model/eject.h"

#include <string.h>

#include "model/model.h"

static void
lost_take_verdict(struct server *server, const struct lost_counts *own, const struct lost_counts *peers)
{
	struct server_lost *lost = &server->lost;
	struct conn_key key = { 0 };

	memset(lost, 0, sizeof(*lost));
	lost->verdict = lost_judge(own, peers);
	if (lost->verdict == LOST_NONE)
		return;
	lost->own = lost->verdict == LOST_ANSWERS ? lost_answers(own) : lost_handshakes(own);
	lost->peers = lost->verdict == LOST_ANSWERS ? lost_answers(peers) : lost_handshakes(peers);
	memcpy(key.client, server->run->measure.lost.client, sizeof(key.client));
	lost->client = conn_key_client(&key);
}

/* So many stand for all of a large service: a sketch cannot be taken out of a sum, so each server has its own. */
#define PEERS_MOST 64

/* Servers without failures cost nothing. */
static void
lost_judge_server(struct service *service, size_t index)
{
	struct server *server = service->servers[index];
	const struct lost_counts own = lost_recent(&server->run->measure.lost);
	struct lost_counts peers = { 0 };

	if (own.unanswered < LOST_LEAST && own.mute < LOST_LEAST && own.completed > 0) {
		memset(&server->lost, 0, sizeof(server->lost));
		return;
	}
	for (size_t i = 1; i < service->server_count && i <= PEERS_MOST; i++) {
		const size_t peer = (index + i) % service->server_count;
		const struct lost_counts counts = lost_recent(&service->servers[peer]->run->measure.lost);

		lost_add(&peers, &counts);
	}
	lost_take_verdict(server, &own, &peers);
}

static bool
lost_is_quiet(const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++) {
		const struct lost *lost = &service->servers[i]->run->measure.lost;

		if (lost->halves[0].unanswered + lost->halves[1].unanswered + lost->halves[0].mute +
		    lost->halves[1].mute > 0)
			return false;
	}
	return true;
}

/* Could it take connections, were it not ejected? */
static bool
eject_counts(const struct server *server)
{
	return server_health(server) == HEALTH_UP && server->admin.admin == ADMIN_ENABLED && !server->settings.backup &&
	    !mac_is_zero(&server->mac);
}

/* Samples from before it was ejected say nothing about its state now. */
static void
eject_end(struct server *server)
{
	struct lost *lost = &server->run->measure.lost;

	server->eject.until = 0;
	memset(lost->halves, 0, sizeof(lost->halves));
	memset(&server->lost, 0, sizeof(server->lost));
}

static bool
eject_service(struct service *service, uint64_t now)
{
	const bool wanted = service->settings.outlier == OUTLIER_EJECT;
	const unsigned most = service->settings.outlier_max == 0 ? OUTLIER_MAX : service->settings.outlier_max;
	size_t servers = 0, out = 0;
	bool changed = false;

	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[i];
		const bool fine = server->lost.verdict == LOST_NONE;

		if (eject_tick(&server->eject, fine, now) || (server->eject.until != 0 && !wanted)) {
			eject_end(server);
			changed = true;
		}
		servers += eject_counts(server);
		out += eject_counts(server) && server->eject.until != 0;
	}
	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[i];

		if (server->eject.until != 0 && servers == out) {
			/* It is that or none. */
			eject_end(server);
			out -= eject_counts(server);
			changed = true;
		} else if (wanted && server->eject.until == 0 && eject_counts(server) &&
		    (server->lost.verdict == LOST_HANDSHAKES || server->lost.verdict == LOST_ANSWERS) &&
		    eject_may(servers, out, most)) {
			eject_begin(&server->eject, now);
			out++;
			changed = true;
		}
	}
	return changed;
}

bool
model_judge_lost(struct service *service, uint64_t now)
{
	const bool quiet = lost_is_quiet(service) || service->settings.outlier == OUTLIER_OFF;

	for (size_t i = 0; i < service->server_count; i++) {
		struct server *server = service->servers[i];

		lost_tick(&server->run->measure.lost, now);
		/* What an ejected server was ejected for stays readable. */
		if (server->eject.until != 0)
			continue;
		if (quiet)
			memset(&server->lost, 0, sizeof(server->lost));
		else
			lost_judge_server(service, i);
	}
	return eject_service(service, now);
}

bool
service_all_lost(const struct service *service)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (service->servers[i]->lost.verdict == LOST_ALL)
			return true;
	return false;
}

uint64_t
eject_duration(const struct eject *eject)
{
	const uint64_t duration = EJECT_BASE * ((uint64_t)eject->times + 1);

	return duration < EJECT_MOST ? duration : EJECT_MOST;
}

bool
eject_may(size_t servers, size_t out, unsigned most)
{
	const size_t share = servers * most / 100;

	return out < (share > 0 ? share : 1) && servers > out + 1;
}

void
eject_begin(struct eject *eject, uint64_t now)
{
	eject->until = now + eject_duration(eject);
	eject->settled = now;
	eject->total++;
	if (eject->times < EJECT_MOST / EJECT_BASE)
		eject->times++;
}

bool
eject_tick(struct eject *eject, bool fine, uint64_t now)
{
	if (eject->until != 0) {
		if (now < eject->until)
			return false;
		eject->until = 0;
		eject->settled = now;
		return true;
	}
	if (!fine) {
		eject->settled = now;
	} else if (eject->times > 0 && now - eject->settled >= EJECT_BASE) {
		eject->times--;
		eject->settled = now;
	}
	return false;
}
