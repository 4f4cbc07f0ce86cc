/* SPDX-License-Identifier: ISC */
/* The metrics and the status of a small director, whole. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "ctl/report.h"
#include "suites.h"
#include "web/metrics.h"

static struct conf conf;
static struct model *model;
static struct problems *problems;
static struct forwarder forwarder;
static struct iface iface = { .name = "eth0", .mtu = 1500, .up = true };
static struct report_iface ifaces[1] = { { &iface, true, 10, 2, 9, 1, "tc", "" } };
static struct report_facts facts;
static char *text;
static size_t length;

static void
conflict_neighbor(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *before UNUSED)
{
}

static void
setup(void)
{
	static char file[] = "[dsrd]\ninterface = eth0\nconnections = 1000\n[service web]\nlisten = 192.0.2.10 tcp/80\n"
	    "check = none\nvip-check = off\nserver = web1 192.0.2.11 weight=3 mac=02:00:00:00:00:11\n"
	    "server = web2 192.0.2.12 mac=02:00:00:00:00:12\n";
	const struct siphash_key key = { { 0 } };
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen(file, strlen(file), "r");
	char error[100];

	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	fclose(in);
	errlist_free(errors);
	model = model_new();
	ck_assert_int_eq(model_apply(model, &conf.settings, SECONDS(1)), 0);
	model_place(model, &iface, 1);
	ck_assert_int_eq(forwarder_init(&forwarder, 1000, &key, conflict_neighbor, NULL, error, sizeof(error)), 0);
	problems = problems_new();
	ck_assert_ptr_nonnull(problems);
	facts = (struct report_facts){ .problems = problems, .now = SECONDS(100), .started = SECONDS(40),
	    .loaded = 1700000000, .model = model,
		.forwarder = &forwarder, .ifaces = ifaces, .iface_count = 1 };
}

static void
teardown(void)
{
	free(text);
	text = NULL;
	forwarder_clear(&forwarder);
	problems_free(problems);
	model_free(model);
	conf_clear(&conf);
}

static const char *
metrics(bool openmetrics)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	for (size_t part = 0; metrics_write(out, &facts, openmetrics, part); part++)
		continue;
	fclose(out);
	return text;
}

static void
has(const char *line)
{
	char whole[300];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(text, whole) != NULL, "there is no line\n%s\nin\n%s", line, text);
}

static struct server *
server(size_t index)
{
	return model->services[0]->servers[index];
}

START_TEST(tells_all)
{
	struct server_run *run = server(0)->run;

	run->connections = 7;
	run->active = 2;
	run->inactive = 1;
	run->packets = 100;
	run->bytes = UINT64_MAX;
	run->measure.response_bytes = 4711;
	latency_add(&run->measure.handshake, 90);
	latency_add(&run->measure.handshake, 1000000);
	latency_add(&run->measure.handshake, 9000000);
	server(1)->run->connections = 3;
	model->services[0]->run->limited = 12;
	server(1)->run->active = 4;
	forwarder.stats.dropped[DROP_NO_SERVER] = 5;
	forwarder.stats.frames_split = 6;
	forwarder.stats.unproven_evicted = 8;
	metrics(false);
	has("dsrd_build_info{version=\"" PACKAGE_VERSION "\"} 1");
	has("# TYPE dsrd_build_info gauge");
	has("dsrd_uptime_seconds 60");
	has("dsrd_config_last_reload_successful 1");
	has("dsrd_config_last_reload_success_timestamp_seconds 1700000000");
	has("dsrd_flows 0");
	has("dsrd_flows_unproven 0");
	has("# TYPE dsrd_flows_evicted_total counter");
	has("dsrd_flows_evicted_total 8");
	has("dsrd_service_up{service=\"web\"} 1");
	has("dsrd_service_servers{service=\"web\",state=\"up\"} 2");
	has("dsrd_service_servers{service=\"web\",state=\"disabled\"} 0");
	has("dsrd_service_connections{service=\"web\"} 7");
	has("# TYPE dsrd_service_connections_total counter");
	has("dsrd_service_connections_total{service=\"web\"} 10");
	has("dsrd_service_limited_total{service=\"web\"} 12");
	has("dsrd_server_state{service=\"web\",server=\"web1\",state=\"up\"} 1");
	has("dsrd_server_state{service=\"web\",server=\"web1\",state=\"down\"} 0");
	has("dsrd_server_weight{service=\"web\",server=\"web1\"} 3");
	has("dsrd_server_connections{service=\"web\",server=\"web1\",state=\"inactive\"} 1");
	has("dsrd_server_received_bytes_total{service=\"web\",server=\"web1\"} 18446744073709551615");
	has("dsrd_server_response_bytes_total{service=\"web\",server=\"web1\"} 4711");
	has("dsrd_server_method{service=\"web\",server=\"web1\",method=\"mac\"} 1");
	has("dsrd_server_path_mtu_bytes{service=\"web\",server=\"web1\"} 0");
	has("dsrd_server_path_errors_total{service=\"web\",server=\"web1\"} 0");
	has("# TYPE dsrd_server_handshake_seconds histogram");
	has("dsrd_server_handshake_seconds_bucket{service=\"web\",server=\"web1\",le=\"0.0001\"} 1");
	has("dsrd_server_handshake_seconds_bucket{service=\"web\",server=\"web1\",le=\"1.0\"} 2");
	has("dsrd_server_handshake_seconds_bucket{service=\"web\",server=\"web1\",le=\"+Inf\"} 3");
	has("dsrd_server_handshake_seconds_sum{service=\"web\",server=\"web1\"} 10.000090");
	has("dsrd_server_handshake_seconds_count{service=\"web\",server=\"web1\"} 3");
	has("dsrd_server_checks_total{service=\"web\",server=\"web2\",result=\"failure\"} 0");
	has("dsrd_dropped_packets_total{reason=\"no-server\"} 5");
	has("dsrd_events_total{event=\"frames_split\"} 6");
	has("dsrd_interface_not_sent_packets_total{interface=\"eth0\"} 1");
	has("dsrd_interface_offloaded{interface=\"eth0\"} 1");
	has("dsrd_flows_offloaded 0");
	has("dsrd_capture_dropped_packets_total{interface=\"eth0\"} 2");
	ck_assert_ptr_null(strstr(text, "# EOF"));
}
END_TEST

/* One family of a name, and an end. */
START_TEST(speaks_openmetrics)
{
	metrics(true);
	has("# TYPE dsrd_build info");
	has("# TYPE dsrd_server_checks counter");
	has("# TYPE dsrd_service_connections gauge");
	has("# TYPE dsrd_service_connections_total unknown");
	has("dsrd_server_checks_total{service=\"web\",server=\"web1\",result=\"success\"} 0");
	ck_assert_str_eq(text + length - 6, "# EOF\n");
	ck_assert_ptr_null(strstr(text, "TYPE dsrd_server_checks_total"));
}
END_TEST

