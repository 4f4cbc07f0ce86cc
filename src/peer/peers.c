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
#include "peer/socket.h"

#define GREETERS 8 /* connections that have not said who they are, at a time */
#define RETRY_FIRST MILLISECONDS(200)
#define RETRY_MOST SECONDS(5)
#define BLOCKED MILLISECONDS(100)
#define KNOWN_DEAD SECONDS(3) /* a peer that was not reached so long after the start is waited for no longer */

/* A connection and the director it leads to. */
struct peer_end {
	struct peers *peers;
	struct peer *peer;    /* NULL: not known yet */
	struct peer_socket *socket;
	struct link link;
};

struct peer {
	struct peers *peers;
	struct peer_settings settings;
	bool begins;          /* we open the connection */
	struct peer_end *end; /* NULL: none that has come up, or that we are opening */
	struct event *retry;
	uint64_t pause;       /* before the next try */
	bool up;
	bool tried;           /* it could not be reached, or was up once */
	uint64_t since;
	char fault[PEER_FAULT];
	uint8_t boot[16];     /* of the process that `source` is about */
	uint8_t source;       /* 0: none yet */
	uint64_t sessions;
	uint64_t bytes[2];    /* of connections that have ended: sent, received */
	struct feed_counts sent;         /* the same */
	struct intake_counts received;
	/* The comparison, and what it is of. */
	uint64_t compared[2];
	size_t difference_count;
	struct difference differences[PEER_DIFFERENCES];
};

struct peers {
	struct event_base *base;
	struct peers_settings settings;
	struct share *share;
	const struct peers_calls *calls;
	void *context;
	struct wire_hello own;
	uint64_t started;
	uint64_t random;
	int listener;
	struct event *accepting;
	struct peer_end *greeters[GREETERS];
	uint64_t refused;
	bool refusal_logged;
	struct peer list[SHARE_PEERS];
};

static struct link_facts
peers_link_facts(uint64_t now)
{
	return (struct link_facts) { now, (uint64_t)time(NULL), PACKAGE_VERSION };
}

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
static void
peers_retry(struct peer *peer)
{
	const uint64_t pause = peer->pause / 2 + peers_random(peer->peers, peer->pause);
	const struct timeval wait = { (time_t)(pause / SECONDS(1)), (suseconds_t)(pause % SECONDS(1)) };

	peer->pause = peer->pause * 2 < RETRY_MOST ? peer->pause * 2 : RETRY_MOST;
	(void)evtimer_add(peer->retry, &wait);
}

/* --- ends --- */

static void
peer_add_feed(struct feed_counts *sum, const struct feed_counts *more)
{
	sum->flows += more->flows;
	sum->clients += more->clients;
	sum->orders += more->orders;
	sum->overflows += more->overflows;
	sum->walks += more->walks;
}

static void
peer_add_intake(struct intake_counts *sum, const struct intake_counts *more)
{
	sum->flows += more->flows;
	sum->clients += more->clients;
	sum->orders += more->orders;
	sum->unknown += more->unknown;
	sum->refused += more->refused;
	sum->conflicts += more->conflicts;
}

static void
end_free(struct peer_end *end)
{
	if (end == NULL)
		return;
	link_clear(&end->link);
	peer_socket_close(end->socket);
	free(end);
}

/* What it counted stays with the peer. */
static void
end_account(struct peer *peer, const struct peer_end *end)
{
	if (end->link.feed != NULL) {
		const struct feed_counts counts = feed_counts(end->link.feed);

		peer_add_feed(&peer->sent, &counts);
	}
	peer_add_intake(&peer->received, &end->link.intake.counts);
	peer->bytes[0] += peer_socket_bytes_sent(end->socket);
	peer->bytes[1] += peer_socket_bytes_received(end->socket);
}

static void
peers_refuse(struct peers *peers, struct peer_end *end, const char *fault)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < GREETERS; i++)
		if (peers->greeters[i] == end)
			peers->greeters[i] = NULL;
	peers->refused++;
	/* Once: anyone can make more of them. */
	if (!peers->refusal_logged)
		log_warning("peer-refused address=%s reason=\"%s\" meaning=\"more of them are only counted: dsrctl "
		    "show peers\"",
		    addr_format(peer_socket_address(end->socket), text), fault);
	peers->refusal_logged = true;
	end_free(end);
}

static void
peer_lose(struct peer *peer, const char *fault)
{
	struct peer_end *end = peer->end;
	const uint64_t now = clock_us();

	if (peer->up || strcmp(peer->fault, fault) != 0)
		log_warning("peer name=%s result=down reason=\"%s\" meaning=\"flows of this director are not known to "
		    "it\"",
		    peer->settings.name, fault);
	if (peer->up || peer->since == 0)
		peer->since = now;
	(void)snprintf(peer->fault, sizeof(peer->fault), "%s", fault);
	peer->up = false;
	peer->tried = true;
	end_account(peer, end);
	if (peer->begins)
		peers_retry(peer);
	peer->end = NULL;
	peer->compared[0] = 0;
	peer->difference_count = 0;
	end_free(end);
}

