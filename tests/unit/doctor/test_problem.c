/* SPDX-License-Identifier: ISC */
/* The list of the director's own problems: what begins and ends one, and whom it concerns. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "doctor/problem.h"
#include "../scene/scene.h"
#include "suites.h"

static struct scene scene;
static struct problems *problems;
static struct iface eth0;
static struct problem_iface iface;
static struct problem_vip held[2];
static struct problem_facts facts;
static char news[1000];
static uint64_t now;

static void
open_list(void)
{
	scene_open(&scene);
	scene_add_server(scene_add_service(&scene, "web", PROTOCOL_TCP, 80, "rr"), 1, 1, false);
	scene_apply(&scene);
	problems = problems_new();
	ck_assert_ptr_nonnull(problems);
	eth0 = (struct iface) { .name = "eth0", .up = true };
	iface = (struct problem_iface) { .iface = &eth0, .used = true, .open = true };
	memset(held, 0, sizeof(held));
	facts = (struct problem_facts) { .ifaces = &iface, .iface_count = 1, .held = held, .flow_capacity = 1000,
		.config = "/etc/dsrd.conf" };
	now = SECONDS(1000);
}

static void
close_list(void)
{
	problems_free(problems);
	scene_close(&scene);
}

static void
write_news(void *context, const struct problem *problem, bool ended)
{
	const size_t used = strlen(news);

	ck_assert_ptr_eq(context, news);
	snprintf(news + used, sizeof(news) - used, "%s%s %s;", ended ? "-" : "+", diagnosis_name(problem->id),
	    problem->subject);
}

static const char *
update(uint64_t passed)
{
	now += passed;
	news[0] = '\0';
	ck_assert_int_eq(problems_update(problems, &facts, now, write_news, news), 0);
	return news;
}

static const struct problem *
only(void)
{
	ck_assert_uint_eq(problems_count(problems), 1);
	return problems_at(problems, 0);
}

START_TEST(no_list_has_no_problems)
{
	ck_assert_uint_eq(problems_count(NULL), 0);
	ck_assert_ptr_null(problems_of_service(NULL, scene.model->services[0]));
	ck_assert_str_eq(update(0), "");
}
END_TEST

START_TEST(a_link_has_one_problem_at_a_time)
{
	eth0.up = false;
	ck_assert_str_eq(update(0), "+no-link eth0;");
	ck_assert_str_eq(only()->fix, "");
	iface.open = false;
	eth0.disabled = true;
	ck_assert_str_eq(update(SECONDS(1)), "+interface-down eth0;-no-link eth0;");
	ck_assert_str_eq(only()->fix, DIRECTOR_SYSTEM == SYSTEM_LINUX ? "ip link set dev eth0 up" : "ifconfig eth0 up");
	ck_assert_str_eq(only()->undo, DIRECTOR_SYSTEM == SYSTEM_LINUX ? "ip link set dev eth0 down" :
	    "ifconfig eth0 down");
	eth0.gone = true;
	ck_assert_str_eq(update(SECONDS(1)), "+interface-gone eth0;-interface-down eth0;");
	eth0 = (struct iface) { .name = "eth0", .up = true };
	ck_assert_str_eq(update(SECONDS(1)), "+interface-closed eth0;-interface-gone eth0;");
	iface.open = true;
	ck_assert_str_eq(update(SECONDS(1)), "-interface-closed eth0;");
	eth0.up = iface.used = false;
	ck_assert_str_eq(update(SECONDS(1)), "");
}
END_TEST

START_TEST(an_interface_of_the_wrong_kind)
{
	snprintf(eth0.master, IFACE_NAME, "br0");
	ck_assert_str_eq(update(0), "+interface-port eth0;");
	ck_assert_str_eq(only()->what, "the interface eth0 is a port of br0: configure `interface = br0`");
	ck_assert_int_eq(diagnosis_severity(only()->id), SEVERITY_WARNING);
	/* A problem of its own beside that of its link; gone, it is no port any more. */
	eth0.up = false;
	ck_assert_str_eq(update(SECONDS(1)), "+no-link eth0;");
	eth0.gone = true;
	ck_assert_str_eq(update(SECONDS(1)), "+interface-gone eth0;-no-link eth0;-interface-port eth0;");
	eth0 = (struct iface) { .name = "eth0", .up = true, .ipvlan = true };
	ck_assert_str_eq(update(SECONDS(1)), "+interface-ipvlan eth0;-interface-gone eth0;");
	ck_assert_int_eq(diagnosis_severity(only()->id), SEVERITY_ERROR);
	iface.used = false;
	ck_assert_str_eq(update(SECONDS(1)), "-interface-ipvlan eth0;");
}
END_TEST