START_TEST(escapes_labels)
{
	snprintf(model->services[0]->settings.name, NAME_MOST, "a\"b\\c\nd");
	metrics(false);
	has("dsrd_service_up{service=\"a\\\"b\\\\c\\nd\"} 1");
}
END_TEST

static void
find(enum conflict_kind kind, const char *vip, const char *mac, uint64_t count)
{
	struct conflict *finding = &forwarder.conflicts.list[forwarder.conflicts.count++];

	*finding = (struct conflict){ .kind = kind, .last = SECONDS(99), .count = count };
	ck_assert_int_eq(addr_parse(vip, &finding->vip), 0);
	ck_assert_int_eq(mac_parse(mac, &finding->mac), 0);
}

START_TEST(counts_conflicts_and_bounces)
{
	find(CONFLICT_ANSWERS, "192.0.2.10", "02:00:00:00:00:11", 2);
	find(CONFLICT_SENDS_BACK, "192.0.2.10", "02:00:00:00:00:12", 8);
	find(CONFLICT_ANNOUNCES, "192.0.2.10", "02:00:00:00:00:11", 3);
	find(CONFLICT_ANSWERS, "192.0.2.10", "02:00:00:00:00:77", 1);
	metrics(false);
	has("dsrd_vip_conflicts_total{vip=\"192.0.2.10\",mac=\"02:00:00:00:00:11\"} 5");
	has("dsrd_vip_conflicts_total{vip=\"192.0.2.10\",mac=\"02:00:00:00:00:77\"} 1");
	has("dsrd_bounced_packets_total{service=\"web\",server=\"web1\"} 0");
	has("dsrd_bounced_packets_total{service=\"web\",server=\"web2\"} 8");
	/* Twice the same series would make Prometheus refuse all. */
	ck_assert_ptr_null(strstr(strstr(text, "mac=\"02:00:00:00:00:11\"") + 1, "mac=\"02:00:00:00:00:11\""));
}
END_TEST

