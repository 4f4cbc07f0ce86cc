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

#include "base/log.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/state.h"
#include "peer/peers.h"

static_assert(CONF_PEERS == SHARE_PEERS, "the configuration takes as many peers as there can be");

struct peering {
	struct director *director;
	struct state *state;
	struct share *share;
	struct peers *peers;
	struct peers_settings settings;
	struct peer_facts list[SHARE_PEERS];
	bool ordered; /* a peer's order was carried out, and is to be saved */
};

static void
peering_prepare(void *context)
{
	const struct peering *peering = context;
	const struct director *director = peering->director;

	if (peering->share->serial != director->table_serial)
		share_update(peering->share, director->table, director->table_serial, director->iface_count);
}

static void
peering_changed(void *context)
{
	struct peering *peering = context;

	if (!peering->ordered)
		return;
	peering->ordered = false;
	director_refresh(peering->director);
	state_save(peering->state);
}

static void
peering_order(void *context, struct server *server, const struct wire_order *order)
{
	struct peering *peering = context;
	struct director *director = peering->director;
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
peering_open(struct event_base *base, const struct conf *conf, struct director *director, struct state *state,
    char error[PEERING_ERROR])
{
	static const struct peers_calls calls = { peering_prepare, peering_changed, peering_order };
	struct peering *peering;

	error[0] = '\0';
	if (conf->peer_count == 0)
		return NULL;
	(void)snprintf(error, PEERING_ERROR, "out of memory");
	peering = calloc(1, sizeof(*peering));
	if (peering == NULL)
		return NULL;
	peering->director = director;
	peering->state = state;
	peering->share = share_new(director->model, director->forwarder.conns, director->forwarder.persist);
	if (peering->share == NULL || peering_settings(&peering->settings, conf, error) == -1) {
		peering_close(peering);
		return NULL;
	}
	peering_prepare(peering);
	peering->peers = peers_open(base, &peering->settings, peering->share, &calls, peering, error);
	if (peering->peers != NULL)
		return peering;
	peering_close(peering);
	return NULL;
}

void
peering_close(struct peering *peering)
{
	if (peering == NULL)
		return;
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

void
peering_set_active(struct peering *peering, share_active *active, void *context)
{
	if (peering == NULL)
		return;
	peering->share->active = active;
	peering->share->context = context;
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
