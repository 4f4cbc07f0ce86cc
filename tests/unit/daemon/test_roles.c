/* SPDX-License-Identifier: ISC */
/*
 * Roles of a director: what an order, a peer, and a pause make it do, with a file for the source and a time that is
 * given.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "daemon/director.h"
#include "daemon/interfaces.h"
#include "daemon/readiness.h"
#include "daemon/role_source.h"
#include "daemon/roles.h"

#define ROLE_PLACE "role.test"
#define READY_PLACE "ready.test"

Suite *roles_suite(void);

static struct director director;
static struct interfaces interfaces;
static struct roles *roles;
static uint64_t now;
static size_t sent;

static void
count_frame(void *context UNUSED, const struct frame *frame UNUSED)
{
	sent++;
}

static void
apply(const char *more)
{
	char text[1000], here[ROLE_PATH];
	struct errlist *errors = errlist_new();
	struct conf conf;
	FILE *in;

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here) - 20));
	(void)snprintf(text, sizeof(text), "[dsrd]\ninterface = eth0\nrole = file %s/" ROLE_PLACE
	    "\npeer-mac = 02:00:00:00:00:b2\n"
	    "linger = 30s\n%s[service web]\nlisten = 192.0.2.10 tcp/80\ncheck = none\nvip-check = off\n"
	    "server = web1 192.0.2.11 mac=02:00:00:00:00:11\n", here, more);
	in = fmemopen(text, strlen(text), "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_msg(conf_read(in, "test", &conf, errors) == 0, "%s", errlist_count(errors) > 0 ?
	    errlist_text(errors, 0) : "?");
	(void)fclose(in);
	ck_assert_int_eq(director_apply(&director, &conf.settings, now), 0);
	conf_clear(&conf);
	errlist_free(errors);
}

static void
settle(void *context UNUSED, uint64_t when)
{
	roles_apply(roles, when);
}

static void
setup(void)
{
	static const struct siphash_key key = { { 1, 2, 3 } };
	const struct frame_tx tx = { count_frame, NULL, NULL };
	struct iface *iface;
	char error[256];

	(void)unlink(ROLE_PLACE);
	memset(&interfaces, 0, sizeof(interfaces));
	now = SECONDS(1000);
	ck_assert_int_eq(director_init(&director, 1024, &key, &tx, error, sizeof(error)), 0);
	director.live = true;
	iface = &director.ifaces[director_iface(&director, "eth0")];
	iface->up = true;
	iface->mac = (struct mac) { { 2, 0, 0, 0, 0, 0xb1 } };
	iface->address_count = 1;
	ck_assert_int_eq(addr_parse("192.0.2.1", &iface->addresses[0].addr), 0);
	iface->addresses[0].length = 24;
	interfaces.director = &director;
	roles = roles_new(&director, &interfaces, READY_PLACE);
	ck_assert_ptr_nonnull(roles);
	director.settled = settle;
	apply("");
}

static void
teardown(void)
{
	roles_free(roles);
	director_clear(&director);
	(void)unlink(ROLE_PLACE);
	(void)unlink(READY_PLACE);
}

/* The heartbeats of so much time. */
static void
pass(uint64_t time)
{
	for (const uint64_t end = now + time; now < end;) {
		now += MILLISECONDS(250);
		roles_look(roles, now);
		roles_tick(roles, now);
		forward_announce(&director.forwarder, now);
	}
}

static const char *
role(void)
{
	return role_name(roles_status(roles)[0].role.state);
}

static void
order(const char *word)
{
	FILE *out = fopen(ROLE_PLACE, "w");

	ck_assert_ptr_nonnull(out);
	(void)fputs(word, out);
	ck_assert_int_eq(fclose(out), 0);
	pass(MILLISECONDS(250));
}

static int
ready_number(void)
{
	FILE *in = fopen(READY_PLACE, "r");
	int number = 1;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(fscanf(in, "%d", &number), 1);
	(void)fclose(in);
	return number;
}

static void
claim(const struct mac *mac)
{
	struct addr vip;

	ck_assert_int_eq(addr_parse("192.0.2.10", &vip), 0);
	role_claim_note(mac->bytes[5] == 0xb2 ? &director.forwarder.peers[0] : &director.forwarder.others[0], 0, mac,
	    &vip, true,
	    now);
}

static const struct mac peer = { { 2, 0, 0, 0, 0, 0xb2 } }, stranger = { { 2, 0, 0, 0, 0, 0x77 } };