/* A server that goes takes none of its service's connections along, or a rate would show a leap. */
START_TEST(services_keep_what_servers_had)
{
	static char file[] = "[dsrd]\ninterface = eth0\n[service web]\nlisten = 192.0.2.10 tcp/80\ncheck = none\n"
	    "server = web2 192.0.2.12\n";
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen(file, strlen(file), "r");
	struct conf next;

	server(0)->run->connections = 7;
	server(1)->run->connections = 3;
	ck_assert_int_eq(conf_read(in, "t", &next, errors), 0);
	ck_assert_int_eq(model_apply(model, &next.settings, SECONDS(2)), 0);
	fclose(in);
	errlist_free(errors);
	conf_clear(&next);
	metrics(false);
	has("dsrd_service_connections_total{service=\"web\"} 10");
	has("dsrd_server_connections_total{service=\"web\",server=\"web2\"} 3");
	ck_assert_ptr_null(strstr(text, "web1"));
}
END_TEST

static char *
page(const char *name)
{
	const char *directory = getenv("SOURCE_DIR");
	char path[500];
	FILE *file;
	char *content = calloc(1, 1 << 20);

	snprintf(path, sizeof(path), "%s/%s", directory != NULL ? directory : ".", name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s is missing", path);
	ck_assert_uint_gt(fread(content, 1, (1 << 20) - 1, file), 0);
	fclose(file);
	return content;
}

START_TEST(each_is_documented)
{
	char *manual = page("man/dsrd-metrics.7.in"), name[METRIC_NAME_TEXT], item[100];
	size_t count = 0;

	metrics(false);
	for (; metrics_name(count, name) != NULL; count++) {
		snprintf(item, sizeof(item), "\n.It Li %s", name);
		ck_assert_msg(strstr(manual, item) != NULL, "dsrd-metrics.7 does not tell of %s", name);
		snprintf(item, sizeof(item), "# HELP %s ", name);
		ck_assert_msg(strstr(text, item) != NULL, "%s is not among the metrics", name);
	}
	ck_assert_uint_gt(count, 20);
	free(manual);
}
END_TEST

static const char *
alive(bool expected)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	ck_assert_int_eq(report_alive(out, &facts), expected);
	fclose(out);
	return text;
}

START_TEST(knows_whether_all_is_served)
{
	ck_assert_str_eq(alive(true), "ok\n");
	server(0)->health.state = HEALTH_DOWN;
	server(0)->health.reason = HEALTH_REASON_TIMEOUT;
	ck_assert_str_eq(alive(true), "ok\n");
	server(1)->mac = mac_zero;
	ck_assert_str_eq(alive(false), "service web has no server for new connections: web1: timeout\n");
	server(1)->mac.bytes[0] = 2;
	server(1)->admin.admin = ADMIN_DISABLED;
	alive(false);
}
END_TEST

/* What the director itself suffers from: a VIP that its kernel holds, and a reload that failed. */
static void
suffer(bool held, const char *reload_error)
{
	struct problem_vip vip = { .holder = "lo", .fix = "ip addr del 192.0.2.10/32 dev lo" };
	const struct problem_facts of = { .held = &vip, .held_count = held, .reload_error = reload_error,
	    .config = "f" };

	ck_assert_int_eq(addr_parse("192.0.2.10", &vip.vip), 0);
	ck_assert_int_eq(problems_update(problems, &of, SECONDS(90), NULL, NULL), 0);
}

static void
status(void)
{
	struct writer *writer;
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &length);
	writer = writer_json(out);
	ck_assert_ptr_nonnull(writer);
	report_status(writer, &facts);
	ck_assert_int_eq(writer_end(writer), 0);
	fclose(out);
}

static void
advised(const char *json)
{
	status();
	ck_assert_msg(strstr(text, json) != NULL, "there is no\n%s\nin\n%s", json, text);
}

