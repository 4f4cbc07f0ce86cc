/* SPDX-License-Identifier: ISC */
/* Each subscriber gets a change of state once, with the previous state and the cause. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/errlist.h"
#include "conf/conf.h"
#include "daemon/director.h"

#define TOLD_MOST 16

struct told {
	char lines[TOLD_MOST][256];
	size_t count;
};

static struct director director;
static struct told told;

static void
note(void *context, const struct state_change *change)
{
	struct told *to = context;
	char name[SERVER_NAME_TEXT];

	ck_assert_uint_lt(to->count, TOLD_MOST);
	if (change->kind != CHANGE_STATE) {
		snprintf(to->lines[to->count++], sizeof(to->lines[0]), "%s %s", change->server != NULL ?
		    server_name(change->server, name) : change->service->settings.name,
		    change->kind == CHANGE_PORTS ? "ports" : "quorum");
		return;
	}
	snprintf(to->lines[to->count++], sizeof(to->lines[0]), "%s %s>%s %s",
	    change->server != NULL ? server_name(change->server, name) : change->service->settings.name, change->from,
	    change->to, change->cause != NULL ? change->cause : "-");
}

static void
ignore(void *context UNUSED, const struct frame *frame UNUSED)
{
}

static unsigned
take_nothing(void *context UNUSED, uint16_t iface UNUSED)
{
	return 0;
}

/* One service, web, whose server lines are `servers`. */
static void
apply(const char *servers, uint64_t now)
{
	struct errlist *errors = errlist_new();
	char text[1024];
	struct conf conf;
	FILE *in;

	ck_assert_ptr_nonnull(errors);
	snprintf(text, sizeof(text), "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 tcp/80\ncheck = "
	    "tcp\n"
	    "rise = 1\nfall = 1\nvip-check = off\n%s", servers);
	in = fmemopen(text, strlen(text), "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(conf_read(in, "test", &conf, errors), 0);
	(void)fclose(in);
	ck_assert_int_eq(director_apply(&director, &conf.settings, now), 0);
	conf_clear(&conf);
	errlist_free(errors);
}

static void
setup(void)
{
	static const struct siphash_key key = { { 1, 2, 3 } };
	const struct frame_tx tx = { ignore, NULL, take_nothing };
	char error[256];

	ck_assert_int_eq(director_init(&director, 1024, &key, &tx, error, sizeof(error)), 0);
	memset(&told, 0, sizeof(told));
	change_subscribe(&director.changes, note, &told);
	director.live = true;
	director.ifaces[director_iface(&director, "eth0")].up = true;
	apply("server = web1 192.0.2.101 mac=02:00:00:00:00:11\nserver = web2 192.0.2.102 mac=02:00:00:00:00:12\n",
	    SECONDS(1));
}

static void
teardown(void)
{
	director_clear(&director);
}

static struct server *
server_of(const char *name)
{
	struct server *server = model_find(director.model, name);

	ck_assert_ptr_nonnull(server);
	return server;
}

static void
answer(const char *name, enum health_reason reason, uint64_t now)
{
	const struct check_report report = { .reason = reason, .weight = CHECK_NO_WEIGHT, .detail = "tcp/80" };

	director.now = now;
	director_health(&director, server_of(name), 0, &report, now);
}

/* The lines since the last call. */
static void
assert_told(const char *expected)
{
	char all[2048] = "";

	for (size_t i = 0; i < told.count; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? "; " : "", told.lines[i]);
	ck_assert_str_eq(all, expected);
	told.count = 0;
}

START_TEST(test_check)
{
	assert_told("");
	answer("web/web1", HEALTH_REASON_NONE, SECONDS(2));
	assert_told("web/web1 unknown>up check succeeded");
	ck_assert(director.stale);
	director_refresh(&director);
	assert_told("web unknown>up -");
	ck_assert(!director.stale);
	ck_assert_uint_eq(server_of("web/web1")->since, SECONDS(2));
	/* The same again is no change. */
	answer("web/web1", HEALTH_REASON_NONE, SECONDS(3));
	director_refresh(&director);
	assert_told("");
	answer("web/web1", HEALTH_REASON_TIMEOUT, SECONDS(4));
	assert_told("web/web1 up>down check succeeded");
	ck_assert_uint_eq(server_of("web/web1")->changes, 2);
}
END_TEST

START_TEST(test_operator)
{
	const struct admin_author author = { .user = 0 };

	answer("web/web1", HEALTH_REASON_NONE, SECONDS(2));
	director_refresh(&director);
	told.count = 0;
	ck_assert(director_set_admin(&director, server_of("web/web1"), ADMIN_DISABLED, &author));
	assert_told("web/web1 up>disabled disabled by an operator");
	ck_assert(!director_set_admin(&director, server_of("web/web1"), ADMIN_DISABLED, &author));
	assert_told("");
}
END_TEST

/* A reload is published without a cause, so that the log has no line. */
START_TEST(test_reload)
{
	answer("web/web1", HEALTH_REASON_NONE, SECONDS(2));
	director_refresh(&director);
	told.count = 0;
	apply("server = web1 192.0.2.101 mac=02:00:00:00:00:11 weight=0\nserver = web2 192.0.2.102 "
	    "mac=02:00:00:00:00:12\n",
	    SECONDS(3));
	assert_told("web/web1 up>draining -");
	ck_assert_uint_eq(server_of("web/web1")->changes, 1);
	ck_assert_uint_eq(server_of("web/web1")->since, SECONDS(3));
}
END_TEST

/* A quorum and the ports of a server are events like states: published when they change, once. */
START_TEST(test_quorum_and_ports)
{
	struct vip_fault fault = { .scope = FAULT_PORT, .protocol = PROTOCOL_TCP, .port = 443, .name = "not-listening",
		.sentence = "no program listens" };
	struct server *server;

	apply("listen = 192.0.2.10 tcp/443\nquorum = 2\nserver = web1 192.0.2.101 mac=02:00:00:00:00:11\n"
	    "server = web2 192.0.2.102 mac=02:00:00:00:00:12\n", SECONDS(2));
	answer("web/web1", HEALTH_REASON_NONE, SECONDS(3));
	answer("web/web2", HEALTH_REASON_NONE, SECONDS(3));
	director_refresh(&director);
	told.count = 0;
	server = server_of("web/web1");
	fault.vip = server->service->settings.listens[0].vip;
	server->vip_faults = &fault;
	server_update_ports(server);
	director_changed(&director, server, "the VIP check", "vip tcp");
	assert_told("web/web1 ports");
	director_changed(&director, server, "the VIP check", "vip tcp");
	assert_told("");
	server->vip_faults = NULL;
	server_update_ports(server);
	director_changed(&director, server, "the VIP check", "vip tcp");
	assert_told("web/web1 ports");
	director_refresh(&director);
	assert_told("");
	answer("web/web2", HEALTH_REASON_TIMEOUT, SECONDS(4));
	director_refresh(&director);
	assert_told("web/web2 up>down check succeeded; web quorum; web up>down -");
	answer("web/web2", HEALTH_REASON_NONE, SECONDS(5));
	director_refresh(&director);
	assert_told("web/web2 down>up check succeeded; web quorum; web down>up -");
}
END_TEST

/* Two changes between two compilations of the table are both published, to all subscribers. */
START_TEST(test_subscribers)
{
	struct told second = { .count = 0 };

	change_subscribe(&director.changes, note, &second);
	answer("web/web2", HEALTH_REASON_NONE, SECONDS(2));
	answer("web/web2", HEALTH_REASON_TIMEOUT, SECONDS(2));
	assert_told("web/web2 unknown>up check succeeded; web/web2 up>down check succeeded");
	ck_assert_uint_eq(second.count, 2);
}
END_TEST

Suite *change_suite(void);

Suite *
change_suite(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("director");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_check);
	tcase_add_test(tcase, test_operator);
	tcase_add_test(tcase, test_reload);
	tcase_add_test(tcase, test_quorum_and_ports);
	tcase_add_test(tcase, test_subscribers);
	suite_add_tcase(suite, tcase);
	return suite;
}
