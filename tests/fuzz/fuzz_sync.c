/* SPDX-License-Identifier: ISC */
/*
 * Any bytes from a peer. The first byte is the kind of input:
 *
 *	even: what comes over the wire, to a director that waits for a connection;
 *	odd: frames of a peer that knows the secret: type 1, length 2, body; a type of 0 lets a second pass.
 *
 * Whatever comes, each flow is on a server that exists and is counted there once; what leaves is whole frames; and no
 * call handles more than it may.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sync/link.h"
#include "tables.h"

#define START SECONDS(100000)
#define FRAMES_A_STEP 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
	struct tables tables;
	struct share *share;
	struct link link;
	struct link_facts facts;
	uint8_t bytes[WIRE_FRAME];
};

static const char configuration[] = "[dsrd]\ninterface = eth0\n"
    "[service web]\nlisten = 192.0.2.10 tcp/80\nlisten = 2001:db8::10 tcp/80\npersist = 30m\ncheck = none\n"
    "scheduler = wlc\nserver = s1 192.0.2.101 mac=02:00:00:00:00:11\nserver = s2 192.0.2.102 mac=02:00:00:00:00:12\n"
    "[service dns]\nlisten = 192.0.2.10 udp/53\nscheduler = maglev\ncheck = none\nserver = s1 192.0.2.101\n";

/* What the director does with a fragment: others of its datagram were held, or come. */
static void
take_fragment(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now)
{
	struct bench *bench = context;

	insist(model_server(bench->tables.model, server) != NULL, "a fragment's server exists");
	forward_fragment(&bench->tables.forwarder, key, server, now);
}

static void
bench_open(struct bench *bench)
{
	struct wire_self self;

	memset(bench, 0, sizeof(*bench));
	tables_open(&bench->tables, configuration, START);
	bench->share = share_new(bench->tables.model, bench->tables.forwarder.conns, bench->tables.forwarder.persist);
	insist(bench->share != NULL, "there is memory");
	share_set_fragments(bench->share, bench->tables.forwarder.fragments, take_fragment, NULL, bench);
	share_update(bench->share, bench->tables.table, 1, 1);
	memset(&self, 0, sizeof(self));
	self.role_count = 1;
	memcpy(self.roles[0].group, ROLE_MAIN, sizeof(ROLE_MAIN));
	(void)share_set_self(bench->share, &self);
	bench->facts = (struct link_facts) { START, 1000000, "1.0" };
}

static void
bench_close(struct bench *bench)
{
	link_clear(&bench->link);
	share_free(bench->share);
	tables_close(&bench->tables);
}

static void
order_here(void *context, struct server *server, const struct wire_order *order)
{
	(void)context;
	insist(server != NULL && order->author.name[ADMIN_NAME - 1] == '\0', "an order is about a server");
	if (order->weight)
		server->admin.weight_by = order->author;
	else
		server->admin.admin_by = order->author;
}

static void
send_all(struct bench *bench)
{
	bool again = true;

	for (unsigned i = 0; again && i < FRAMES_A_STEP; i++) {
		const size_t length = link_send(&bench->link, bench->bytes, &bench->facts, &again);

		insist(length == 0 || (length >= WIRE_HEADER + SEAL_TAG && length <= WIRE_FRAME), "frames are whole");
	}
}

static void
receive(struct bench *bench, const uint8_t *bytes, size_t length)
{
	enum link_event event = LINK_TOOK;
	size_t used;

	while (length > 0 && event != LINK_NOTHING && event != LINK_ENDED) {
		event = link_receive(&bench->link, bytes, length, &used, &bench->facts);
		insist(used <= length && (used > 0 || event == LINK_NOTHING || event == LINK_ENDED), "frames are used up");
		bytes += used;
		length -= used;
		if (event == LINK_GREETED)
			insist(link_accept(&bench->link, share_source(bench->share), order_here, bench) == 0, "there is memory");
		send_all(bench);
	}
}

/* Bytes that end where the input's do, so that a sanitizer sees a read beyond. */
static void
receive_raw(struct bench *bench, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	insist(copy != NULL, "there is memory");
	memcpy(copy + 1, data, size);
	receive(bench, copy + 1, size);
	free(copy);
}

static void
receive_frames(struct bench *bench, const struct session_secret *secret, const uint8_t *data, size_t size)
{
	static const struct wire_hello hello = { .boot = { 2 }, .nonce = { 2 }, .name = "lb2" };
	static uint8_t bytes[WIRE_FRAME];
	struct session peer, twin;
	struct session_frame frame;
	size_t used;

	session_begin(&peer, true, secret, &hello);
	receive(bench, bytes, session_hello(&peer, bytes));
	/* The director's HELLO was lost in send_all(): this is the same one. */
	session_begin(&twin, false, secret, &bench->link.session.own);
	used = session_hello(&twin, bytes);
	if (used == 0 || session_take(&peer, bytes, used, &used, &frame) != SESSION_GOT_HELLO)
		return;
	while (size >= 3 && bench->link.session.phase != SESSION_FAILED) {
		const size_t wanted = (size_t)data[1] << 8 | data[2], length = wanted < size - 3 ? wanted : size - 3;
		const size_t taken = length < WIRE_BODY ? length : WIRE_BODY;

		if (data[0] == 0)
			bench->facts.now += SECONDS(1);
		memcpy(bytes + WIRE_HEADER, data + 3, taken);
		if (data[0] > WIRE_HELLO)
			receive(bench, bytes, session_seal(&peer, bytes, (enum wire_type)data[0], taken));
		send_all(bench);
		data += 3 + length;
		size -= 3 + length;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session_secret secret;
	const struct wire_hello own = { .boot = { 1 }, .nonce = { 1 }, .name = "lb1" };
	struct bench bench;

	if (size == 0)
		return 0;
	secret.length = SESSION_SECRET_LEAST;
	bench_open(&bench);
	link_begin(&bench.link, bench.share, false, &secret, &own, START);
	if (data[0] % 2 == 0)
		receive_raw(&bench, data + 1, size - 1);
	else
		receive_frames(&bench, &secret, data + 1, size - 1);
	insist(tables_check(&bench.tables) <= TABLES_FLOWS * INTAKE_SHARE / 100 + 1, "a peer does not fill the table");
	bench_close(&bench);
	return 0;
}