START_TEST(advises)
{
	advised("\"advice\":[]");
	server(0)->health.state = HEALTH_DOWN;
	server(0)->health.reason = HEALTH_REASON_TIMEOUT;
	advised("\"advice\":[{\"severity\":\"warning\",\"about\":\"web/web1\",\"what\":\"timeout\","
	    "\"fix\":\"dsrctl doctor web/web1\"}]");
	server(1)->health = server(0)->health;
	advised("\"advice\":[{\"severity\":\"bad\",\"about\":\"web\",\"what\":\"no server takes new connections, "
	    "clients get no "
	    "answer: web1: timeout\",\"fix\":\"dsrctl doctor web\"}]");
	server(0)->health.state = server(1)->health.state = HEALTH_UP;
	find(CONFLICT_ANSWERS, "192.0.2.10", "02:00:00:00:00:11", 2);
	advised("\"about\":\"web/web1 192.0.2.10\",\"what\":\"it answers ARP or neighbor discovery for the VIP");
	advised("\"conflicts\":[{\"kind\":\"answers\"");
	forwarder.conflicts.list[0].last = 0;
	advised("\"advice\":[]");
	advised("\"conflicts\":[]");
	facts.observe = true;
	advised("it only looks on");
	facts.observe = false;
	facts.host = "lb1.example.org";
	advised("\"host\":\"lb1.example.org\"");
}
END_TEST

START_TEST(tells_of_its_own_problems)
{
	alive(true);
	suffer(true, "f:3: no such key");
	ck_assert_str_eq(alive(false), "service web does not reach its clients: this host's own kernel holds the VIP "
	    "192.0.2.10, "
	    "on lo: ip addr del 192.0.2.10/32 dev lo\n");
	advised("\"advice\":[{\"severity\":\"bad\",\"about\":\"192.0.2.10\",\"what\":\"this host's own kernel holds "
	    "the VIP "
	    "192.0.2.10, on lo\",\"fix\":\"ip addr del 192.0.2.10/32 dev "
	    "lo\"},{\"severity\":\"warning\",\"about\":\"director\","
	    "\"what\":\"the last reload failed: f:3: no such key\",\"fix\":\"dsrd -n -f f\"}]");
	advised("\"problems\":[{\"id\":\"vip-held\",\"severity\":\"error\",\"subject\":\"192.0.2.10\",\"since\":\"10s\","
	    "\"since_seconds\":10,");
	metrics(false);
	has("dsrd_problem{id=\"vip-held\",severity=\"error\",subject=\"192.0.2.10\"} 1");
	has("dsrd_problem{id=\"reload-failed\",severity=\"warning\",subject=\"director\"} 1");
	has("dsrd_problems{severity=\"error\"} 1");
	suffer(false, "f:3: no such key");
	alive(true);
	suffer(false, NULL);
	advised("\"problems\":[]");
	metrics(false);
	has("dsrd_problems{severity=\"error\"} 0");
	has("dsrd_problems{severity=\"warning\"} 0");
}
END_TEST

/* Two groups; without a configured role there is nothing to tell. */
START_TEST(tells_roles)
{
	struct role_status roles[2] = { { .name = "main", .source = "follow 192.0.2.5", .given = true, .used = true,
		.role = { ROLE_STANDBY, false, false }, .since = SECONDS(90), .reason = "why", .warm = true,
		    .ready = true },
		{ .name = "left", .source = "standby", .given = true, .used = true,
		    .role = { ROLE_YIELDED, true, false },
		.since = SECONDS(99), .reason = "later", .warm = true, .unready = "its role is yielded",
		.rival = { { 2, 0, 0, 0, 0, 0xb2 } } } };
	const struct problem_facts of = { .roles = roles, .role_count = 2, .config = "f" };

	facts.roles = roles;
	facts.role_count = 2;
	advised("\"roles\":[{\"group\":\"main\",\"role\":\"standby\",\"since\":\"10s\",\"since_seconds\":10,\"ready\":true,"
	    "\"ready_text\":\"yes\",\"source\":\"follow 192.0.2.5\",\"reason\":\"why\",\"meaning\":");
	advised("\"rival\":\"02:00:00:00:00:b2\"");
	ck_assert_str_eq(alive(true), "ok\ngroup main: standby\ngroup left: yielded\n");
	metrics(false);
	has("dsrd_role{group=\"main\",role=\"standby\"} 1");
	has("dsrd_role{group=\"main\",role=\"active\"} 0");
	has("dsrd_ready{group=\"left\"} 0");
	ck_assert_int_eq(problems_update(problems, &of, facts.now, NULL, NULL), 0);
	advised("\"problems\":[{\"id\":\"yielded\",\"severity\":\"warning\",\"subject\":\"left\"");
	roles[1].role.state = ROLE_ACTIVE;
	ck_assert_int_eq(problems_update(problems, &of, facts.now, NULL, NULL), 0);
	advised("\"problems\":[{\"id\":\"two-active\"");
	roles[1].role.state = ROLE_LINGERING;
	ck_assert_int_eq(problems_update(problems, &of, facts.now, NULL, NULL), 0);
	advised("\"what\":\"group left is not ready: its role is yielded\"");
	roles[0].given = roles[1].given = false;
	advised("\"roles\":[]");
	ck_assert_str_eq(alive(true), "ok\n");
	facts.roles = NULL;
	facts.role_count = 0;
}
END_TEST

