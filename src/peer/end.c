/* SPDX-License-Identifier: ISC */
/* A connection to a peer: who it is, and its turns of the event loop. */
#include "config.h"

#include "peer/peers_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "compat/entropy.h"

#define BLOCKED MILLISECONDS(100)

static struct link_facts
peers_link_facts(uint64_t now)
{
	return (struct link_facts) { now, (uint64_t)time(NULL), PACKAGE_VERSION };
}

void
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
	if (end->link.peer_at != end->heard) {
		end->heard = end->link.peer_at;
		peers->calls->heard(peers->context, (size_t)(end->peer - peers->list));
	}
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

struct peer_end *
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