START_TEST(a_problem_keeps_its_beginning)
{
	const uint64_t began = now;

	eth0.up = false;
	update(0);
	ck_assert_str_eq(update(SECONDS(7)), "");
	ck_assert_uint_eq(only()->since, began);
}
END_TEST

START_TEST(errors_come_first)
{
	facts.reload_error = "dsrd.conf:7: no such key";
	facts.flows = 900;
	update(0);
	held[0].vip = scene.model->vips[0].addr;
	snprintf(held[0].holder, sizeof(held[0].holder), "lo");
	snprintf(held[0].fix, sizeof(held[0].fix), "take it off");
	facts.held_count = 1;
	update(0);
	ck_assert_uint_eq(problems_count(problems), 3);
	ck_assert_int_eq(problems_at(problems, 0)->id, DIAGNOSIS_VIP_HELD);
	ck_assert_int_eq(diagnosis_severity(problems_at(problems, 0)->id), SEVERITY_ERROR);
	ck_assert_str_eq(problems_at(problems, 0)->fix, "take it off");
	ck_assert_int_eq(problems_at(problems, 1)->id, DIAGNOSIS_RELOAD_FAILED);
	ck_assert_str_eq(problems_at(problems, 1)->what, "the last reload failed: dsrd.conf:7: no such key");
	ck_assert_str_eq(problems_at(problems, 1)->fix, "dsrd -n -f /etc/dsrd.conf");
	ck_assert_int_eq(diagnosis_severity(problems_at(problems, 1)->id), SEVERITY_WARNING);
	for (enum diagnosis id = 1; id <= DIAGNOSIS_DIRECTOR_LAST; id++)
		ck_assert_int_ge(diagnosis_severity(id - 1), diagnosis_severity(id));
}
END_TEST

START_TEST(each_held_vip_is_one)
{
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(addr_parse(i == 0 ? "192.0.2.10" : "192.0.2.11", &held[i].vip), 0);
		snprintf(held[i].holder, sizeof(held[i].holder), "lo");
	}
	facts.held_count = 2;
	ck_assert_str_eq(update(0), "+vip-held 192.0.2.10;+vip-held 192.0.2.11;");
	held[0] = held[1];
	facts.held_count = 1;
	ck_assert_str_eq(update(0), "-vip-held 192.0.2.10;");
	facts.held_count = 0;
	ck_assert_str_eq(update(0), "-vip-held 192.0.2.11;");
}
END_TEST

START_TEST(drops_are_one_problem_until_they_stop)
{
	iface.capture_dropped = 10;
	ck_assert_str_eq(update(0), "+capture-drops eth0;");
	ck_assert_ptr_nonnull(strstr(only()->what, "10 frames"));
	ck_assert_str_eq(update(PROBLEM_LASTS - 1), "");
	iface.capture_dropped = 15;
	ck_assert_str_eq(update(1), "");
	ck_assert_ptr_nonnull(strstr(only()->what, "15 frames"));
	ck_assert_str_eq(update(PROBLEM_LASTS), "-capture-drops eth0;");
	iface.capture_dropped = 18;
	ck_assert_str_eq(update(1), "+capture-drops eth0;");
	ck_assert_ptr_nonnull(strstr(only()->what, "3 frames"));
}
END_TEST

START_TEST(a_service_that_drops_by_its_limit)
{
	struct service *service = scene.model->services[0];

	facts.model = scene.model;
	service->settings.limit_new.service = 10;
	ck_assert_str_eq(update(0), "");
	service->run->limited = 5;
	service->run->limited_at = now;
	ck_assert_str_eq(update(0), "+limit-new web;");
	ck_assert_str_eq(only()->what, "service web drops new connections: more begin than its `limit-new` allows; 5 until "
	    "now");
	ck_assert_int_eq(diagnosis_severity(only()->id), SEVERITY_WARNING);
	/* One problem while it goes on, and until it was quiet for a while. */
	service->run->limited = 5000;
	service->run->limited_at = now + PROBLEM_LASTS - 1;
	ck_assert_str_eq(update(PROBLEM_LASTS), "");
	ck_assert_ptr_nonnull(strstr(only()->what, " 5000 "));
	ck_assert_str_eq(update(PROBLEM_LASTS - 2), "");
	ck_assert_str_eq(update(1), "-limit-new web;");
	/* Without a limit there is nothing to raise. */
	service->run->limited_at = now;
	service->settings.limit_new.service = 0;
	ck_assert_str_eq(update(0), "");
}
END_TEST