static void
end_lose(struct peer_end *end, const char *fault)
{
	if (end->peer != NULL && end->peer->end == end)
		peer_lose(end->peer, fault);
	else
		peers_refuse(end->peers, end, fault);
}

/* --- who it is --- */

static struct peer *
peers_find(struct peers *peers, const char *name)
{
	for (size_t i = 0; i < peers->settings.count; i++)
		if (strcmp(peers->list[i].settings.name, name) == 0)
			return &peers->list[i];
	return NULL;
}

/* What a process of the peer sends has an identity that lasts as long as the process. */
static uint8_t
peer_identify(struct peers *peers, struct peer *peer, const uint8_t boot[16])
{
	if (peer->source == 0 || memcmp(peer->boot, boot, sizeof(peer->boot)) != 0) {
		memcpy(peer->boot, boot, sizeof(peer->boot));
		peer->source = share_source(peers->share);
	}
	return peer->source;
}

/* The HELLO is here. -1: the end is gone. */
static int
end_greet(struct peer_end *end)
{
	const struct wire_hello *hello = &end->link.session.peer;
	struct peer *peer = peers_find(end->peers, hello->name);

	if (peer == NULL || (end->peer != NULL && end->peer != peer) || (end->peer == NULL && peer->begins) ||
	    !addr_equal(&peer->settings.addr, peer_socket_address(end->socket))) {
		end_lose(end, session_fault_text(SESSION_STRANGER));
		return -1;
	}
	end->peer = peer;
	if (link_accept(&end->link, peer_identify(end->peers, peer, hello->boot), end->peers->calls->order,
	    end->peers->context) == 0)
		return 0;
	end_lose(end, session_fault_text(SESSION_MEMORY));
	return -1;
}

/* It has proven to be no recorded connection: it takes the place of the one before. */
static void
end_come_up(struct peer_end *end)
{
	struct peers *peers = end->peers;
	struct peer *peer = end->peer;

	for (size_t i = 0; i < GREETERS; i++)
		if (peers->greeters[i] == end)
			peers->greeters[i] = NULL;
	if (peer->end != NULL && peer->end != end) {
		end_account(peer, peer->end);
		end_free(peer->end);
		share_set_live(peers->share, peer->source, true);
	}
	peer->end = end;
	if (!peer->up)
		peer->since = clock_us();
	peer->up = peer->tried = true;
	peer->fault[0] = '\0';
	peer->pause = RETRY_FIRST;
	peer->sessions++;
	log_notice("peer name=%s result=up version=%s", peer->settings.name, end->link.peer.version);
}

/* --- turns --- */

/* Handles one frame of what has come. False: there is no whole one, or the end is gone: *gone. */
static bool
end_receive(struct peer_end *end, uint64_t now, bool *gone)
{
	const struct link_facts facts = peers_link_facts(now);
	size_t length, used;
	const uint8_t *bytes = peer_socket_received(end->socket, &length);
	const enum link_event event = link_receive(&end->link, bytes, length, &used, &facts);

	peer_socket_done(end->socket, used);
	switch (event) {
	case LINK_NOTHING:
		return false;
	case LINK_GREETED:
		*gone = end_greet(end) == -1;
		break;
	case LINK_CAME_UP:
		end_come_up(end);
		break;
	case LINK_TOOK:
		break;
	case LINK_ENDED:
		end_lose(end, session_fault_text(end->link.session.fault));
		*gone = true;
		break;
	}
	return !*gone;
}

/* Up to two frames into the socket's buffer. True: there is more, and room for it. */
static bool
end_send(struct peer_end *end, uint64_t now)
{
	const struct link_facts facts = peers_link_facts(now);
	bool again = true;

	for (unsigned i = 0; i < 2 && again; i++) {
		uint8_t *room = peer_socket_room(end->socket, WIRE_FRAME);

		if (room == NULL)
			return false;
		peer_socket_wrote(end->socket, link_send(&end->link, room, &facts, &again));
	}
	return again;
}

/* What came before the connection ended counts: `more` of it waits. */
static const char *
end_fault(const struct peer_end *end, uint64_t now, bool more)
{
	if (peer_socket_error(end->socket) != NULL && !more)
		return peer_socket_error(end->socket);
	if (peer_socket_is_stuck(end->socket, now, LINK_SILENCE))
		return "it reads nothing";
	if (link_is_dead(&end->link, now))
		return end->link.feed == NULL ? "it does not answer" : "it was silent for 3 s";
	return NULL;
}

