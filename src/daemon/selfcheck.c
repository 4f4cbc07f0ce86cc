/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/selfcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/announcing.h"
#include "daemon/checking.h"
#include "daemon/director.h"
#include "daemon/host_shield.h"
#include "daemon/offloading.h"
#include "daemon/peering.h"
#include "daemon/port.h"
#include "daemon/roles.h"
#include "daemon/state.h"
#include "os/os.h"

#define TICK SECONDS(1)

struct selfcheck {
	struct selfcheck_sources from;
	struct peering *peering; /* NULL: no peers */
	struct announcing *announcing; /* NULL: nothing is announced */
	struct problems *problems;
	struct problem_iface ifaces[IFACES_MOST];
	struct problem_vip *held;
	size_t held_count;
	char reload_error[PROBLEM_TEXT]; /* empty: the last one succeeded */
	uint64_t ticked;                 /* 0: not yet */
	uint64_t held_up;
};

struct selfcheck *
selfcheck_new(const struct selfcheck_sources *from)
{
	struct selfcheck *selfcheck = calloc(1, sizeof(*selfcheck));

	if (selfcheck == NULL)
		return NULL;
	selfcheck->from = *from;
	selfcheck->problems = problems_new();
	if (selfcheck->problems != NULL)
		return selfcheck;
	free(selfcheck);
	return NULL;
}

void
selfcheck_free(struct selfcheck *selfcheck)
{
	if (selfcheck == NULL)
		return;
	problems_free(selfcheck->problems);
	free(selfcheck->held);
	free(selfcheck);
}

/* One of the VIP's servers is this host: then it holds the VIP, and local_server.h says what is wrong with that. */
static bool
selfcheck_serves(const struct model *model, const struct addr *vip)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL && model->slots[i]->settings.method == ENCAP_LOCAL &&
		    service_listens_on(model->slots[i]->service, vip))
			return true;
	return false;
}

static void
selfcheck_vips(struct selfcheck *selfcheck, const struct model *model)
{
	const size_t count = model->vip_count;
	struct problem_vip *held = calloc(count + 1, sizeof(*held));
	struct addr *vips = calloc(count + 1, sizeof(*vips));
	char (*holders)[IFACE_NAME] = calloc(count + 1, sizeof(*holders));
	size_t found = 0;

	/* Without memory the list stays what it was. */
	if (held == NULL || vips == NULL || holders == NULL)
		goto out;
	for (size_t i = 0; i < count; i++)
		vips[i] = model->vips[i].addr;
	os_hold_addresses(vips, count, holders);
	for (size_t i = 0; i < count; i++) {
		struct problem_vip *vip = &held[found];

		if (holders[i][0] == '\0' || selfcheck_serves(model, &vips[i]))
			continue;
		vip->vip = vips[i];
		memcpy(vip->holder, holders[i], IFACE_NAME);
		os_release_command(&vips[i], holders[i], vip->fix, sizeof(vip->fix));
		found++;
	}
	free(selfcheck->held);
	selfcheck->held = held;
	selfcheck->held_count = found;
	held = NULL;
out:
	free(held);
	free(vips);
	free(holders);
}

/* A VIP that is kept from the stack is not forwarded by it. */
static void
selfcheck_forwarding(const struct selfcheck *selfcheck, size_t index, struct problem_iface *fact)
{
	static const enum addr_family families[] = { ADDR_IPV4, ADDR_IPV6 };
	const struct director *director = selfcheck->from.director;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		fact->forwards[i][0] = '\0';
		if (model_vips_at(director->model, index, families[i]) > 0 &&
		    !host_shield_is_on(selfcheck->from.host_shield, index) &&
		    os_forwards(&director->routing, director->ifaces[index].name, families[i], fact->forwards[i],
		    PROBLEM_TEXT) != OS_YES)
			fact->forwards[i][0] = '\0';
	}
}

void
selfcheck_host(struct selfcheck *selfcheck)
{
	const struct director *director = selfcheck->from.director;

	selfcheck_vips(selfcheck, director->model);
	for (size_t i = 0; i < director->iface_count; i++)
		selfcheck_forwarding(selfcheck, i, &selfcheck->ifaces[i]);
}

static void
selfcheck_engines(struct selfcheck *selfcheck)
{
	const struct director *director = selfcheck->from.director;

	for (size_t i = 0; i < director->iface_count; i++) {
		struct problem_iface *fact = &selfcheck->ifaces[i];
		struct receiver_stats received;
		struct sender_stats sent;

		nic_stats(&selfcheck->from.nics[i], &received, &sent);
		fact->iface = &director->ifaces[i];
		fact->used = model_uses(director->model, i);
		fact->open = nic_is_open(&selfcheck->from.nics[i]);
		fact->capture_dropped = received.dropped;
		fact->offload_lost = fact->open ? offloading_lost(selfcheck->from.offloading, i) : NULL;
	}
}

