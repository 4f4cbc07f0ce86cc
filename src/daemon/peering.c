/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/peering.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/burst.h"
#include "daemon/director.h"
#include "daemon/roles.h"
#include "daemon/state.h"
#include "forward/forward.h"
#include "peer/peers.h"

static_assert(CONF_PEERS == SHARE_PEERS, "the configuration takes as many peers as there can be");

struct peering {
	struct peering_parts parts;
	struct share *share;
	struct peers *peers;
	struct peers_settings settings;
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

/* --- the key --- */

/* NULL, or what is wrong with the file. */
static const char *
peering_key_fault(int fd, const struct session_secret *secret)
{
	struct stat status;

	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode))
		return "it is not a regular file";
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others can read it: type `chmod 600` and its name";
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return "its owner is neither root nor the user that starts dsrd";
	if (secret->length < SESSION_SECRET_LEAST)
		return "it has fewer than 16 bytes: type `head -c 32 /dev/urandom | base64 >` and its name, and copy "
		    "it to each peer";
	if (secret->length > SESSION_SECRET_MOST)
		return "it has more than 1024 bytes";
	return NULL;
}

/* The first line, or all of a file without one. */
static int
peering_read_key(const char *path, struct session_secret *secret, char error[PEERING_ERROR])
{
	char bytes[SESSION_SECRET_MOST + 2];
	const char *fault, *end;
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const ssize_t length = fd == -1 ? -1 : read(fd, bytes, sizeof(bytes));

	if (length == -1) {
		(void)snprintf(error, PEERING_ERROR, "sync-key-file %s: %s", path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	end = memchr(bytes, '\n', (size_t)length);
	secret->length = end == NULL ? (size_t)length : (size_t)(end - bytes);
	fault = peering_key_fault(fd, secret);
	if (fault == NULL)
		memcpy(secret->bytes, bytes, secret->length);
	else
		(void)snprintf(error, PEERING_ERROR, "sync-key-file %s: %s", path, fault);
	(void)close(fd);
	return fault == NULL ? 0 : -1;
}

/* `peer-name`, or the host's name up to its first dot. */
static int
peering_set_name(struct peers_settings *settings, const struct conf *conf, char error[PEERING_ERROR])
{
	char host[NAME_MOST];

	if (conf->peer_name[0] != '\0') {
		(void)snprintf(settings->name, sizeof(settings->name), "%s", conf->peer_name);
	} else {
		if (gethostname(host, sizeof(host)) == -1)
			host[0] = '\0';
		host[sizeof(host) - 1] = '\0';
		host[strcspn(host, ".")] = '\0';
		(void)snprintf(settings->name, sizeof(settings->name), "%s", host);
	}
	for (size_t i = 0; i < settings->count; i++) {
		if (strcmp(settings->peers[i].name, settings->name) == 0) {
			(void)snprintf(error, PEERING_ERROR, "`peer` %s is this director's own name: `peer-name` sets "
			    "another one",
			    settings->name);
			return -1;
		}
	}
	if (settings->name[0] != '\0')
		return 0;
	(void)snprintf(error, PEERING_ERROR, "this host has no name that peers could know it by: set `peer-name`");
	return -1;
}

static int
peering_settings(struct peers_settings *settings, const struct conf *conf, char error[PEERING_ERROR])
{
	settings->listen = conf->peer_address;
	settings->port = conf->peer_port;
	settings->count = conf->peer_count;
	for (size_t i = 0; i < conf->peer_count; i++) {
		(void)snprintf(settings->peers[i].name, sizeof(settings->peers[i].name), "%s", conf->peers[i].name);
		settings->peers[i].addr = conf->peers[i].addr;
		settings->peers[i].port = conf->peers[i].port;
	}
	if (peering_set_name(settings, conf, error) == -1)
		return -1;
	return peering_read_key(conf->sync_key_file, &settings->secret, error);
}

struct peering *
peering_open(struct event_base *base, const struct conf *conf, const struct peering_parts *parts,
    char error[PEERING_ERROR])
{
	static const struct peers_calls calls = { peering_prepare, peering_changed, peering_order, peering_heard };
	struct forwarder *forwarder = &parts->director->forwarder;
	struct peering *peering;

	error[0] = '\0';
	if (conf->peer_count == 0)
		return NULL;
	(void)snprintf(error, PEERING_ERROR, "out of memory");
	peering = calloc(1, sizeof(*peering));
	if (peering == NULL)
		return NULL;
	peering->parts = *parts;
	peering->share = share_new(parts->director->model, forwarder->conns, forwarder->persist);
	if (peering->share == NULL || peering_settings(&peering->settings, conf, error) == -1) {
		peering_close(peering);
		return NULL;
	}
	peering->share->active = peering_is_active;
	peering->share->context = peering;
	peering_update(peering);
	peering->peers = peers_open(base, &peering->settings, peering->share, &calls, peering, error);
	if (peering->peers == NULL) {
		peering_close(peering);
		return NULL;
	}
	share_set_fragments(peering->share, forwarder->fragments, peering_take_fragment, peering_urgent, peering);
	roles_on_tick(parts->roles, peering_speak, peering);
	return peering;
}

void
peering_close(struct peering *peering)
{
	if (peering == NULL)
		return;
	roles_on_tick(peering->parts.roles, NULL, NULL);
	peers_close(peering->peers);
	share_free(peering->share);
	free(peering);
}

void
peering_tick(struct peering *peering, uint64_t now)
{
	if (peering != NULL)
		peers_tick(peering->peers, now);
}

bool
peering_table_present(const struct peering *peering)
{
	return peering == NULL || peers_have_told(peering->peers);
}

const struct peer_facts *
peering_list(struct peering *peering, size_t *count)
{
	*count = peering == NULL ? 0 : peers_count(peering->peers);
	for (size_t i = 0; i < *count; i++)
		peers_facts(peering->peers, i, &peering->list[i]);
	return peering == NULL ? NULL : peering->list;
}

const char *
peering_name(const struct peering *peering)
{
	return peering == NULL ? "" : peering->settings.name;
}

uint64_t
peering_refused(const struct peering *peering)
{
	return peering == NULL ? 0 : peers_refused(peering->peers);
}
