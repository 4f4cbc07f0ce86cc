/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/link.h"

#include <stdio.h>
#include <string.h>

void
link_begin(struct link *link, struct share *share, bool begins, const struct session_secret *secret,
    const struct wire_hello *own, uint64_t now)
{
	memset(link, 0, sizeof(*link));
	link->share = share;
	link->began = link->heard = now;
	session_begin(&link->session, begins, secret, own);
}

int
link_accept(struct link *link, uint8_t source, intake_order *order, void *context)
{
	link->accepted = intake_init(&link->intake, link->share, source, order, context) == 0;
	return link->accepted ? 0 : -1;
}

static void
link_go_down(struct link *link)
{
	if (link->feed == NULL)
		return;
	share_set_live(link->share, link->intake.source, false);
	feed_free(link->feed);
	link->feed = NULL;
}

void
link_clear(struct link *link)
{
	link_go_down(link);
	if (link->accepted)
		intake_clear(&link->intake);
	link->accepted = false;
}

/* The session has proven itself: from now on it is fed. */
static enum link_event
link_come_up(struct link *link, uint64_t now)
{
	link->feed = feed_new(link->share, now);
	if (link->feed == NULL) {
		session_refuse(&link->session, SESSION_MEMORY);
		return LINK_ENDED;
	}
	share_set_live(link->share, link->intake.source, true);
	link->came_up = now;
	return LINK_CAME_UP;
}

static void
link_compare_candidates(struct link *link)
{
	const struct model *model = link->share->model;

	for (size_t i = 0; i < model->service_count; i++)
		feed_set_candidates(link->feed, model->services[i]->run->number,
		    picture_candidates(link->intake.picture, link->share, model->services[i]));
	if (picture_is_complete(link->intake.picture))
		feed_set_ready(link->feed);
}

static bool
link_peer_forwards(const struct wire_state *state)
{
	for (size_t i = 0; i < state->self.role_count; i++)
		if ((role_duties(&(struct role) { .state = state->self.roles[i].state }) & ROLE_FORWARDS) != 0)
			return true;
	return false;
}

/* What the peer could not use before it may be able to use with another configuration. */
static int
link_feed_again(struct link *link, uint64_t now)
{
	feed_free(link->feed);
	link->feed = feed_new(link->share, now);
	if (link->feed == NULL)
		return -1;
	feed_set_forwards(link->feed, link_peer_forwards(&link->peer));
	link_compare_candidates(link);
	return 0;
}

static enum session_fault
link_take_state(struct link *link, const struct wire_state *state, const struct link_facts *facts)
{
	const int32_t lag = (int32_t)((uint32_t)(facts->now / MILLISECONDS(1)) - state->echo - state->echo_age);

	/*
	 * Not at each WIRE_RESET, which every feed begins with: of two directors that feed each other again, each would
	 * give the other one a reason.
	 */
	if (link->peer_at != 0 && state->configuration != link->peer.configuration &&
	    link_feed_again(link, facts->now) == -1)
		return SESSION_MEMORY;
	link->peer = *state;
	link->peer_at = facts->now;
	feed_set_forwards(link->feed, link_peer_forwards(state));
	link->clock_ahead = (int64_t)(state->wall - facts->wall);
	if (state->echo != 0)
		link->lag = lag < 0 ? 0 : MILLISECONDS(lag);
	return SESSION_FINE;
}

static enum session_fault
link_take(struct link *link, const struct session_frame *frame, const struct link_facts *facts)
{
	enum session_fault fault;
	struct wire_state state;
	struct cursor in;

	if (frame->type == WIRE_STATE) {
		memset(&state, 0, sizeof(state));
		cursor_init(&in, frame->body, frame->length);
		if (!wire_get_state(&in, &state))
			return SESSION_RECORD;
		return link_take_state(link, &state, facts);
	}
	fault = intake_take(&link->intake, frame, facts->now);
	if (fault == SESSION_FINE && (frame->type == WIRE_NAMED || frame->type == WIRE_SERVICES))
		link_compare_candidates(link);
	return fault;
}