/* The socket is ready, or it is time. */
static void
end_turn(void *context)
{
	struct peer_end *end = context;
	struct peers *peers = end->peers;
	const uint64_t now = clock_us();
	const char *fault;
	bool gone = false, more;
	uint64_t due;

	if (peer_socket_is_connecting(end->socket) && !link_is_dead(&end->link, now)) {
		peer_socket_wake(end->socket, LINK_SILENCE);
		return;
	}
	peers->calls->prepare(peers->context);
	more = end_receive(end, now, &gone);
	if (gone)
		return;
	if (more)
		peers->calls->changed(peers->context);
	fault = end_fault(end, now, more);
	if (fault != NULL) {
		end_lose(end, fault);
		return;
	}
	more |= end_send(end, now);
	peer_socket_flush(end->socket, now);
	due = link_due(&end->link);
	/* What is due now and was not done waits for room: the socket has its say first. */
	peer_socket_wake(end->socket, more ? 0 : due > now ? due - now : BLOCKED);
}

static struct peer_end *
end_new(struct peers *peers, struct peer *peer, int fd, const struct addr *addr, bool begins)
{
	struct peer_end *end = calloc(1, sizeof(*end));

	if (end == NULL)
		return NULL;
	end->peers = peers;
	end->peer = peer;
	/* Without random numbers a recorded connection could be replayed. */
	if (getentropy(peers->own.nonce, sizeof(peers->own.nonce)) == -1) {
		free(end);
		return NULL;
	}
	end->socket = peer_socket_new(peers->base, fd, addr, begins, end_turn, end);
	if (end->socket == NULL) {
		free(end);
		return NULL;
	}
	link_begin(&end->link, peers->share, begins, &peers->settings.secret, &peers->own, clock_us());
	return end;
}

/* --- opening and accepting --- */

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
	(void)snprintf(peer->fault, sizeof(peer->fault), "%s", fd == -1 ? strerror(errno) : "out of memory");
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
peers_listen(struct peers *peers, char error[PEERS_ERROR])
{
	char text[ADDR_PORT_TEXT];

	peers->listener = peer_socket_listen(&peers->settings.listen, peers->settings.port);
	if (peers->listener != -1)
		peers->accepting = event_new(peers->base, peers->listener, EV_READ | EV_PERSIST, peers_accept, peers);
	if (peers->accepting != NULL && event_add(peers->accepting, NULL) == 0)
		return 0;
	(void)snprintf(error, PEERS_ERROR, "peer-listen %s: %s",
	    addr_format_port(&peers->settings.listen, peers->settings.port, text), strerror(errno));
	return -1;
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
peers_open(struct event_base *base, const struct peers_settings *settings, struct share *share,
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
	peers->listener = -1;
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
	if (peers_listen(peers, error) == 0)
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
	if (peers->listener != -1)
		(void)close(peers->listener);
	free(peers);
}

/* --- reports --- */

static void
peer_note(void *context, const struct difference *difference)
{
	struct peer *peer = context;

	peer->differences[peer->difference_count++] = *difference;
}

/* Only when either side has changed: it walks all servers. */
static void
peer_compare(struct peer *peer)
{
	struct picture *picture = peer->end->link.intake.picture;
	const struct share *share = peer->peers->share;
	size_t count;

	if (peer->compared[0] == picture_serial(picture) && peer->compared[1] == share->serial)
		return;
	peer->compared[0] = picture_serial(picture);
	peer->compared[1] = share->serial;
	peer->difference_count = 0;
	count = picture_compare(picture, share, PEER_DIFFERENCES, peer_note, peer);
	peer->difference_count = count;
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

size_t
peers_count(const struct peers *peers)
{
	return peers->settings.count;
}

static void
peer_add_link(const struct peers *peers, const struct peer *peer, struct peer_facts *facts)
{
	const struct link *link = &peer->end->link;
	const struct feed_counts sent = feed_counts(link->feed);

	peer_add_feed(&facts->sent, &sent);
	peer_add_intake(&facts->received, &link->intake.counts);
	facts->sent.waiting = sent.waiting;
	facts->told = facts->sent.told = sent.told;
	facts->complete = sent.bulk_done && link->intake.bulk_done;
	facts->version = link->peer.version;
	facts->configuration = link->peer.configuration;
	facts->named = picture_is_complete(link->intake.picture);
	facts->lag = link->lag;
	facts->clock_ahead = link->clock_ahead;
	facts->table = link->peer.flows;
	facts->told_here = link->peer.told;
	facts->held = peers->share->held[peer->source];
	facts->bytes_sent += peer_socket_bytes_sent(peer->end->socket);
	facts->bytes_received += peer_socket_bytes_received(peer->end->socket);
}

void
peers_facts(const struct peers *peers, size_t index, struct peer_facts *facts)
{
	const struct peer *peer = &peers->list[index];

	*facts = (struct peer_facts) { .name = peer->settings.name, .addr = peer->settings.addr, .port = peer->settings.port,
		.up = peer->up, .since = peer->since, .fault = peer->fault, .version = "", .sent = peer->sent,
		.received = peer->received, .own_configuration = peers->share->configuration,
		    .bytes_sent = peer->bytes[0],
		.bytes_received = peer->bytes[1], .sessions = peer->sessions,
		    .difference_count = peer->difference_count,
		.differences = peer->differences };
	if (peer->up)
		peer_add_link(peers, peer, facts);
}

uint64_t
peers_refused(const struct peers *peers)
{
	return peers->refused;
}