START_TEST(a_flood_is_seen_while_it_lasts)
{
	facts.flood = 90000;
	ck_assert_str_eq(update(0), "+flood director;");
	ck_assert_ptr_nonnull(strstr(only()->what, "90000 a second"));
	facts.flood = 0;
	ck_assert_str_eq(update(0), "-flood director;");
}
END_TEST

START_TEST(a_full_table_has_hysteresis)
{
	facts.flows = 899;
	ck_assert_str_eq(update(0), "");
	facts.flows = 900;
	ck_assert_str_eq(update(0), "+flow-table-full director;");
	facts.flows = 800;
	ck_assert_str_eq(update(0), "");
	facts.flows = 799;
	ck_assert_str_eq(update(0), "-flow-table-full director;");
}
END_TEST

START_TEST(lateness_is_reported_for_a_minute)
{
	facts.held_up = SECONDS(1) - 1;
	ck_assert_str_eq(update(0), "");
	facts.held_up = MILLISECONDS(2500);
	ck_assert_str_eq(update(0), "+checks-late director;");
	ck_assert_str_eq(only()->what, "the director was held up for 2500ms");
	facts.held_up = 0;
	ck_assert_str_eq(update(PROBLEM_LASTS - 1), "");
	ck_assert_str_eq(update(1), "-checks-late director;");
}
END_TEST

START_TEST(the_checker_is_a_problem)
{
	facts.checker_reason = "signal 9 (Killed)";
	facts.checker_losses = PROBLEM_LOSSES - 1;
	ck_assert_str_eq(update(0), "");
	facts.checker_losses = PROBLEM_LOSSES;
	ck_assert_str_eq(update(0), "+checker-unstable director;");
	ck_assert_str_eq(problems_at(problems, 0)->what, "the process that checks servers ended 3 times within 10 "
	    "minutes; the last time: signal 9 (Killed)");
	/* One problem at a time. Clients reach their servers. */
	facts.checker_lost = true;
	ck_assert_str_eq(update(0), "+checker-lost director;-checker-unstable director;");
	ck_assert_ptr_null(problems_of_service(problems, scene.model->services[0]));
	facts.checker_lost = false;
	facts.checker_losses = 0;
	ck_assert_str_eq(update(0), "-checker-lost director;");
}
END_TEST

START_TEST(memory_and_offload_are_problems)
{
	facts.no_memory = true;
	iface.offload_lost = "another program is there";
	ck_assert_str_eq(update(0), "+offload-lost eth0;+no-memory director;");
	ck_assert_ptr_nonnull(problems_of_service(problems, scene.model->services[0]));
	facts.no_memory = false;
	iface.offload_lost = NULL;
	ck_assert_str_eq(update(0), "-no-memory director;-offload-lost eth0;");
	facts.state_error = "No space left on device";
	ck_assert_str_eq(update(0), "+state-lost director;");
	ck_assert_ptr_nonnull(strstr(problems_at(problems, 0)->what, "No space left on device"));
	facts.state_error = NULL;
	ck_assert_str_eq(update(0), "-state-lost director;");
}
END_TEST

START_TEST(only_concerned_services_are_affected)
{
	struct service *service = scene.model->services[0];

	snprintf(iface.forwards[1], PROBLEM_TEXT, "stop IPv6");
	ck_assert_str_eq(update(0), "+forwarding eth0;");
	ck_assert_ptr_null(problems_of_service(problems, service)); /* its VIP is of IPv4 */
	ck_assert_ptr_nonnull(problems_of_iface(problems, 0));
	snprintf(iface.forwards[0], PROBLEM_TEXT, "stop IPv4");
	ck_assert_str_eq(update(0), "+forwarding eth0;");
	ck_assert_str_eq(problems_of_service(problems, service)->fix, "stop IPv4");
	service->iface = 1;
	ck_assert_ptr_null(problems_of_service(problems, service));
	ck_assert_ptr_null(problems_of_iface(problems, 1));
	service->iface = 0;
	iface.forwards[0][0] = iface.forwards[1][0] = '\0';
	facts.reload_error = "a warning concerns no service";
	update(0);
	ck_assert_ptr_null(problems_of_service(problems, service));
	ck_assert_int_eq(addr_parse("192.0.2.99", &held[0].vip), 0);
	facts.held_count = 1;
	update(0);
	ck_assert_ptr_null(problems_of_service(problems, service));
	held[0].vip = service->settings.listens[0].vip;
	update(0);
	ck_assert_int_eq(problems_of_service(problems, service)->id, DIAGNOSIS_VIP_HELD);
}
END_TEST