START_TEST(a_standby_takes_over_and_gives_up)
{
	ck_assert_uint_eq(director.forwarder.duties[0], 0);
	ck_assert_uint_eq(sent, 0);
	pass(SECONDS(1));
	ck_assert_str_eq(role(), "standby");
	ck_assert(roles_status(roles)[0].ready);
	ck_assert_int_eq(ready_number(), 0);
	sent = 0;
	order("active\n");
	ck_assert_str_eq(role(), "active");
	ck_assert(roles_is_active(roles, 0));
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_ANSWERS | ROLE_FORWARDS);
	ck_assert_uint_ge(sent, 1);
	pass(SECONDS(8));
	/* Its rounds are over, and the next reminder is not yet due. */
	ck_assert_uint_eq(director.forwarder.stats.announcements, 9);
	order("standby\n");
	ck_assert_str_eq(role(), "lingering");
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_FORWARDS);
	ck_assert(director.model->vips[0].silent);
	pass(SECONDS(31));
	ck_assert_str_eq(role(), "standby");
	ck_assert_uint_eq(director.forwarder.duties[0], 0);
	/* Flows in the kernel are decided again: none is forwarded. */
	ck_assert(director.forget && director.stale);
}
END_TEST

/* An order during a takeover ends the announcements. */
START_TEST(announcements_end_with_the_role)
{
	pass(SECONDS(1));
	order("active\n");
	order("standby\n");
	sent = 0;
	pass(SECONDS(8));
	ck_assert_uint_eq(sent, 0);
}
END_TEST

START_TEST(reminders)
{
	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(61));
	ck_assert_uint_eq(director.forwarder.stats.announcements, 9 + 3);
}
END_TEST

START_TEST(commands_are_written_to_the_file)
{
	pass(SECONDS(1));
	ck_assert_int_eq(roles_order(roles, 0, ROLE_ORDER_ACTIVE, "test", now), 0);
	ck_assert_str_eq(role(), "active");
	ck_assert_int_eq(role_source_read(&director.model->roles.groups[0]), ROLE_ORDER_ACTIVE);
	pass(SECONDS(2));
	ck_assert_str_eq(role(), "active");
	ck_assert_int_eq(roles_order(roles, 0, ROLE_ORDER_OBSERVE, "test", now), 0);
	ck_assert_str_eq(role(), "observe");
	pass(SECONDS(1));
	ck_assert_int_eq(ready_number(), READY_NOT);
	order("nonsense\n");
	ck_assert_str_eq(role(), "observe");
}
END_TEST

/* The rounds of another director's takeover, 100 ms apart. */
START_TEST(the_first_of_two_yields)
{
	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(10));
	claim(&peer);
	pass(MILLISECONDS(250));
	/* Once is a reminder: it is reported, and answered by one. */
	ck_assert_str_eq(role(), "active");
	ck_assert(mac_equal(&roles_status(roles)[0].rival, &peer));
	claim(&peer);
	pass(MILLISECONDS(250));
	ck_assert_str_eq(role(), "yielded");
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_FORWARDS);
	/* As long as the peer answers. */
	for (unsigned i = 0; i < 10; i++) {
		pass(SECONDS(2));
		claim(&peer);
	}
	ck_assert_str_eq(role(), "yielded");
	pass(SECONDS(3));
	ck_assert_str_eq(role(), "yielded");
	pass(SECONDS(1));
	ck_assert_str_eq(role(), "active");
}
END_TEST

/* Both at once: the lower MAC address, ours, yields when the peer is heard after the first six seconds. */
START_TEST(both_at_once)
{
	pass(SECONDS(1));
	order("active\n");
	claim(&peer);
	pass(MILLISECONDS(250));
	claim(&peer);
	pass(SECONDS(7));
	ck_assert_str_eq(role(), "active");
	claim(&peer);
	pass(MILLISECONDS(250));
	ck_assert_str_eq(role(), "yielded");
}
END_TEST

/* What has no MAC address of a peer is a conflict, not a director. */
START_TEST(strangers_do_not_count)
{
	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(10));
	claim(&stranger);
	pass(MILLISECONDS(250));
	claim(&stranger);
	pass(MILLISECONDS(250));
	ck_assert_str_eq(role(), "active");
	ck_assert(mac_is_zero(&roles_status(roles)[0].rival));
}
END_TEST

/* Stopped for ten seconds: silent before any frame is looked at, until the file was read and half a second passed. */
START_TEST(a_pause)
{
	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(10));
	now += SECONDS(10);
	roles_look(roles, now);
	ck_assert_str_eq(role_name(roles_status(roles)[0].role.state), "starting");
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_FORWARDS);
	pass(MILLISECONDS(250));
	ck_assert_str_eq(role(), "starting");
	pass(MILLISECONDS(500));
	ck_assert_str_eq(role(), "active");
}
END_TEST

