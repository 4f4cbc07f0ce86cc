/* SPDX-License-Identifier: ISC */
/* Two directors with sockets between them, in one event loop, at 127.0.0.1 and 127.0.0.2; and strangers. */
#include "config.h"

#include "peer/peers.h"
#include "peer/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "../scene/scene.h"
#include "base/clock.h"
#include "proto/packet.h"
#include "suites.h"

#define FLOWS 300
#define FIRST 20000
#define PATIENCE SECONDS(20) /* a busy machine */
#define STRANGERS 12

struct side {
	struct scene scene;
	struct share *share;
	int listener;
	struct peers *peers;
	struct peers_settings settings;
};

struct net {
	struct event_base *base;
	struct side sides[2];
};

static void
nothing(void *context)
{
	(void)context;
}

static void
no_order(void *context, struct server *server, const struct wire_order *order)
{
	(void)context;
	(void)server;
	(void)order;
}

static void
ignore_state(void *context UNUSED, size_t index UNUSED)
{
}

static const struct peers_calls calls = { nothing, nothing, no_order, ignore_state };

/* A port that is free at all addresses, below the range of clients: other tests run meanwhile. */
static uint16_t
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port = (uint16_t)(20000 + getpid() % 10000);

	ck_assert_int_ne(fd, -1);
	for (address.sin_port = htons(port); bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1;
	    address.sin_port = htons(port))
		port++;
	(void)close(fd);
	return port;
}

static void
side_open(struct side *side, unsigned index, uint16_t port)
{
	struct service_settings *web;
	struct peers_settings *settings = &side->settings;

	scene_open(&side->scene);
	side->scene.now = clock_us();
	web = scene_add_service(&side->scene, "web", PROTOCOL_TCP, 80, "wlc");
	web->sync = SYNC_ALL;
	for (unsigned i = 1; i <= 3; i++)
		scene_add_server(web, i, 1, false);
	scene_apply(&side->scene);
	side->scene.discards = true;
	side->share = share_new(side->scene.model, side->scene.forwarder.conns, side->scene.forwarder.persist);
	ck_assert_ptr_nonnull(side->share);
	share_update(side->share, side->scene.table, 1, 2);
	(void)snprintf(settings->name, sizeof(settings->name), "lb%u", index + 1);
	(void)snprintf(settings->peers[0].name, sizeof(settings->peers[0].name), "lb%u", 2 - index);
	settings->listen = scene_addr(index == 0 ? "127.0.0.1" : "127.0.0.2");
	settings->peers[0].addr = scene_addr(index == 0 ? "127.0.0.2" : "127.0.0.1");
	settings->port = settings->peers[0].port = port;
	settings->count = 1;
	settings->secret.length = SESSION_SECRET_LEAST;
	memset(settings->secret.bytes, 'k', SESSION_SECRET_LEAST);
}

static void
side_start(struct net *net, unsigned index)
{
	struct side *side = &net->sides[index];
	char error[PEERS_ERROR];

	side->listener = peer_socket_listen(&side->settings.listen, side->settings.port);
	ck_assert_int_ne(side->listener, -1);
	side->peers = peers_open(net->base, &side->settings, side->listener, side->share, &calls, side, error);
	ck_assert_msg(side->peers != NULL, "%s", error);
}

static void
side_stop(struct side *side)
{
	if (side->peers == NULL)
		return;
	peers_close(side->peers);
	side->peers = NULL;
	(void)close(side->listener);
}

static void
net_open(struct net *net)
{
	const uint16_t port = free_port();

	memset(net, 0, sizeof(*net));
	net->base = event_base_new();
	ck_assert_ptr_nonnull(net->base);
	for (unsigned i = 0; i < 2; i++)
		side_open(&net->sides[i], i, port);
}

static void
net_close(struct net *net)
{
	for (unsigned i = 0; i < 2; i++) {
		side_stop(&net->sides[i]);
		share_free(net->sides[i].share);
		scene_close(&net->sides[i].scene);
	}
	event_base_free(net->base);
}

static struct peer_facts
facts_of(const struct net *net, unsigned index)
{
	struct peer_facts facts;

	peers_facts(net->sides[index].peers, 0, &facts);
	return facts;
}

static void
turn(struct net *net)
{
	(void)event_base_loop(net->base, EVLOOP_NONBLOCK);
	(void)usleep(500);
	for (unsigned i = 0; i < 2; i++)
		if (net->sides[i].peers != NULL)
			peers_tick(net->sides[i].peers, clock_us());
}

static bool
both_complete(const struct net *net)
{
	return facts_of(net, 0).complete && facts_of(net, 1).complete;
}

/* Until the condition holds. */
static void
run_until(struct net *net, bool (*holds)(const struct net *net))
{
	const uint64_t end = clock_us() + PATIENCE;

	while (!holds(net)) {
		must(clock_us() < end, "it does not come to that: \"%s\", \"%s\"",
		    net->sides[0].peers == NULL ? "-" : facts_of(net, 0).fault,
		    net->sides[1].peers == NULL ? "-" : facts_of(net, 1).fault);
		turn(net);
	}
}