/* One VIP that is announced, and one that cannot be. */
START_TEST(tells_announcements)
{
	static const char *const faults[ROLE_GROUPS] = { "no table" };
	struct announce_status list[2] = { { .addr = facts.model->vips[0].addr, .way = ANNOUNCE_DEVICE,
		.vip = { .state = ANNOUNCE_ANNOUNCED, .metric = 100, .changed = SECONDS(1) }, .services = 2, .serving = 1 },
		{ .addr = facts.model->vips[0].addr, .way = ANNOUNCE_ROUTE, .vip = { .state = ANNOUNCE_ANNOUNCED,
		.metric = 100 }, .failed = true } };
	struct role_status role = { .name = "main" };
	struct problem_facts of = { .roles = &role, .role_count = 1, .announce = &facts.announce, .config = "f" };
	struct report_facts before = facts;

	list[1].addr.bytes[3] = 77;
	facts.announce = (struct announce_report) { .list = list, .count = 2, .faults = faults };
	metrics(false);
	has("dsrd_announced{vip=\"192.0.2.10\"} 1");
	has("dsrd_announced{vip=\"192.0.2.77\"} 0");
	has("dsrd_drained 0");
	ck_assert_int_eq(problems_update(problems, &of, facts.now, NULL, NULL), 0);
	advised("\"problems\":[{\"id\":\"announce-failed\",\"severity\":\"warning\",\"subject\":\"main\"");
	advised("\"what\":\"VIPs of group main are not announced: no table\"");
	list[1].failed = false;
	list[1].restored = facts.now;
	facts.announce.drain = ANNOUNCE_DRAINING;
	ck_assert_int_eq(problems_update(problems, &of, facts.now, NULL, NULL), 0);
	advised("{\"id\":\"routes-removed\"");
	advised("{\"id\":\"drained\"");
	metrics(false);
	has("dsrd_drained 1");
	/* What was restored a minute ago is over. */
	facts.announce.drain = ANNOUNCE_SERVING;
	ck_assert_int_eq(problems_update(problems, &of, facts.now + PROBLEM_LASTS, NULL, NULL), 0);
	ck_assert_uint_eq(problems_count(problems), 0);
	list[0].way = list[1].way = ANNOUNCE_OFF;
	metrics(false);
	ck_assert_ptr_null(strstr(text, "\ndsrd_announced{"));
	facts = before;
}
END_TEST

START_TEST(tells_the_link)
{
	metrics(false);
	has("dsrd_interface_up{interface=\"eth0\"} 1");
	iface.up = false;
	metrics(false);
	has("dsrd_interface_up{interface=\"eth0\"} 0");
	advised("\"interface\":\"eth0\",\"link\":\"no link\"");
	iface.disabled = true;
	advised("\"link\":\"down\"");
	iface.gone = true;
	advised("\"link\":\"gone\"");
	iface.gone = iface.disabled = false;
	iface.up = true;
	advised("\"link\":\"up\"");
	ifaces[0].open = false;
	metrics(false);
	has("dsrd_interface_up{interface=\"eth0\"} 0");
	ifaces[0].open = true;
}
END_TEST

Suite *
metrics_suite(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = tcase_create("metrics");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tells_all);
	tcase_add_test(tcase, speaks_openmetrics);
	tcase_add_test(tcase, escapes_labels);
	tcase_add_test(tcase, counts_conflicts_and_bounces);
	tcase_add_test(tcase, services_keep_what_servers_had);
	tcase_add_test(tcase, tells_of_its_own_problems);
	tcase_add_test(tcase, tells_roles);
	tcase_add_test(tcase, tells_announcements);
	tcase_add_test(tcase, tells_the_link);
	tcase_add_test(tcase, each_is_documented);
	tcase_add_test(tcase, knows_whether_all_is_served);
	tcase_add_test(tcase, advises);
	suite_add_tcase(suite, tcase);
	return suite;
}