static void
selfcheck_log_problem(void *context, const struct problem *problem, bool ended)
{
	const uint64_t *now = context;
	char what[LOG_TEXT], fix[LOG_TEXT], lasted[DURATION_TEXT];

	if (ended) {
		text_format_duration((*now - problem->since) / SECONDS(1) * SECONDS(1), lasted);
		log_notice("%s problem=end subject=%s lasted=%s", diagnosis_name(problem->id), problem->subject,
		    lasted);
		return;
	}
	(diagnosis_severity(problem->id) == SEVERITY_ERROR ? log_error : log_warning)("%s problem=begin subject=%s "
	    "reason=\"%s\" meaning=\"%s\"%s%s%s", diagnosis_name(problem->id), problem->subject,
	    log_escape(problem->what, what), problem->meaning, problem->fix[0] != '\0' ? " fix=\"" : "",
	    log_escape(problem->fix, fix), problem->fix[0] != '\0' ? "\"" : "");
}

void
selfcheck_set_peering(struct selfcheck *selfcheck, struct peering *peering)
{
	selfcheck->peering = peering;
}

void
selfcheck_set_announcing(struct selfcheck *selfcheck, struct announcing *announcing)
{
	selfcheck->announcing = announcing;
}

static const struct difference *
selfcheck_difference(const struct peer_facts *peer)
{
	for (size_t i = 0; i < peer->difference_count && i < PEER_DIFFERENCES; i++)
		if (peer->differences[i].kind == DIFFERENCE_CONFIGURATION)
			return &peer->differences[i];
	return NULL;
}

static size_t
selfcheck_peers(struct selfcheck *selfcheck, struct problem_peer peers[SHARE_PEERS])
{
	size_t count;
	const struct peer_facts *list = peering_list(selfcheck->peering, &count);

	for (size_t i = 0; i < count; i++) {
		const struct difference *difference = selfcheck_difference(&list[i]);

		peers[i] = (struct problem_peer) { .name = list[i].name,
			.fault = !list[i].up && list[i].fault[0] != '\0' ? list[i].fault : NULL,
			.subject = difference == NULL ? NULL : difference->subject,
			.difference = difference == NULL ? NULL : difference->text };
	}
	return count;
}

void
selfcheck_update(struct selfcheck *selfcheck, uint64_t now)
{
	struct problem_peer peers[SHARE_PEERS];
	const struct announce_report announce = announcing_report(selfcheck->announcing);
	const struct director *director = selfcheck->from.director;
	struct problem_facts facts = {
		.ifaces = selfcheck->ifaces,
		.iface_count = director->iface_count,
		.held = selfcheck->held,
		.held_count = selfcheck->held_count,
		.flood = director->forwarder.flood.on ? director->forwarder.flood.rate : 0,
		.model = director->model,
		.flows = conn_table_count(director->forwarder.conns),
		.flow_capacity = conn_table_capacity(director->forwarder.conns),
		.reload_error = selfcheck->reload_error[0] != '\0' ? selfcheck->reload_error : NULL,
		.config = selfcheck->from.config,
		.state_error = state_error(selfcheck->from.state),
		.held_up = selfcheck->held_up,
		.no_memory = director->no_memory,
		.checker_lost = checking_stalled(selfcheck->from.checking, now) != 0,
		.checker_losses = checking_losses(selfcheck->from.checking),
		.checker_reason = checking_reason(selfcheck->from.checking),
		.roles = roles_status(selfcheck->from.roles),
		.role_count = roles_count(selfcheck->from.roles),
		.announce = &announce,
		.peers = peers,
		.peer_count = selfcheck_peers(selfcheck, peers),
	};

	selfcheck_engines(selfcheck);
	selfcheck->held_up = 0;
	if (problems_update(selfcheck->problems, &facts, now, selfcheck_log_problem, &now) == -1)
		log_error("memory result=failed reason=\"not enough to list all problems of the director\"");
}

void
selfcheck_tick(struct selfcheck *selfcheck, uint64_t now)
{

	if (selfcheck->ticked != 0 && now - selfcheck->ticked > TICK)
		selfcheck->held_up = now - selfcheck->ticked - TICK;
	selfcheck->ticked = now;
}

void
selfcheck_reload(struct selfcheck *selfcheck, const char *error)
{
	snprintf(selfcheck->reload_error, PROBLEM_TEXT, "%s", error != NULL ? error : "");
	selfcheck_host(selfcheck);
	selfcheck_update(selfcheck, clock_us());
}

bool
selfcheck_reload_failed(const struct selfcheck *selfcheck)
{
	return selfcheck->reload_error[0] != '\0';
}

const struct problems *
selfcheck_problems(const struct selfcheck *selfcheck)
{
	return selfcheck == NULL ? NULL : selfcheck->problems;
}
