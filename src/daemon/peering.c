/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/peering.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "daemon/burst.h"
#include "daemon/director.h"
#include "daemon/peering_settings.h"
#include "daemon/privsep.h"
#include "daemon/roles.h"
#include "daemon/state.h"
#include "forward/forward.h"
#include "peer/peers.h"
#include "peer/socket.h"

struct peering {
	struct peering_parts parts;
	struct event_base *base;
	/* NULL: there are no peers. */
	struct share *share;
	struct peers *peers;
	struct peers_settings settings; /* what is not used is zero */
	int listener; /* -1: none */
	struct peer_facts list[SHARE_PEERS];
	bool released; /* fragments that were held may have left */
	bool ordered; /* a peer's order was carried out, and is to be saved */
	/* By peer: what it named as its own last, also while it is down. */
	struct {
		struct mac list[WIRE_MACS];
		size_t count;
	} macs[SHARE_PEERS];
};

static void
peering_update(const struct peering *peering)
{
	const struct director *director = peering->parts.director;

	if (peering->share->serial != director->table_serial)
		share_update(peering->share, director->table, director->table_serial, director->iface_count);
}

static void
peering_prepare(void *context)
{
	const struct peering *peering = context;

	/* What has queued while this process did not run may be out of date. */
	roles_look(peering->parts.roles, clock_us());
	peering_update(peering);
}

static void
peering_changed(void *context)
{
	struct peering *peering = context;

	if (peering->released)
		burst_flush(peering->parts.burst);
	peering->released = false;
	if (!peering->ordered)
		return;
	peering->ordered = false;
	director_refresh(peering->parts.director);
	state_save(peering->parts.state);
}

static void
peering_order(void *context, struct server *server, const struct wire_order *order)
{
	struct peering *peering = context;
	struct director *director = peering->parts.director;
	struct admin *admin = &server->admin;

	peering->ordered = true;
	if (order->weight) {
		/* Also when nothing changes but the author: both directors then have the same one. */
		if (!director_weigh(director, server, order->value, &order->author))
			admin->weight_by = order->author;
		return;
	}
	if (!director_set_admin(director, server, (enum admin_state)order->value, &order->author))
		admin->admin_by = order->author;
	admin->drain_until = order->drain_left == 0 ? 0 : director->now + SECONDS(order->drain_left);
}

/* --- roles --- */

static bool
peering_is_active(void *context, const struct fwd_vip *vip)
{
	const struct peering *peering = context;

	return roles_is_active(peering->parts.roles, vip->group);
}

static void
peering_describe(const struct director *director, struct wire_self *self)
{
	const struct routers *routers = &director->forwarder.routers;

	for (size_t i = 0; i < director->iface_count && self->mac_count < WIRE_MACS; i++)
		if (!mac_is_zero(&director->ifaces[i].mac))
			self->macs[self->mac_count++] = director->ifaces[i].mac;
	for (size_t i = 0; i < ROUTERS_MOST && self->router_count < WIRE_ROUTERS; i++)
		if (routers->list[i].count > 0)
			self->routers[self->router_count++] = (struct wire_router) { (uint8_t)routers->list[i].iface,
				routers->list[i].mac };
}

/* For roles_on_tick(). */
static void
peering_speak(void *context)
{
	struct peering *peering = context;
	struct wire_self self;

	memset(&self, 0, sizeof(self));
	self.role_count = (uint8_t)roles_words(peering->parts.roles, self.roles);
	peering_describe(peering->parts.director, &self);
	if (share_set_self(peering->share, &self))
		peers_wake(peering->peers);
}

/* Claims by these MAC addresses are those of another director. */
static void
peering_learn_macs(struct peering *peering, size_t index, const struct wire_self *self)
{
	struct forwarder *forwarder = &peering->parts.director->forwarder;

	memcpy(peering->macs[index].list, self->macs, sizeof(self->macs));
	peering->macs[index].count = self->mac_count;
	forwarder->peer_mac_count = 0;
	for (size_t i = 0; i < SHARE_PEERS; i++) {
		for (size_t j = 0; j < peering->macs[i].count && forwarder->peer_mac_count < FORWARD_PEER_MACS; j++) {
			const struct mac *mac = &peering->macs[i].list[j];

			if (!mac_is_group(mac) && !mac_is_zero(mac))
				forwarder->peer_macs[forwarder->peer_mac_count++] = *mac;
		}
	}
}

/* A director that forwards nothing has the list of the one that does, for its announcements when it takes over. */
static void
peering_learn_routers(struct director *director, const struct wire_self *self)
{
	struct routers *routers = &director->forwarder.routers;

	for (size_t i = 0; i < director->model->roles.group_count; i++)
		if ((director->forwarder.duties[i] & ROLE_FORWARDS) != 0)
			return;
	if (self->router_count > 0)
		memset(routers, 0, sizeof(*routers));
	for (size_t i = 0; i < self->router_count; i++)
		if (self->routers[i].iface < director->iface_count && !mac_is_group(&self->routers[i].mac))
			routers_note(routers, self->routers[i].iface, &self->routers[i].mac);
}

static void
peering_heard(void *context, size_t index)
{
	struct peering *peering = context;
	struct role_peer peer = { .name = peering->settings.peers[index].name };
	const struct wire_self *self = peers_self(peering->peers, index, &peer.wins_ties);

	if (self == NULL)
		return;
	peering_learn_macs(peering, index, self);
	peering_learn_routers(peering->parts.director, self);
	peer.mac = self->mac_count > 0 ? self->macs[0] : mac_zero;
	peer.words = self->roles;
	peer.count = self->role_count;
	roles_hear(peering->parts.roles, &peer, clock_us());
	peering_speak(peering);
	burst_flush(peering->parts.burst);
}