START_TEST(a_pause_in_which_another_took_over)
{
	FILE *out;

	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(10));
	out = fopen(ROLE_PLACE, "w");
	ck_assert_ptr_nonnull(out);
	(void)fputs("standby\n", out);
	ck_assert_int_eq(fclose(out), 0);
	sent = 0;
	now += SECONDS(10);
	roles_look(roles, now);
	pass(SECONDS(5));
	ck_assert_str_eq(role(), "lingering");
	ck_assert_uint_eq(sent, 0);
}
END_TEST

/* Without `role`, pauses and claims mean nothing; with it again at a reload, it is a standby. */
START_TEST(alone)
{
	struct errlist *errors = errlist_new();
	static const char text[] = "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 tcp/80\ncheck = none\n"
	    "server = web1 192.0.2.11 mac=02:00:00:00:00:11\n";
	FILE *in = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
	struct conf conf;

	pass(SECONDS(1));
	ck_assert_str_eq(role(), "standby");
	sent = 0;
	ck_assert_int_eq(conf_read(in, "test", &conf, errors), 0);
	(void)fclose(in);
	ck_assert_int_eq(director_apply(&director, &conf.settings, now), 0);
	conf_clear(&conf);
	errlist_free(errors);
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_ANSWERS | ROLE_FORWARDS);
	ck_assert_uint_ge(sent, 1);
	now += SECONDS(10);
	roles_look(roles, now);
	ck_assert_uint_eq(director.forwarder.duties[0], ROLE_ANSWERS | ROLE_FORWARDS);
	ck_assert_uint_eq(roles_due(roles), UINT64_MAX);
	apply("");
	pass(SECONDS(2));
	ck_assert_uint_eq(director.forwarder.duties[0] & ROLE_ANSWERS, 0);
}
END_TEST

/* The table of flows comes from a peer: until it is there, the director waits for ten seconds at most. */
START_TEST(the_table_is_waited_for)
{
	roles_set_table(roles, false, "the flows of lb2 have not come yet");
	pass(SECONDS(2));
	ck_assert_str_eq(role(), "warming");
	ck_assert_str_eq(roles_status(roles)[0].unready, "the flows of lb2 have not come yet");
	order("active\n");
	ck_assert_str_eq(role(), "warming");
	roles_set_table(roles, true, "");
	pass(MILLISECONDS(250));
	ck_assert_str_eq(role(), "active");
}
END_TEST

/* lb2 says that. */
static void
hear(enum role_state state, uint64_t epoch, bool wins_ties)
{
	const struct role_word word = { .group = "main", .state = state, .epoch = epoch };
	const struct role_peer lb2 = { "lb2", wins_ties, { { 2, 0, 0, 0, 0, 0xb2 } }, &word, 1 };

	roles_hear(roles, &lb2, now);
}

static struct role_word
own_word(void)
{
	struct role_word words[ROLE_GROUPS];

	ck_assert_uint_eq(roles_words(roles, words), 1);
	ck_assert_str_eq(words[0].group, "main");
	return words[0];
}

/* Of two active directors the one that became active later goes on, and announces again when the other has yielded. */
START_TEST(the_later_word_wins)
{
	order("active\n");
	ck_assert_uint_eq(own_word().epoch, 1);
	pass(SECONDS(8));
	sent = 0;
	hear(ROLE_ACTIVE, 1, true);
	ck_assert_str_eq(role(), "active");
	pass(MILLISECONDS(250));
	ck_assert_uint_eq(roles_status(roles)[0].rival.bytes[5], 0xb2);
	hear(ROLE_YIELDED, 1, true);
	pass(SECONDS(1));
	ck_assert_str_eq(role(), "active");
	ck_assert_uint_ge(sent, 3);
	hear(ROLE_ACTIVE, 2, true);
	ck_assert_str_eq(role(), "yielded");
	ck_assert_uint_eq(own_word().epoch, 2);
	/* While it says so this director stays silent; then it is the one that was ordered. */
	for (unsigned i = 0; i < 20; i++) {
		pass(MILLISECONDS(500));
		hear(ROLE_ACTIVE, 2, true);
	}
	ck_assert_str_eq(role(), "yielded");
	hear(ROLE_LINGERING, 2, true);
	ck_assert_str_eq(role(), "active");
	ck_assert_uint_eq(own_word().epoch, 3);
	/* An order is a later word than all before. */
	hear(ROLE_ACTIVE, 7, true);
	ck_assert_str_eq(role(), "yielded");
	ck_assert_int_eq(roles_order(roles, 0, ROLE_ORDER_ACTIVE, "test", now), 0);
	ck_assert_uint_eq(own_word().epoch, 8);
	hear(ROLE_ACTIVE, 7, true);
	ck_assert_str_eq(role(), "active");
	/* Another peer's end is none of this one's. */
	hear(ROLE_ACTIVE, 8, false);
	ck_assert_str_eq(role(), "yielded");
}
END_TEST

