/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/admin.h"

#include <check.h>
#include <stdlib.h>

#include "base/duration.h"
#include "model/model.h"
#include "sched/scheduler.h"
#include "suites.h"

/* Service "web" with servers web1 and web2, trusted unasked. */
static struct settings
web(uint32_t weight1, uint32_t weight2)
{
	struct settings settings = { .service_count = 1 };
	struct service_settings *service = calloc(1, sizeof(*service));

	ck_assert_ptr_nonnull(service);
	settings.services = service;
	*service = (struct service_settings) { .name = "web" };
	service->scheduler = scheduler_find("rr");
	service->rise = service->fall = 1;
	service->servers = calloc(2, sizeof(*service->servers));
	ck_assert_ptr_nonnull(service->servers);
	service->server_count = 2;
	service->servers[0] = (struct server_settings) { .name = "web1",
	    .addr = addr_from_ipv4((uint8_t[4]) { 192, 0, 2, 11 }),
		.weight = weight1 };
	service->servers[1] = (struct server_settings) { .name = "web2",
	    .addr = addr_from_ipv4((uint8_t[4]) { 192, 0, 2, 12 }),
		.weight = weight2 };
	return settings;
}

static void
apply(struct model *model, uint32_t weight1, uint32_t weight2)
{
	struct settings settings = web(weight1, weight2);

	ck_assert_int_eq(model_apply(model, &settings, SECONDS(1)), 0);
}

static struct model *
new_web(uint32_t weight1, uint32_t weight2)
{
	struct model *model = model_new();

	ck_assert_ptr_nonnull(model);
	apply(model, weight1, weight2);
	return model;
}

START_TEST(test_admin)
{
	struct model *model = new_web(3, 1);
	struct server *web1 = model_find(model, "web/web1");

	ck_assert_ptr_nonnull(web1);
	ck_assert(!admin_differs(web1));
	ck_assert(!admin_admin(web1, ADMIN_ENABLED, SECONDS(2)));
	ck_assert(admin_admin(web1, ADMIN_DRAINED, SECONDS(2)));
	ck_assert(!admin_admin(web1, ADMIN_DRAINED, SECONDS(3)));
	ck_assert_int_eq(server_state(web1), SERVER_DRAINING);
	ck_assert_uint_eq(server_weight(web1), 0);
	ck_assert_uint_eq(admin_given_weight(web1), 3);
	ck_assert(admin_differs(web1));
	ck_assert(admin_admin(web1, ADMIN_DISABLED, SECONDS(3)));
	ck_assert_int_eq(server_state(web1), SERVER_DISABLED);
	ck_assert(admin_admin(web1, ADMIN_ENABLED, SECONDS(3)));
	ck_assert_int_eq(server_state(web1), SERVER_UP);
	ck_assert_uint_eq(server_weight(web1), 3);
	model_free(model);
}
END_TEST

START_TEST(test_weight)
{
	struct model *model = new_web(3, 1);
	struct server *web1 = model_find(model, "web/web1");

	ck_assert(!admin_weight(web1, 3));
	ck_assert(admin_weight(web1, 7));
	ck_assert(!admin_weight(web1, 7));
	ck_assert_uint_eq(server_weight(web1), 7);
	ck_assert(admin_differs(web1));
	ck_assert(admin_weight(web1, 0));
	ck_assert_int_eq(server_state(web1), SERVER_DRAINING);
	ck_assert(admin_weight(web1, 3));
	ck_assert(!admin_differs(web1));
	ck_assert_uint_eq(server_weight(web1), 3);
	model_free(model);
}
END_TEST

