/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/trace_record.h"
#include "daemon/way.h"
#include "proto/packet.h"

/* A super-frame that was split is about as large as it was, plus headers: so there is room for both. */
#define LEFT_MOST (2 * FRAME_MOST)

struct watcher {
	const void *client; /* NULL: the place is free */
	struct filter filter;
	bool frames;
	bool greeted;      /* TRACE_MAGIC was sent */
	uint64_t skipped;  /* records, since the last one that was taken */
};

struct trace {
	struct watcher watchers[TRACE_WATCHERS];
	size_t count;

	/* Of the frame that is looked at. */
	const struct forwarder *forwarder;
	struct frame_tx tx; /* the forwarder's own */
	struct trace_record record;
	struct way way;
	bool keep;              /* frames are wanted */
	size_t left_used;
	uint8_t got[FRAME_MOST];
	uint8_t left[LEFT_MOST];
	uint8_t bytes[TRACE_RECORD_MOST];
};

enum control_result
trace_watch(struct trace **trace, const void *client, const struct filter *filter, bool frames, FILE *out)
{
	struct watcher *watcher = NULL;

	if (*trace == NULL)
		*trace = calloc(1, sizeof(**trace));
	if (*trace == NULL) {
		fputs("out of memory\n", out);
		return CONTROL_REFUSED;
	}
	for (size_t i = 0; i < TRACE_WATCHERS && watcher == NULL; i++)
		if ((*trace)->watchers[i].client == NULL)
			watcher = &(*trace)->watchers[i];
	if (watcher == NULL) {
		fprintf(out, "%d clients trace already: end one of them first\n", TRACE_WATCHERS);
		return CONTROL_BUSY;
	}
	*watcher = (struct watcher){ .client = client, .filter = *filter, .frames = frames };
	(*trace)->count++;
	return CONTROL_STREAM;
}

void
trace_leave(struct trace **trace, const void *client)
{
	for (size_t i = 0; *trace != NULL && i < TRACE_WATCHERS; i++) {
		struct watcher *watcher = &(*trace)->watchers[i];

		if (watcher->client != client)
			continue;
		memset(watcher, 0, sizeof(*watcher));
		if (--(*trace)->count == 0) {
			free(*trace);
			*trace = NULL;
		}
	}
}

static void
trace_set_text(struct trace_record *record, enum trace_text which, const char *text)
{
	snprintf(record->texts[which], TRACE_TEXT, "%s", text == NULL ? "" : text);
}

static void
trace_add_frame(struct trace *trace, bool left, const struct frame *frame, const uint8_t *bytes)
{
	struct trace_record *record = &trace->record;

	record->frames[record->frame_count++] = (struct trace_frame){ left, frame->wire_length, frame->length, bytes };
}

/* The first outgoing frame determines the server; all are kept when the client wants frames. */
static void
trace_on_frame_sent(void *context, const struct frame *frame)
{
	struct trace *trace = context;
	struct trace_record *record = &trace->record;
	const struct iface *ifaces = trace->forwarder->ifaces;

	way_sent(&trace->way, frame);
	if (record->texts[TRACE_LEFT_BY][0] == '\0' && frame->length >= ETHER_HEADER) {
		memcpy(record->left_to.bytes, frame->bytes + ETHER_DESTINATION, MAC_BYTES);
		memcpy(record->left_from.bytes, frame->bytes + ETHER_SOURCE, MAC_BYTES);
		trace_set_text(record, TRACE_LEFT_BY, ifaces[frame->iface].name);
	}
	if (trace->keep && record->frame_count < TRACE_FRAMES && trace->left_used + frame->length <= LEFT_MOST) {
		memcpy(trace->left + trace->left_used, frame->bytes, frame->length);
		trace_add_frame(trace, true, frame, trace->left + trace->left_used);
		trace->left_used += frame->length;
	} else if (trace->keep) {
		record->incomplete = true;
	}
	trace->tx.emit(trace->tx.context, frame);
}

/* What is known before the decision. Forwarding rewrites the frame. */
static void
trace_begin_record(struct trace *trace, const struct packet *packet, const struct frame *frame, uint64_t when)
{
	struct trace_record *record = &trace->record;

	memset(record, 0, offsetof(struct trace_record, frames));
	record->frame_count = 0;
	record->kind = TRACE_DECISION;
	record->when = when;
	record->came_from = packet->ether_source;
	record->came_to = packet->ether_destination;
	trace_set_text(record, TRACE_CAME_BY, trace->forwarder->ifaces[frame->iface].name);
	record->client = packet->source;
	record->vip = packet->destination;
	record->client_port = packet->source_port;
	record->vip_port = packet->destination_port;
	record->has_ports = packet->has_ports;
	if (packet->ethertype == ETHERTYPE_ARP)
		trace_set_text(record, TRACE_PROTOCOL, "arp");
	else
		way_name_protocol(packet->protocol, record->texts[TRACE_PROTOCOL]);
	trace->left_used = 0;
	trace->keep = false;
	for (size_t i = 0; i < TRACE_WATCHERS; i++)
		trace->keep |= trace->watchers[i].client != NULL && trace->watchers[i].frames;
	if (!trace->keep || frame->length > FRAME_MOST)
		return;
	memcpy(trace->got, frame->bytes, frame->length);
	trace_add_frame(trace, false, frame, trace->got);
}

