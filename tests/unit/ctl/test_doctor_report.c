/* SPDX-License-Identifier: ISC */
/* Whatever is down, for whatever reason, dsrctl doctor counts a problem, and its status is not 0. */
#include "config.h"

#include "ctl/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "conf/conf.h"
#include "ctl/writer.h"
#include "doctor/problem.h"
#include "forward/forward.h"
#include "suites.h"

static struct model *model;
static struct conf conf;
static struct forwarder forwarder;
static struct problems *problems;
static struct iface iface = { .name = "eth0", .mtu = 1500, .up = true };
static struct report_iface ifaces[1] = { { &iface, true, 10, 2, 9, 1, "tc", "" } };
static struct vip_fault fault;
static const struct problem *findings;

static struct server *
web1(void)
{
	return model->services[0]->servers[0];
}

static void
no_neighbor(void *context UNUSED, enum neigh_event event UNUSED, enum neigh_reason reason UNUSED,
    const struct neigh *neigh UNUSED, const struct mac *before UNUSED)
{
}

static enum name_answer
no_name(void *context UNUSED, const struct server *server UNUSED)
{
	return NAME_UNKNOWN;
}

static bool
forwards_not(void *context UNUSED, uint16_t index UNUSED, enum addr_family family UNUSED)
{
	return false;
}

static void
setup(void)
{
	static char file[] = "[dsrd]\ninterface = eth0\nconnections = 1000\n[service web]\nlisten = 192.0.2.10 "
	    "tcp/80,443\n"
	    "check = tcp\nserver = web1 192.0.2.11\nserver = web2 192.0.2.12\n";
	const struct siphash_key key = { { 0 } };
	struct errlist *errors = errlist_new();
	FILE *in = fmemopen(file, strlen(file), "r");
	char error[100];

	ck_assert_int_eq(conf_read(in, "t", &conf, errors), 0);
	(void)fclose(in);
	errlist_free(errors);
	model = model_new();
	ck_assert_int_eq(model_apply(model, &conf.settings, SECONDS(1)), 0);
	iface.address_count = 1;
	ck_assert_int_eq(addr_parse("192.0.2.1", &iface.addresses[0].addr), 0);
	iface.addresses[0].length = 24;
	model_place(model, &iface, 1);
	for (size_t i = 0; i < 2; i++) {
		struct server *server = model->services[0]->servers[i];

		server->health.state = server->checks[0].health.state = HEALTH_UP;
		server->vip_state = VIP_ACCEPTED;
		server->mac.bytes[5] = (uint8_t)(i + 1);
	}
	ck_assert_int_eq(forwarder_init(&forwarder, 1000, &key, no_neighbor, NULL, error, sizeof(error)), 0);
	problems = problems_new();
	ck_assert_ptr_nonnull(problems);
}

static void
teardown(void)
{
	findings = NULL;
	web1()->vip_faults = NULL;
	forwarder_clear(&forwarder);
	problems_free(problems);
	model_free(model);
	conf_clear(&conf);
}

static size_t
count_problems(void)
{
	static struct examination examination;
	const struct report_facts facts = { .problems = problems, .now = SECONDS(100), .model = model,
	    .forwarder = &forwarder,
		.ifaces = ifaces, .iface_count = 1 };
	const struct doctor_view view = { .facts = &facts, .examination = &examination, .name = no_name,
		.host = findings, .host_count = findings != NULL, .forwards = forwards_not };
	char *text = NULL;
	size_t length, count = 0;
	FILE *out = open_memstream(&text, &length);
	struct writer *writer = writer_json(out);

	ck_assert_ptr_nonnull(writer);
	ck_assert_int_eq(doctor_report(writer, &view, &count), 0);
	ck_assert_int_eq(writer_end(writer), 0);
	(void)fclose(out);
	free(text);
	return count;
}

static void
break_check(void)
{
	web1()->health.state = web1()->checks[0].health.state = HEALTH_DOWN;
	web1()->checks[0].health.reason = HEALTH_REASON_TIMEOUT;
}

static void
break_vip(void)
{
	fault = (struct vip_fault) { .vip = model->vips[0].addr, .protocol = 6, .name = "ignored",
	    .sentence = "no answer" };
	web1()->vip_faults = &fault;
	web1()->ports = PORTS_NONE;
}

static void
break_port(void)
{
	break_vip();
	fault.port = 443;
	web1()->ports = PORTS_PARTLY;
}

static void
break_conflict(void)
{
	web1()->conflicts = true;
}

static void
break_self(void)
{
	web1()->place = PLACE_SELF;
}

static void
break_far(void)
{
	web1()->place = PLACE_FAR;
	web1()->mac = mac_zero;
}

static void
break_neighbor(void)
{
	web1()->mac = mac_zero;
}

static void
break_answers(void)
{
	web1()->lost.verdict = LOST_HANDSHAKES;
}

static void
break_all_answers(void)
{
	for (size_t i = 0; i < 2; i++)
		model->services[0]->servers[i]->lost.verdict = LOST_ALL;
}

static void
break_unknown(void)
{
	for (size_t i = 0; i < 2; i++)
		model->services[0]->servers[i]->vip_state = VIP_UNKNOWN;
}

static void
break_disabled(void)
{
	for (size_t i = 0; i < 2; i++)
		model->services[0]->servers[i]->admin.admin = ADMIN_DISABLED;
}

static void
break_quorum(void)
{
	model->services[0]->settings.quorum.number = 2;
	model->services[0]->quorum_lost = true;
	break_check();
}

/* As the director's problems come: host_check() makes a finding of each. */
static void
break_director(void)
{
	static const struct problem held = { .id = DIAGNOSIS_VIP_HELD, .what = "held" };

	findings = &held;
}

static const struct {
	const char *what;
	void (*apply)(void);
} outages[] = {
	{ "a failed check", break_check },
	{ "the VIP is ignored", break_vip },
	{ "out of one port", break_port },
	{ "vip-conflict = remove", break_conflict },
	{ "the server is the director", break_self },
	{ "a server of another network", break_far },
	{ "no neighbor", break_neighbor },
	{ "handshakes lost", break_answers },
	{ "all handshakes lost", break_all_answers },
	{ "nothing known of any server", break_unknown },
	{ "every server disabled", break_disabled },
	{ "quorum lost", break_quorum },
	{ "a problem of the director", break_director },
};

START_TEST(an_outage_is_a_problem)
{
	outages[_i].apply();
	ck_assert_msg(count_problems() > 0, "0 problems: %s", outages[_i].what);
}
END_TEST

START_TEST(health_is_none)
{
	ck_assert_uint_eq(count_problems(), 0);
}
END_TEST

Suite *
doctor_report_suite(void)
{
	Suite *suite = suite_create("doctor_report");
	TCase *tcase = tcase_create("doctor_report");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, health_is_none);
	tcase_add_loop_test(tcase, an_outage_is_a_problem, 0, (int)ARRAY_LEN(outages));
	suite_add_tcase(suite, tcase);
	return suite;
}
