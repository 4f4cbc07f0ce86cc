/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/settings.h"

#include <stdlib.h>

#include "proto/packet.h"
#include "suites.h"

START_TEST(test_check_port)
{
	struct listen_settings listens[] = {
		{ .protocol = PROTOCOL_UDP, .first = 53, .last = 53 },
		{ .protocol = PROTOCOL_TCP, .first = 1, .last = 65535 },
		{ .protocol = PROTOCOL_TCP, .first = 8000, .last = 8099 },
		{ .protocol = PROTOCOL_TCP, .first = 443, .last = 443 },
	};
	struct service_settings service = { .listens = listens };
	struct check_settings check = { .kind = CHECK_TCP };

	ck_assert_uint_eq(service_check_port(&service, &check), 0);
	service.listen_count = 1; /* UDP only */
	ck_assert_uint_eq(service_check_port(&service, &check), 0);
	service.listen_count = 2; /* all TCP ports: none of them is more likely than another */
	ck_assert_uint_eq(service_check_port(&service, &check), 0);
	service.listen_count = 4; /* the first that is one of few */
	ck_assert_uint_eq(service_check_port(&service, &check), 8000);
	check.port = 9000;
	ck_assert_uint_eq(service_check_port(&service, &check), 9000);
}
END_TEST

START_TEST(test_clear)
{
	struct settings settings = { .connections = 5, .service_count = 2 };

	settings.services = calloc(2, sizeof(*settings.services));
	ck_assert_ptr_nonnull(settings.services);
	settings.services[0].listens = calloc(3, sizeof(struct listen_settings));
	settings.services[1].servers = calloc(3, sizeof(struct server_settings));
	settings_clear(&settings);
	ck_assert_ptr_null(settings.services);
	ck_assert_uint_eq(settings.service_count, 0);
	ck_assert_uint_eq(settings.connections, 0);
	settings_clear(&settings); /* nothing twice */
}
END_TEST

Suite *
settings_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_test(tcase, test_check_port);
	tcase_add_test(tcase, test_clear);
	suite_add_tcase(suite, tcase);
	return suite;
}