static void
trace_set_decision(struct trace_record *record, const struct decision *decision)
{
	char name[SERVER_NAME_TEXT];

	record->begins = decision->new_flow;
	trace_set_text(record, TRACE_VERDICT, verdict_name(decision->verdict));
	if (decision->verdict == VERDICT_DROP)
		trace_set_text(record, TRACE_REASON, drop_reason_name(decision->reason));
	if (decision->server != NULL) {
		trace_set_text(record, TRACE_SERVER, server_name(decision->server->server, name));
		trace_set_text(record, TRACE_STATE, conn_state_name(decision->state));
	} else if (decision->service != NULL) {
		trace_set_text(record, TRACE_SERVER, decision->service->service->settings.name);
	}
}

static struct flow_facts
trace_facts_of(const struct packet *packet, const struct decision *decision)
{
	struct flow_facts facts = { .client = packet->source, .client_port = packet->source_port,
		.vip = packet->destination, .port = packet->destination_port, .protocol = packet->protocol,
		.state = decision->state, .verdict = decision->verdict, .reason = decision->reason };

	if (decision->server != NULL) {
		facts.service = decision->server->service->settings.name;
		facts.server = decision->server->server->settings.name;
		facts.server_addr = &decision->server->server->settings.addr;
	} else if (decision->service != NULL) {
		facts.service = decision->service->service->settings.name;
	}
	return facts;
}

/* False: the watcher has not read what was sent before. */
static bool
trace_send(struct trace *trace, struct control *control, const struct watcher *watcher,
    const struct trace_record *record)
{
	const size_t length = trace_record_write(record, trace->bytes, sizeof(trace->bytes));

	return length > 0 && control_stream(control, watcher->client, trace->bytes, length);
}

/* Sends what precedes the next record: the start of the stream, and the count of records left out. */
static bool
trace_send_pending(struct trace *trace, struct control *control, struct watcher *watcher)
{
	struct trace_record skipped;

	if (!watcher->greeted)
		watcher->greeted = control_stream(control, watcher->client, TRACE_MAGIC, TRACE_MAGIC_LENGTH);
	if (watcher->skipped == 0 || !watcher->greeted)
		return watcher->greeted;
	memset(&skipped, 0, offsetof(struct trace_record, frames));
	skipped.kind = TRACE_SKIPPED;
	skipped.skipped = watcher->skipped;
	if (!trace_send(trace, control, watcher, &skipped))
		return false;
	watcher->skipped = 0;
	return true;
}

static void
trace_send_record(struct trace *trace, struct control *control, struct watcher *watcher)
{
	const size_t frames = trace->record.frame_count;

	if (!watcher->frames)
		trace->record.frame_count = 0;
	if (!trace_send_pending(trace, control, watcher) || !trace_send(trace, control, watcher, &trace->record))
		watcher->skipped++;
	trace->record.frame_count = frames;
}

static unsigned
trace_tx_features(void *context, uint16_t iface)
{
	const struct trace *trace = context;

	return frame_tx_features(&trace->tx, iface);
}

void
trace_forward(struct trace *trace, struct control *control, struct forwarder *forwarder, struct frame *frame,
    uint64_t now, uint64_t when)
{
	struct packet packet;
	struct decision decision;
	struct flow_facts facts;

	(void)packet_parse(frame, &packet);
	trace->forwarder = forwarder;
	trace->tx = forwarder->tx;
	trace_begin_record(trace, &packet, frame, when);
	way_begin(&trace->way, frame, &packet);
	forwarder->tx = (struct frame_tx){ trace_on_frame_sent, trace, trace_tx_features };
	decision = forward_frame(forwarder, frame, now);
	forwarder->tx = trace->tx;
	trace_set_decision(&trace->record, &decision);
	trace->record.way = *way_decided(&trace->way, &decision);
	facts = trace_facts_of(&packet, &decision);
	for (size_t i = 0; i < TRACE_WATCHERS; i++)
		if (trace->watchers[i].client != NULL && filter_matches(&trace->watchers[i].filter, &facts))
			trace_send_record(trace, control, &trace->watchers[i]);
}

void
trace_tick(struct trace *trace, struct control *control)
{
	for (size_t i = 0; trace != NULL && i < TRACE_WATCHERS; i++)
		if (trace->watchers[i].client != NULL)
			(void)trace_send_pending(trace, control, &trace->watchers[i]);
}
