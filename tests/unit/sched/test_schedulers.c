/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "sched/scheduler.h"
#include "suites.h"

/* Sends `count` new connections and writes one letter for each: the server's number as a, b, c, ... */
static const char *
choices(struct scene *scene, unsigned count)
{
	static char text[1024];
	static uint16_t port = 10000;

	for (unsigned i = 0; i < count; i++) {
		const char *name = scene_tcp(scene, port++, TCP_SYN);

		text[i] = name[0] == 's' ? (char)('a' + strtol(name + 1, NULL, 10) - 1) : '!';
	}
	text[count] = '\0';
	return text;
}

static void
set_up(struct scene *scene, const char *scheduler, const uint32_t weights[], unsigned count)
{
	struct service_settings *service;

	scene_open(scene);
	service = scene_add_service(scene, "web", PROTOCOL_TCP, 80, scheduler);
	for (unsigned i = 0; i < count; i++)
		scene_add_server(service, i + 1, weights[i], false);
	scene_apply(scene);
}

static const struct {
	const char *scheduler;
	uint32_t weights[4];
	unsigned servers;
	const char *expected;
} orders[] = {
	{ "rr", { 1, 1, 1 }, 3, "abcabcabc" },
	{ "rr", { 5, 1, 1 }, 3, "abcabc" },
	{ "rr", { 1, 0, 1 }, 3, "acacac" },
	{ "wrr", { 5, 1, 1 }, 3, "aabacaaaabacaa" },
	{ "wrr", { 1, 1 }, 2, "abababab" },
	{ "wrr", { 3, 0, 1 }, 3, "aacaaaca" },
	{ "wrr", { 65535, 65535 }, 2, "abab" },
	{ "lc", { 1, 1, 1 }, 3, "abcabcabc" },
	{ "lc", { 1, 9, 0 }, 3, "abababab" },
	{ "wlc", { 3, 1 }, 2, "aabaaaba" },
	{ "wlc", { 0, 1 }, 2, "bbbb" },
};

START_TEST(test_order)
{
	struct scene scene;

	set_up(&scene, orders[_i].scheduler, orders[_i].weights, orders[_i].servers);
	if (strcmp(orders[_i].scheduler, "wlc") == 0) {
		/* Ties may go either way; what counts are the shares. */
		const char *got = choices(&scene, (unsigned)strlen(orders[_i].expected));
		int difference = 0;

		for (size_t i = 0; got[i] != '\0'; i++)
			difference += (got[i] == 'a') - (orders[_i].expected[i] == 'a');
		ck_assert_int_eq(difference, 0);
	} else {
		ck_assert_str_eq(choices(&scene, (unsigned)strlen(orders[_i].expected)), orders[_i].expected);
	}
	scene_close(&scene);
}
END_TEST

START_TEST(test_wrr_shares_are_exact_in_every_round)
{
	const uint32_t weights[] = { 7, 2, 1 };
	struct scene scene;
	unsigned counts[3] = { 0 };
	const char *got;

	set_up(&scene, "wrr", weights, 3);
	for (unsigned round = 1; round <= 20; round++) {
		got = choices(&scene, 10);
		for (unsigned i = 0; i < 10; i++)
			counts[got[i] - 'a']++;
		for (unsigned i = 0; i < 3; i++)
			ck_assert_uint_eq(counts[i], weights[i] * round);
	}
	scene_close(&scene);
}
END_TEST

/* Active connections weigh, half-open ones hardly do. */
START_TEST(test_lc_prefers_the_idle)
{
	const uint32_t weights[] = { 1, 1, 1 };
	struct scene scene;

	set_up(&scene, "lc", weights, 3);
	scene_server(&scene, "web", "s1")->run->active = 1;
	scene_server(&scene, "web", "s2")->run->inactive = 200;
	ck_assert_str_eq(choices(&scene, 3), "ccc");
	scene_server(&scene, "web", "s3")->run->active = 1;
	ck_assert_str_eq(choices(&scene, 2), "bb");
	scene_close(&scene);
}
END_TEST

START_TEST(test_wlc_divides_by_weight)
{
	const uint32_t weights[] = { 10, 1 };
	struct scene scene;

	set_up(&scene, "wlc", weights, 2);
	scene_server(&scene, "web", "s1")->run->active = 9;
	scene_server(&scene, "web", "s2")->run->active = 1;
	ck_assert_str_eq(choices(&scene, 1), "a");
	scene_server(&scene, "web", "s1")->run->active = 11;
	ck_assert_str_eq(choices(&scene, 1), "b");
	scene_close(&scene);
}
END_TEST

/* A third of the latency, three times the connections; as slow as the others, as many. */
START_TEST(test_least_latency)
{
	const uint32_t weights[] = { 1, 1 };
	struct scene scene;
	struct server_run *slow, *fast;
	unsigned fast_ones = 0;
	const char *got;

	set_up(&scene, "least-latency", weights, 2);
	slow = scene_server(&scene, "web", "s1")->run;
	fast = scene_server(&scene, "web", "s2")->run;
	slow->measure.published = 29999;
	fast->measure.published = 9999;
	got = choices(&scene, 4);
	ck_assert_str_eq(got, "bbbb");
	slow->active = 10;
	fast->active = 30;
	ck_assert_str_eq(choices(&scene, 2), "bb");
	fast->active = 40;
	ck_assert_str_eq(choices(&scene, 2), "aa");
	slow->measure.published = fast->measure.published = 0;
	slow->active = fast->active = 0;
	got = choices(&scene, 200);
	for (unsigned i = 0; i < 200; i++)
		fast_ones += got[i] == 'b';
	ck_assert_uint_gt(fast_ones, 60);
	ck_assert_uint_lt(fast_ones, 140);
	scene_close(&scene);
}
END_TEST

START_TEST(test_names)
{
	const char *const *names = scheduler_names();
	unsigned count = 0;

	for (; names[count] != NULL; count++) {
		const struct scheduler *scheduler = scheduler_find(names[count]);

		ck_assert_ptr_nonnull(scheduler);
		ck_assert_str_eq(scheduler->name, names[count]);
		ck_assert_uint_gt(strlen(scheduler->use_when), 20);
	}
	ck_assert_uint_eq(count, 15);
	ck_assert_ptr_null(scheduler_find("wr"));
	ck_assert_ptr_null(scheduler_find(""));
}
END_TEST

Suite *
schedulers_suite(void)
{
	Suite *suite = suite_create("pick");
	TCase *tcase = tcase_create("pick");

	tcase_add_loop_test(tcase, test_order, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(tcase, test_wrr_shares_are_exact_in_every_round);
	tcase_add_test(tcase, test_lc_prefers_the_idle);
	tcase_add_test(tcase, test_wlc_divides_by_weight);
	tcase_add_test(tcase, test_least_latency);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