START_TEST(test_what_a_reload_keeps)
{
	struct model *model = new_web(3, 1);
	struct server *web1 = model_find(model, "web/web1"), *web2 = model_find(model, "web/web2");

	ck_assert(admin_weight(web1, 7));
	ck_assert(admin_admin(web2, ADMIN_DRAINED, SECONDS(2)));
	apply(model, 3, 5); /* nothing that contradicts: a drain is no weight */
	ck_assert_ptr_eq(model_find(model, "web/web1"), web1);
	ck_assert_uint_eq(server_weight(web1), 7);
	ck_assert(!web1->admin.overruled);
	ck_assert_int_eq(server_state(web2), SERVER_DRAINING);
	ck_assert_uint_eq(admin_given_weight(web2), 5);

	apply(model, 4, 5);
	ck_assert_uint_eq(server_weight(web1), 4);
	ck_assert(web1->admin.overruled);
	ck_assert(!admin_differs(web1));

	/* The file catches up with the operator: no difference, and no news. */
	ck_assert(admin_weight(web1, 9));
	web1->admin.overruled = false;
	apply(model, 9, 5);
	ck_assert(!admin_differs(web1));
	ck_assert_uint_eq(server_weight(web1), 9);
	model_free(model);
}
END_TEST

START_TEST(test_estimate)
{
	struct model *model = new_web(1, 1);
	struct server *web1 = model_find(model, "web/web1");

	web1->run->active = 30;
	web1->run->inactive = 10;
	ck_assert(admin_admin(web1, ADMIN_DRAINED, SECONDS(100)));
	ck_assert_uint_eq(admin_drain_estimate(web1, SECONDS(110)), UINT64_MAX);
	web1->run->active = 20;
	/* 10 of 40 are gone after 10 s: 30 are left for 30 s. */
	ck_assert_uint_eq(admin_drain_estimate(web1, SECONDS(110)), SECONDS(30));
	ck_assert_uint_eq(admin_drain_estimate(web1, SECONDS(100)), UINT64_MAX);
	web1->run->active = 50;
	ck_assert_uint_eq(admin_drain_estimate(web1, SECONDS(110)), UINT64_MAX);
	web1->run->active = web1->run->inactive = 0;
	ck_assert_uint_eq(admin_drain_estimate(web1, SECONDS(110)), 0);
	model_free(model);
}
END_TEST

START_TEST(test_find)
{
	struct model *model = new_web(1, 1);

	ck_assert_str_eq(model_find(model, "web/web2")->settings.name, "web2");
	ck_assert_ptr_null(model_find(model, "web"));
	ck_assert_ptr_null(model_find(model, "web/"));
	ck_assert_ptr_null(model_find(model, "we/web1"));
	ck_assert_ptr_null(model_find(model, "web/web"));
	ck_assert_ptr_null(model_find(model, "web/web1/"));
	ck_assert_ptr_null(model_find(model, ""));
	model_free(model);
}
END_TEST

START_TEST(test_view)
{
	struct model *model = new_web(3, 1);
	struct settings settings;

	ck_assert(admin_weight(model_find(model, "web/web1"), 7));
	ck_assert_int_eq(model_settings(model, &settings), 0);
	ck_assert_uint_eq(settings.service_count, 1);
	ck_assert_str_eq(settings.services[0].name, "web");
	ck_assert_uint_eq(settings.services[0].server_count, 2);
	ck_assert_uint_eq(settings.services[0].servers[0].weight, 3);
	ck_assert_str_eq(settings.services[0].servers[1].name, "web2");
	model_settings_done(&settings);
	ck_assert_ptr_null(settings.services);
	model_free(model);
}
END_TEST

Suite *
admin_suite(void)
{
	Suite *suite = suite_create("admin");
	TCase *tcase = tcase_create("admin");

	tcase_add_test(tcase, test_admin);
	tcase_add_test(tcase, test_weight);
	tcase_add_test(tcase, test_what_a_reload_keeps);
	tcase_add_test(tcase, test_estimate);
	tcase_add_test(tcase, test_find);
	tcase_add_test(tcase, test_view);
	suite_add_tcase(suite, tcase);
	return suite;
}