/*
 * What the director's own host needs, on each system that dsrd runs on; the words that are left are the
 * examination's.
 */
START_TEST(each_system_has_its_commands)
{
	static const struct {
		enum diagnosis id;
		unsigned system;
		const char *fix;
		const char *undo;
	} commands[] = {
		{ DIAGNOSIS_MTU, SYSTEM_LINUX, "ip link set dev em0 mtu 9000", "ip link set dev em0 mtu 1500" },
		{ DIAGNOSIS_MTU, SYSTEM_FREEBSD, "ifconfig em0 mtu 9000", "ifconfig em0 mtu 1500" },
		{ DIAGNOSIS_OFFLOADS, SYSTEM_LINUX, "ethtool -K em0 gro off lro off rx-gro-hw off",
		    "ethtool -K em0 gro on" },
		{ DIAGNOSIS_OFFLOADS, SYSTEM_OPENBSD, "ifconfig em0 -tcplro", "ifconfig em0 tcplro" },
		{ DIAGNOSIS_OFFLOADS, SYSTEM_NETBSD, "ifconfig em0 -lro", "ifconfig em0 lro" },
		{ DIAGNOSIS_INTERFACE_DOWN, SYSTEM_MACOS, "ifconfig em0 up", "ifconfig em0 down" },
	};
	static const struct remedy_word words[] = { { "interface", "em0" }, { "mtu", "1500" }, { "other-mtu", "9000" },
		{ NULL, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct remedy *remedy = remedy_at(commands[i].id, commands[i].system, 0);
		char text[PROBLEM_TEXT];

		ck_assert_ptr_nonnull(remedy);
		ck_assert_str_eq(remedy_write(remedy->fix, words, text, sizeof(text)), commands[i].fix);
		ck_assert_str_eq(remedy_write(remedy->undo, words, text, sizeof(text)), commands[i].undo);
		ck_assert_ptr_null(remedy_at(commands[i].id, commands[i].system, 1));
	}
}
END_TEST

START_TEST(names_are_what_programs_read)
{
	for (enum diagnosis id = 0; id < DIAGNOSIS_COUNT; id++) {
		const char *meaning = diagnosis_meaning(id);

		ck_assert_uint_eq(strspn(diagnosis_name(id), "abcdefghijklmnopqrstuvwxyz-"),
		    strlen(diagnosis_name(id)));
		ck_assert_msg(meaning[strlen(meaning) - 1] == '.' || strcmp(meaning, "{reason}") == 0, "%s", meaning);
		for (enum diagnosis other = 0; other < id; other++)
			ck_assert_str_ne(diagnosis_name(id), diagnosis_name(other));
	}
	ck_assert_str_eq(severity_name(SEVERITY_ERROR), "error");
	ck_assert_str_eq(severity_name(SEVERITY_WARNING), "warning");
}
END_TEST

Suite *
problem_suite(void)
{
	Suite *suite = suite_create("problem");
	TCase *tcase = tcase_create("problem");

	tcase_add_checked_fixture(tcase, open_list, close_list);
	tcase_add_test(tcase, no_list_has_no_problems);
	tcase_add_test(tcase, a_link_has_one_problem_at_a_time);
	tcase_add_test(tcase, an_interface_of_the_wrong_kind);
	tcase_add_test(tcase, a_problem_keeps_its_beginning);
	tcase_add_test(tcase, errors_come_first);
	tcase_add_test(tcase, each_held_vip_is_one);
	tcase_add_test(tcase, drops_are_one_problem_until_they_stop);
	tcase_add_test(tcase, a_service_that_drops_by_its_limit);
	tcase_add_test(tcase, a_flood_is_seen_while_it_lasts);
	tcase_add_test(tcase, a_full_table_has_hysteresis);
	tcase_add_test(tcase, lateness_is_reported_for_a_minute);
	tcase_add_test(tcase, the_checker_is_a_problem);
	tcase_add_test(tcase, memory_and_offload_are_problems);
	tcase_add_test(tcase, only_concerned_services_are_affected);
	tcase_add_test(tcase, each_system_has_its_commands);
	tcase_add_test(tcase, names_are_what_programs_read);
	suite_add_tcase(suite, tcase);
	return suite;
}