/* --- fragments --- */

static void
peering_take_fragment(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now)
{
	struct peering *peering = context;

	forward_fragment(&peering->parts.director->forwarder, key, server, now);
	peering->released = true;
}

static void
peering_urgent(void *context)
{
	struct peering *peering = context;

	peers_wake(peering->peers);
}

/* --- settings --- */

/* Without connections to anyone; what peers sent is this director's own. */
static void
peering_stop(struct peering *peering)
{
	roles_on_tick(peering->parts.roles, NULL, NULL);
	peers_close(peering->peers);
	share_free(peering->share);
	peering->peers = NULL;
	peering->share = NULL;
	if (peering->listener != -1)
		(void)close(peering->listener);
	peering->listener = -1;
}

static int
peering_start(struct peering *peering, const struct peers_settings *settings, int listener, char error[PEERING_ERROR])
{
	static const struct peers_calls calls = { peering_prepare, peering_changed, peering_order, peering_heard };
	struct forwarder *forwarder = &peering->parts.director->forwarder;

	(void)snprintf(error, PEERING_ERROR, "out of memory");
	peering->listener = listener;
	peering->settings = *settings;
	peering->share = share_new(peering->parts.director->model, forwarder->conns, forwarder->persist);
	if (peering->share == NULL)
		return -1;
	peering->share->active = peering_is_active;
	peering->share->context = peering;
	peering_update(peering);
	peering->peers = peers_open(peering->base, &peering->settings, listener, peering->share, &calls, peering, error);
	if (peering->peers == NULL)
		return -1;
	share_set_fragments(peering->share, forwarder->fragments, peering_take_fragment, peering_urgent, peering);
	roles_on_tick(peering->parts.roles, peering_speak, peering);
	return 0;
}

static int
peering_listen(const struct peering *peering, const struct peers_settings *settings, char error[PEERING_ERROR])
{
	char reason[PRIVSEP_REASON] = "", text[ADDR_PORT_TEXT];
	int fd;

	if (peering->parts.privsep != NULL) {
		fd = privsep_peer(peering->parts.privsep, PRIVSEP_PEER_LISTEN, reason, sizeof(reason));
	} else {
		fd = peer_socket_listen(&settings->listen, settings->port);
		(void)snprintf(reason, sizeof(reason), "%s", strerror(errno));
	}
	if (fd == -1)
		(void)snprintf(error, PEERING_ERROR, "peer-listen %s: %s",
		    addr_format_port(&settings->listen, settings->port, text), reason);
	return fd;
}

int
peering_apply(struct peering *peering, const struct conf *conf, char error[PEERING_ERROR])
{
	struct peers_settings settings;
	int listener = -1;

	if (peering == NULL)
		return 0;
	memset(&settings, 0, sizeof(settings));
	if (conf->peer_count == 0) {
		peering_stop(peering);
		return 0;
	}
	if (peering_settings_read(&settings, conf, peering->parts.privsep, error) == -1)
		return -1;
	if (peering->peers != NULL && memcmp(&settings, &peering->settings, sizeof(settings)) == 0)
		return 0;
	if (peering->peers == NULL || settings.port != peering->settings.port ||
	    !addr_equal(&settings.listen, &peering->settings.listen)) {
		listener = peering_listen(peering, &settings, error);
		if (listener == -1)
			return -1;
	} else {
		listener = peering->listener;
		peering->listener = -1;
	}
	peering_stop(peering);
	if (peering_start(peering, &settings, listener, error) == 0)
		return 0;
	peering_stop(peering);
	return -1;
}

struct peering *
peering_open(struct event_base *base, const struct conf *conf, const struct peering_parts *parts,
    char error[PEERING_ERROR])
{
	struct peering *peering = calloc(1, sizeof(*peering));

	(void)snprintf(error, PEERING_ERROR, "out of memory");
	if (peering == NULL)
		return NULL;
	peering->base = base;
	peering->parts = *parts;
	peering->listener = -1;
	if (peering_apply(peering, conf, error) == 0)
		return peering;
	peering_close(peering);
	return NULL;
}

void
peering_close(struct peering *peering)
{
	if (peering == NULL)
		return;
	peering_stop(peering);
	free(peering);
}

void
peering_tick(struct peering *peering, uint64_t now)
{
	if (peering != NULL && peering->peers != NULL)
		peers_tick(peering->peers, now);
}

bool
peering_table_present(const struct peering *peering)
{
	return peering == NULL || peering->peers == NULL || peers_have_told(peering->peers);
}

const struct peer_facts *
peering_list(struct peering *peering, size_t *count)
{
	*count = peering == NULL || peering->peers == NULL ? 0 : peers_count(peering->peers);
	for (size_t i = 0; i < *count; i++)
		peers_facts(peering->peers, i, &peering->list[i]);
	return peering == NULL ? NULL : peering->list;
}

bool
peering_serves(void *peering, const char *group)
{
	size_t count;
	const struct peer_facts *list = peering_list(peering, &count);

	for (size_t i = 0; i < count; i++) {
		const struct wire_self *self = list[i].self;

		for (size_t j = 0; self != NULL && j < self->role_count; j++)
			if (strcmp(self->roles[j].group, group) == 0 && self->roles[j].state == ROLE_ACTIVE &&
			    self->roles[j].ready)
				return true;
	}
	return false;
}

const char *
peering_name(const struct peering *peering)
{
	return peering == NULL ? "" : peering->settings.name;
}

uint64_t
peering_refused(const struct peering *peering)
{
	return peering == NULL || peering->peers == NULL ? 0 : peers_refused(peering->peers);
}