static void
begin_flows(struct side *side)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		(void)scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(FIRST + i), .flags = TCP_SYN,
		    .sequence = 1000 });
		(void)scene_send(&side->scene, &(struct shape) { .from_port = (uint16_t)(FIRST + i), .flags = TCP_ACK,
		    .sequence = 1000, .acknowledgement = 5000 });
	}
}

static bool
all_held(const struct net *net)
{
	return facts_of(net, 1).held == FLOWS;
}

START_TEST(test_two_directors)
{
	struct net net;

	net_open(&net);
	begin_flows(&net.sides[0]);
	side_start(&net, 1);
	ck_assert(!peers_have_told(net.sides[1].peers));
	side_start(&net, 0);
	run_until(&net, both_complete);
	ck_assert(peers_have_told(net.sides[1].peers));
	run_until(&net, all_held);
	ck_assert_uint_eq(conn_table_count(net.sides[1].scene.forwarder.conns), FLOWS);
	ck_assert_uint_eq(facts_of(&net, 0).shared, FLOWS);
	ck_assert_uint_eq(facts_of(&net, 1).sessions, 1);
	ck_assert_str_eq(facts_of(&net, 1).fault, "");
	net_close(&net);
}
END_TEST

static bool
first_is_down(const struct net *net)
{
	return !facts_of(net, 1).up && facts_of(net, 1).fault[0] != '\0';
}

static bool
second_session(const struct net *net)
{
	return both_complete(net) && facts_of(net, 1).sessions == 2;
}

/* One of them ends, and comes back as another process. */
START_TEST(test_back_again)
{
	struct net net;

	net_open(&net);
	side_start(&net, 1);
	side_start(&net, 0);
	run_until(&net, both_complete);
	side_stop(&net.sides[0]);
	run_until(&net, first_is_down);
	ck_assert_str_eq(facts_of(&net, 1).fault, "it closed the connection");
	ck_assert(peers_have_told(net.sides[1].peers));
	side_start(&net, 0);
	run_until(&net, second_session);
	net_close(&net);
}
END_TEST

static bool
is_refused(const struct net *net)
{
	return peers_refused(net->sides[1].peers) > 0 && facts_of(net, 0).fault[0] != '\0';
}

START_TEST(test_wrong_key)
{
	struct net net;

	net_open(&net);
	net.sides[0].settings.secret.bytes[0]++;
	begin_flows(&net.sides[0]);
	side_start(&net, 1);
	side_start(&net, 0);
	run_until(&net, is_refused);
	ck_assert(!facts_of(&net, 0).up);
	ck_assert(!facts_of(&net, 1).up);
	ck_assert_uint_eq(conn_table_count(net.sides[1].scene.forwarder.conns), 0);
	net_close(&net);
}
END_TEST

static int
stranger(const struct net *net, const char *from)
{
	struct sockaddr_in own = { .sin_family = AF_INET }, to = own;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(inet_pton(AF_INET, from, &own.sin_addr), 1);
	ck_assert_int_eq(inet_pton(AF_INET, "127.0.0.2", &to.sin_addr), 1);
	to.sin_port = htons(net->sides[1].settings.port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The director has closed it, without a word. */
static void
assert_closed(struct net *net, int fd)
{
	const uint64_t end = clock_us() + PATIENCE;
	char byte;
	ssize_t got = -1;

	while (got == -1 && clock_us() < end) {
		turn(net);
		got = recv(fd, &byte, 1, MSG_DONTWAIT);
		if (got == -1 && errno == ECONNRESET)
			got = 0;
	}
	ck_assert_int_eq(got, 0);
	(void)close(fd);
}

/* From another address, with garbage, and more of them than there is room for: the peer still gets through. */
START_TEST(test_strangers)
{
	int fds[STRANGERS];
	struct net net;

	net_open(&net);
	side_start(&net, 1);
	assert_closed(&net, stranger(&net, "127.0.0.3"));
	fds[0] = stranger(&net, "127.0.0.1");
	ck_assert_int_eq(send(fds[0], "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	assert_closed(&net, fds[0]);
	ck_assert_uint_eq(peers_refused(net.sides[1].peers), 2);
	for (unsigned i = 0; i < STRANGERS; i++)
		fds[i] = stranger(&net, "127.0.0.1");
	for (unsigned i = 0; i < STRANGERS * 4; i++)
		turn(&net);
	ck_assert_uint_ge(peers_refused(net.sides[1].peers), 2 + STRANGERS - 8);
	for (unsigned i = 0; i < STRANGERS; i++)
		(void)close(fds[i]);
	side_start(&net, 0);
	run_until(&net, both_complete);
	net_close(&net);
}
END_TEST

Suite *
peers_suite(void)
{
	Suite *suite = suite_create("peers");
	TCase *tcase = tcase_create("sockets");

	tcase_add_test(tcase, test_two_directors);
	tcase_add_test(tcase, test_back_again);
	tcase_add_test(tcase, test_wrong_key);
	tcase_add_test(tcase, test_strangers);
	suite_add_tcase(suite, tcase);
	return suite;
}