/* A director that was stopped does not become active again when a peer did meanwhile. */
START_TEST(a_paused_one_hears_the_peer)
{
	order("active\n");
	now += SECONDS(10);
	roles_look(roles, now);
	ck_assert_str_eq(role_name(roles_status(roles)[0].role.state), "starting");
	hear(ROLE_ACTIVE, 2, true);
	ck_assert_str_eq(role(), "yielded");
	hear(ROLE_STANDBY, 2, true);
	ck_assert_str_eq(role(), "active");
	/* After a pause without a rival it is as active as before. */
	ck_assert_uint_eq(own_word().epoch, 3);
	now += SECONDS(10);
	pass(SECONDS(2));
	ck_assert_str_eq(role(), "active");
	ck_assert_uint_eq(own_word().epoch, 3);
}
END_TEST

START_TEST(the_table_is_not_waited_for_forever)
{
	roles_set_table(roles, false, "no");
	order("active\n");
	pass(SECONDS(9));
	ck_assert_str_eq(role(), "warming");
	pass(SECONDS(2));
	ck_assert_str_eq(role(), "active");
}
END_TEST

/*
 * A conflict that began while the director was active ends while it is none: the VIP is the other director's to
 * announce.
 */
START_TEST(a_conflict_ends_at_a_standby)
{
	struct arp arp = { .operation = ARP_REQUEST, .sender_mac = stranger };

	ck_assert_int_eq(addr_parse("192.0.2.10", &arp.sender), 0);
	arp.target = arp.sender;
	pass(SECONDS(1));
	order("active\n");
	pass(SECONDS(8));
	conflict_receive_arp(&director.forwarder.conflicts, 0, &arp, true, now);
	director_tick(&director, now);
	director_refresh(&director);
	order("standby\n");
	sent = 0;
	for (unsigned second = 0; second < 100; second++) {
		pass(SECONDS(1));
		director_tick(&director, now);
	}
	ck_assert_uint_eq(sent, 0);
	/* The same, while it is active: it announces. */
	order("active\n");
	pass(SECONDS(8));
	conflict_receive_arp(&director.forwarder.conflicts, 0, &arp, true, now);
	director_tick(&director, now);
	sent = 0;
	for (unsigned second = 0; second < 65; second++) {
		pass(SECONDS(1));
		director_tick(&director, now);
	}
	/* Reminders, and a whole takeover. */
	ck_assert_uint_ge(sent, 9);
}
END_TEST

START_TEST(readiness)
{
	struct server *server = director.model->services[0]->servers[0];
	struct iface *iface = &director.ifaces[0];
	char why[ROLE_REASON];

	ck_assert(readiness_of(director.model, director.ifaces, 0, false, why));
	iface->up = false;
	ck_assert(!readiness_of(director.model, director.ifaces, 0, true, why));
	ck_assert_str_eq(why, "interface eth0: no link");
	iface->up = true;
	server->mac = mac_zero;
	ck_assert(!readiness_of(director.model, director.ifaces, 0, false, why));
	ck_assert_str_eq(why, "the MAC address of web/web1 is not known yet");
	ck_assert(!readiness_of(director.model, director.ifaces, 0, true, why));
	ck_assert_str_eq(why, "no server is up");
	/* A group without services has nothing to wait for. */
	ck_assert(readiness_of(director.model, director.ifaces, 3, false, why));
}
END_TEST

Suite *
roles_suite(void)
{
	Suite *suite = suite_create("roles");
	TCase *tcase = tcase_create("roles");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_standby_takes_over_and_gives_up);
	tcase_add_test(tcase, announcements_end_with_the_role);
	tcase_add_test(tcase, reminders);
	tcase_add_test(tcase, commands_are_written_to_the_file);
	tcase_add_test(tcase, the_first_of_two_yields);
	tcase_add_test(tcase, both_at_once);
	tcase_add_test(tcase, strangers_do_not_count);
	tcase_add_test(tcase, a_pause);
	tcase_add_test(tcase, a_pause_in_which_another_took_over);
	tcase_add_test(tcase, alone);
	tcase_add_test(tcase, the_table_is_waited_for);
	tcase_add_test(tcase, the_later_word_wins);
	tcase_add_test(tcase, a_paused_one_hears_the_peer);
	tcase_add_test(tcase, the_table_is_not_waited_for_forever);
	tcase_add_test(tcase, a_conflict_ends_at_a_standby);
	tcase_add_test(tcase, readiness);
	suite_add_tcase(suite, tcase);
	return suite;
}