enum link_event
link_receive(struct link *link, const uint8_t *bytes, size_t length, size_t *used, const struct link_facts *facts)
{
	struct session_frame frame;
	enum link_event event = LINK_TOOK;
	enum session_fault fault;

	switch (session_take(&link->session, bytes, length, used, &frame)) {
	case SESSION_GOT_NOTHING:
		return LINK_NOTHING;
	case SESSION_GOT_FAULT:
		return LINK_ENDED;
	case SESSION_GOT_HELLO:
		link->heard = facts->now;
		return LINK_GREETED;
	case SESSION_GOT_FRAME:
		break;
	}
	link->heard = facts->now;
	link->frames_received++;
	if (link->feed == NULL)
		event = link_come_up(link, facts->now);
	fault = event == LINK_ENDED ? SESSION_MEMORY : link_take(link, &frame, facts);
	if (fault != SESSION_FINE) {
		session_refuse(&link->session, fault);
		return LINK_ENDED;
	}
	return event;
}

static size_t
link_send_state(struct link *link, uint8_t bytes[WIRE_FRAME], const struct link_facts *facts)
{
	const struct share *share = link->share;
	struct wire_state state = { .wall = facts->wall, .stamp = (uint32_t)(facts->now / MILLISECONDS(1)) | 1,
		.configuration = share->configuration, .flows = conn_table_count(share->tables[SHARE_FLOWS]),
		.shared = link->feed == NULL ? 0 : feed_counts(link->feed).shared };
	struct wire_out out;

	if (link->peer_at != 0) {
		state.echo = link->peer.stamp;
		state.echo_age = (uint32_t)((facts->now - link->peer_at) / MILLISECONDS(1));
	}
	state.self = share->self;
	link->self_serial = share->self_serial;
	(void)snprintf(state.version, sizeof(state.version), "%s", facts->version);
	link->state_due = facts->now + LINK_BEAT;
	wire_out_init(&out, bytes + WIRE_HEADER, WIRE_BODY);
	wire_put_state(&out, &state);
	return session_seal(&link->session, bytes, WIRE_STATE, WIRE_BODY - out.left);
}

size_t
link_send(struct link *link, uint8_t bytes[WIRE_FRAME], const struct link_facts *facts, bool *again)
{
	const enum session_phase phase = link->session.phase;
	enum wire_type type;
	size_t length;

	*again = false;
	if (phase == SESSION_FAILED || (phase == SESSION_HELLO && (link->greeted || !link->session.begins)) ||
	    (phase != SESSION_HELLO && !link->accepted))
		return 0;
	if (!link->greeted) {
		link->greeted = true;
		*again = phase != SESSION_HELLO;
		return session_hello(&link->session, bytes);
	}
	if (facts->now >= link->state_due || link->self_serial != link->share->self_serial) {
		*again = link->feed != NULL;
		return link_send_state(link, bytes, facts);
	}
	if (link->feed == NULL)
		return 0;
	switch (feed_next(link->feed, facts->now, bytes + WIRE_HEADER, &type, &length)) {
	case FEED_IDLE:
		return 0;
	case FEED_AGAIN:
		*again = true;
		return 0;
	case FEED_FRAME:
		break;
	}
	*again = true;
	link->frames_sent++;
	return session_seal(&link->session, bytes, type, length);
}

uint64_t
link_due(const struct link *link)
{
	uint64_t due = link->heard + LINK_SILENCE;

	if (link->accepted && link->self_serial != link->share->self_serial)
		return link->heard;
	if (link->accepted && link->state_due < due)
		due = link->state_due;
	if (link->feed != NULL && feed_due(link->feed) < due)
		due = feed_due(link->feed);
	return due;
}

bool
link_is_dead(const struct link *link, uint64_t now)
{
	const uint64_t since = link->feed == NULL ? link->began : link->heard;

	return now >= since + LINK_SILENCE;
}
