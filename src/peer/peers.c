/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "peer/peers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "compat/entropy.h"
#include "peer/peers_state.h"

#define RETRY_MOST SECONDS(2) /* two active directors find each other by this, so no longer than clients wait */
#define KNOWN_DEAD SECONDS(3) /* a peer that was not reached so long after the start is waited for no longer */

/* xorshift64* (Vigna 2016): pauses need to differ, no more. */
static uint64_t
peers_random(struct peers *peers, uint64_t below)
{
	peers->random ^= peers->random >> 12;
	peers->random ^= peers->random << 25;
	peers->random ^= peers->random >> 27;
	return (peers->random * UINT64_C(0x2545f4914f6cdd1d) >> 32) % below;
}

/* The pause grows, and differs by half, so that two directors that lost each other do not meet in step. */
void
peers_retry(struct peer *peer)
{
	const uint64_t pause = peer->pause / 2 + peers_random(peer->peers, peer->pause);
	const struct timeval wait = { (time_t)(pause / SECONDS(1)), (suseconds_t)(pause % SECONDS(1)) };

	peer->pause = peer->pause * 2 < RETRY_MOST ? peer->pause * 2 : RETRY_MOST;
	(void)evtimer_add(peer->retry, &wait);
}

static const char *
peers_error_text(int error)
{
	if (error == EACCES)
		return "Permission denied: dsrd connects to the ports only that peers had when it was started, and to 9191: "
		    "restart it";
	return strerror(error);
}

static void
peers_connect(evutil_socket_t unused UNUSED, short what UNUSED, void *context)
{
	struct peer *peer = context;
	struct peers *peers = peer->peers;
	const int fd = peer_socket_connect(&peer->settings.addr, peer->settings.port, &peers->settings.listen);

	if (peer->end != NULL) {
		if (fd != -1)
			(void)close(fd);
		return;
	}
	if (fd != -1)
		peer->end = end_new(peers, peer, fd, &peer->settings.addr, true);
	if (peer->end != NULL)
		return;
	(void)snprintf(peer->fault, sizeof(peer->fault), "%s", fd == -1 ? peers_error_text(errno) : "out of memory");
	if (peer->since == 0)
		peer->since = clock_us();
	peer->tried = true;
	peers_retry(peer);
}

static bool
peers_expect(const struct peers *peers, const struct addr *addr)
{
	for (size_t i = 0; i < peers->settings.count; i++)
		if (addr_equal(&peers->settings.peers[i].addr, addr))
			return true;
	return false;
}

static void
peers_accept(evutil_socket_t listener, short what UNUSED, void *context)
{
	struct peers *peers = context;
	struct addr addr;
	size_t place = 0;
	const int fd = peer_socket_accept(listener, &addr);

	if (fd == -1)
		return;
	while (place < GREETERS && peers->greeters[place] != NULL)
		place++;
	if (place < GREETERS && peers_expect(peers, &addr))
		peers->greeters[place] = end_new(peers, NULL, fd, &addr, false);
	else
		(void)close(fd);
	if (place == GREETERS || peers->greeters[place] == NULL)
		peers->refused++;
}

static int
peers_listen(struct peers *peers, int listener)
{
	peers->accepting = event_new(peers->base, listener, EV_READ | EV_PERSIST, peers_accept, peers);
	return peers->accepting != NULL && event_add(peers->accepting, NULL) == 0 ? 0 : -1;
}

static int
peers_add(struct peers *peers, size_t index, const struct peer_settings *settings)
{
	struct peer *peer = &peers->list[index];
	const struct timeval now = { 0, 0 };

	peer->peers = peers;
	peer->settings = *settings;
	peer->begins = strcmp(peers->settings.name, settings->name) < 0;
	peer->pause = RETRY_FIRST;
	peer->retry = evtimer_new(peers->base, peers_connect, peer);
	return peer->retry == NULL || (peer->begins && evtimer_add(peer->retry, &now) == -1) ? -1 : 0;
}

struct peers *
peers_open(struct event_base *base, const struct peers_settings *settings, int listener, struct share *share,
    const struct peers_calls *calls, void *context, char error[PEERS_ERROR])
{
	struct peers *peers = calloc(1, sizeof(*peers));

	(void)snprintf(error, PEERS_ERROR, "out of memory");
	if (peers == NULL)
		return NULL;
	peers->base = base;
	peers->settings = *settings;
	peers->share = share;
	peers->calls = calls;
	peers->context = context;
	peers->started = clock_us();
	(void)snprintf(peers->own.name, sizeof(peers->own.name), "%s", settings->name);
	if (getentropy(peers->own.boot, sizeof(peers->own.boot)) == -1) {
		(void)snprintf(error, PEERS_ERROR, "no random numbers: %s", strerror(errno));
		peers_close(peers);
		return NULL;
	}
	memcpy(&peers->random, peers->own.boot, sizeof(peers->random));
	peers->random |= 1;
	for (size_t i = 0; i < settings->count; i++) {
		if (peers_add(peers, i, &settings->peers[i]) == -1) {
			peers_close(peers);
			return NULL;
		}
	}
	if (peers_listen(peers, listener) == 0)
		return peers;
	peers_close(peers);
	return NULL;
}

void
peers_close(struct peers *peers)
{
	if (peers == NULL)
		return;
	for (size_t i = 0; i < GREETERS; i++)
		end_free(peers->greeters[i]);
	for (size_t i = 0; i < peers->settings.count; i++) {
		end_free(peers->list[i].end);
		if (peers->list[i].retry != NULL)
			event_free(peers->list[i].retry);
	}
	if (peers->accepting != NULL)
		event_free(peers->accepting);
	free(peers);
}

void
peers_tick(struct peers *peers, uint64_t now)
{
	peers->calls->prepare(peers->context);
	for (size_t i = 0; i < peers->settings.count; i++) {
		struct peer *peer = &peers->list[i];

		if (peer->up)
			peer_compare(peer);
		/* One that should have come. */
		else if (!peer->begins && peer->end == NULL && !peer->tried && now >= peers->started + KNOWN_DEAD) {
			peer->tried = true;
			peer->since = now;
			(void)snprintf(peer->fault, sizeof(peer->fault), "it has not connected");
		}
	}
}

bool
peers_have_told(const struct peers *peers)
{
	for (size_t i = 0; i < peers->settings.count; i++) {
		const struct peer *peer = &peers->list[i];

		if (peer->up ? !peer->end->link.intake.bulk_done : !peer->tried)
			return false;
	}
	return true;
}

void
peers_wake(struct peers *peers)
{
	for (size_t i = 0; i < peers->settings.count; i++)
		if (peers->list[i].up)
			peer_socket_wake(peers->list[i].end->socket, 0);
}

const struct wire_self *
peers_self(const struct peers *peers, size_t index, bool *wins_ties)
{
	const struct peer *peer = &peers->list[index];

	if (!peer->up || peer->end->link.peer_at == 0)
		return NULL;
	*wins_ties = memcmp(peers->own.boot, peer->boot, sizeof(peer->boot)) > 0;
	return &peer->end->link.peer.self;
}
