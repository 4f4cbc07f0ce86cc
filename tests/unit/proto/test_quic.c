/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "proto/quic.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "suites.h"

#define V1 0, 0, 0, 1
#define V2 0x6b, 0x33, 0x43, 0xcf

/* Configuration 0 has IDs of two bytes, 1 of one, 6 of fifteen; the others are not in use. */
static const uint8_t lengths[QUIC_CONFIGS] = { [0] = 2, [1] = 1, [6] = QUIC_ID_MOST };

static const struct {
	const char *what;
	size_t length;
	uint8_t bytes[40];
	enum quic_route route;
	struct quic_id id;
} cases[] = {
	{ "nothing", 0, { 0 }, QUIC_BY_ADDRESS, { 0 } },
	{ "short header, configuration 0", 20, { 0x40, 0x07, 0x0a, 0x01, 1, 2, 3, 4 }, QUIC_BY_ID,
	    { 2, { 0x0a, 0x01 } } },
	{ "as short as the nonce allows", 8, { 0x40, 0x1f, 0x0a, 0x01, 1, 2, 3, 4 }, QUIC_BY_ID, { 2, { 0x0a, 0x01 } } },
	{ "one byte less", 7, { 0x40, 0x1f, 0x0a, 0x01, 1, 2, 3 }, QUIC_INVALID, { 0 } },
	{ "the fixed bit may be anything", 20, { 0x3f, 0x00, 0x0a, 0x01 }, QUIC_BY_ID, { 2, { 0x0a, 0x01 } } },
	{ "configuration 1", 20, { 0x40, 0x20, 0xfe, 9, 9, 9, 9 }, QUIC_BY_ID, { 1, { 0xfe } } },
	{ "configuration 6", 21, { 0x40, 0xdf, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff }, QUIC_BY_ID,
	    { 15, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } } },
	{ "not in use", 20, { 0x40, 0x40, 0x0a, 0x01 }, QUIC_INVALID, { 0 } },
	{ "names no server", 20, { 0x40, 0xe0, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "a first byte alone", 1, { 0x40 }, QUIC_INVALID, { 0 } },
	{ "initial", 40, { 0xc0, V1, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "0-RTT", 40, { 0xd0, V1, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "handshake", 40, { 0xe0, V1, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ID, { 2, { 0x0a, 0x01 } } },
	{ "retry", 40, { 0xf0, V1, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "version 2: retry", 40, { 0xc0, V2, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "version 2: initial", 40, { 0xd0, V2, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "version 2: 0-RTT", 40, { 0xe0, V2, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "version 2: handshake", 40, { 0xf0, V2, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ID, { 2, { 0x0a, 0x01 } } },
	{ "a version to come", 40, { 0xe0, 0, 0, 0, 9, 8, 0x00, 0x0a, 0x01 }, QUIC_BY_ADDRESS, { 0 } },
	{ "handshake for an ID that is too short", 40, { 0xe0, V1, 6, 0x00, 0x0a, 0x01 }, QUIC_INVALID, { 0 } },
	{ "handshake for no ID", 40, { 0xe0, V1, 0, 0x00, 0x0a, 0x01 }, QUIC_INVALID, { 0 } },
	{ "handshake whose ID ends behind it", 13, { 0xe0, V1, 8, 0x00, 0x0a, 0x01 }, QUIC_INVALID, { 0 } },
	{ "a long header that is cut", 5, { 0xe0, V1 }, QUIC_BY_ADDRESS, { 0 } },
};

START_TEST(test_route)
{
	/* In memory of its own, so that memory checkers see what is read behind its end. */
	uint8_t *payload = malloc(cases[_i].length + 1);
	struct quic_id id = { 0 };

	ck_assert_ptr_nonnull(payload);
	memcpy(payload, cases[_i].bytes, cases[_i].length);
	payload = realloc(payload, cases[_i].length > 0 ? cases[_i].length : 1);
	ck_assert_msg(quic_route(payload, cases[_i].length, lengths, &id) == cases[_i].route, "%s", cases[_i].what);
	if (cases[_i].route == QUIC_BY_ID)
		ck_assert_msg(memcmp(&id, &cases[_i].id, sizeof(id)) == 0, "%s", cases[_i].what);
	free(payload);
}
END_TEST

START_TEST(test_use)
{
	static const uint8_t none[QUIC_CONFIGS] = { 0 }, last[QUIC_CONFIGS] = { [QUIC_CONFIGS - 1] = 1 };

	ck_assert(!quic_is_used(none));
	ck_assert(quic_is_used(last));
}
END_TEST

Suite *
quic_suite(void)
{
	Suite *suite = suite_create("quic");
	TCase *tcase = tcase_create("quic");

	tcase_add_loop_test(tcase, test_route, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tcase, test_use);
	suite_add_tcase(suite, tcase);
	return suite;
}
