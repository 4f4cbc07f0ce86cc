/* SPDX-License-Identifier: ISC */
/* Who may connect: the secret, versions, names; and that no byte can be changed, repeated or left out. */
#include "config.h"

#include "sync/session.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "suites.h"

struct ends {
	struct session_secret secrets[2];
	struct session sessions[2]; /* the first begins */
	struct wire_hello own[2];
};

static void
ends_begin(struct ends *ends, uint8_t nonce)
{
	for (unsigned i = 0; i < 2; i++) {
		struct wire_hello *own = &ends->own[i];

		memset(own, 0, sizeof(*own));
		own->name[0] = (char)('a' + i);
		own->boot[0] = (uint8_t)(i + 1);
		memset(own->nonce, nonce + (int)i, sizeof(own->nonce));
		session_begin(&ends->sessions[i], i == 0, &ends->secrets[i], own);
	}
}

static void
ends_open(struct ends *ends)
{
	memset(ends, 0, sizeof(*ends));
	for (unsigned i = 0; i < 2; i++) {
		ends->secrets[i].length = SESSION_SECRET_LEAST;
		memset(ends->secrets[i].bytes, 'k', SESSION_SECRET_LEAST);
	}
	ends_begin(ends, 1);
}

static enum session_got
give(struct session *session, const uint8_t *bytes, size_t length)
{
	struct session_frame frame;
	size_t used;

	return session_take(session, bytes, length, &used, &frame);
}

/* Both HELLOs. */
static void
greet(struct ends *ends)
{
	uint8_t bytes[WIRE_FRAME];

	for (unsigned i = 0; i < 2; i++) {
		const size_t length = session_hello(&ends->sessions[i], bytes);

		ck_assert_uint_gt(length, 0);
		ck_assert_int_eq(give(&ends->sessions[1 - i], bytes, length), SESSION_GOT_HELLO);
	}
}

static size_t
seal(struct session *session, uint8_t bytes[WIRE_FRAME], uint8_t type, uint8_t what)
{
	size_t length;

	memset(bytes + WIRE_HEADER, what, 40);
	length = session_seal(session, bytes, (enum wire_type)type, 40);
	ck_assert_uint_gt(length, 0);
	return length;
}

START_TEST(test_two_that_know_the_secret)
{
	uint8_t bytes[WIRE_FRAME];
	struct session_frame frame;
	struct ends ends;
	size_t used;

	ends_open(&ends);
	greet(&ends);
	ck_assert_int_eq(ends.sessions[0].phase, SESSION_PROOF);
	for (unsigned i = 0; i < 6; i++) {
		const size_t length = seal(&ends.sessions[i & 1], bytes, WIRE_FLOWS, (uint8_t)i);

		/* It arrives in two parts. */
		ck_assert_int_eq(session_take(&ends.sessions[1 - (i & 1)], bytes, length - 1, &used, &frame), SESSION_GOT_NOTHING);
		ck_assert_uint_eq(used, 0);
		ck_assert_int_eq(session_take(&ends.sessions[1 - (i & 1)], bytes, length, &used, &frame), SESSION_GOT_FRAME);
		ck_assert_uint_eq(used, length);
		ck_assert_uint_eq(frame.type, WIRE_FLOWS);
		ck_assert_uint_eq(frame.length, 40);
		ck_assert_uint_eq(frame.body[39], i);
	}
	ck_assert_int_eq(ends.sessions[0].phase, SESSION_UP);
	ck_assert_str_eq(ends.sessions[0].peer.name, "b");
}
END_TEST

static void
assert_hello_refused(struct ends *ends, enum session_fault fault)
{
	uint8_t bytes[WIRE_FRAME];
	const size_t length = session_hello(&ends->sessions[0], bytes);

	ck_assert_int_eq(give(&ends->sessions[1], bytes, length), SESSION_GOT_FAULT);
	ck_assert_int_eq(ends->sessions[1].fault, fault);
	/* For good. */
	ck_assert_int_eq(give(&ends->sessions[1], bytes, length), SESSION_GOT_FAULT);
}

START_TEST(test_wrong_secret)
{
	struct ends ends;

	ends_open(&ends);
	ends.secrets[0].bytes[7] ^= 1;
	assert_hello_refused(&ends, SESSION_SECRET);
}
END_TEST

START_TEST(test_no_common_version)
{
	struct ends ends;

	ends_open(&ends);
	ends.sessions[0].own.lowest = ends.sessions[0].own.highest = WIRE_VERSION + 1;
	assert_hello_refused(&ends, SESSION_VERSION);
	/* A newer one that still speaks ours is fine. */
	ends_begin(&ends, 3);
	ends.sessions[0].own.highest = WIRE_VERSION + 1;
	greet(&ends);
	ck_assert_uint_eq(ends.sessions[1].version, WIRE_VERSION);
}
END_TEST

START_TEST(test_own_name)
{
	struct ends ends;

	ends_open(&ends);
	ends.sessions[0].own.name[0] = 'b';
	assert_hello_refused(&ends, SESSION_ITSELF);
}
END_TEST

/* Our own HELLO comes back to us. */
START_TEST(test_reflected)
{
	uint8_t bytes[WIRE_FRAME];
	struct ends ends;
	size_t length;

	ends_open(&ends);
	length = session_hello(&ends.sessions[0], bytes);
	ck_assert_int_eq(give(&ends.sessions[0], bytes, length), SESSION_GOT_FAULT);
	ends_begin(&ends, 5);
	greet(&ends);
	length = seal(&ends.sessions[0], bytes, WIRE_STATE, 1);
	ck_assert_int_eq(give(&ends.sessions[0], bytes, length), SESSION_GOT_FAULT);
	ck_assert_int_eq(ends.sessions[0].fault, SESSION_TAG);
}
END_TEST

/* A whole connection that was recorded: the second time the other side's nonce is another one. */
START_TEST(test_replayed_connection)
{
	uint8_t hello[WIRE_FRAME], frame[WIRE_FRAME], bytes[WIRE_FRAME];
	size_t hello_length, frame_length;
	struct ends ends;

	ends_open(&ends);
	hello_length = session_hello(&ends.sessions[0], hello);
	ck_assert_int_eq(give(&ends.sessions[1], hello, hello_length), SESSION_GOT_HELLO);
	ck_assert_int_eq(give(&ends.sessions[0], bytes, session_hello(&ends.sessions[1], bytes)), SESSION_GOT_HELLO);
	frame_length = seal(&ends.sessions[0], frame, WIRE_FLOWS, 9);
	ck_assert_int_eq(give(&ends.sessions[1], frame, frame_length), SESSION_GOT_FRAME);

	ends_begin(&ends, 9);
	ck_assert_int_eq(give(&ends.sessions[1], hello, hello_length), SESSION_GOT_HELLO);
	ck_assert_int_eq(ends.sessions[1].phase, SESSION_PROOF);
	ck_assert_int_eq(give(&ends.sessions[1], frame, frame_length), SESSION_GOT_FAULT);
	ck_assert_int_eq(ends.sessions[1].fault, SESSION_TAG);
}
END_TEST

/* A frame that comes twice, one that is left out, and every single changed byte. */
START_TEST(test_altered_stream)
{
	uint8_t first[WIRE_FRAME], second[WIRE_FRAME];
	struct ends ends;
	size_t length;

	ends_open(&ends);
	greet(&ends);
	length = seal(&ends.sessions[0], first, WIRE_FLOWS, 1);
	ck_assert_int_eq(give(&ends.sessions[1], first, length), SESSION_GOT_FRAME);
	ck_assert_int_eq(give(&ends.sessions[1], first, length), SESSION_GOT_FAULT);

	ends_begin(&ends, 11);
	greet(&ends);
	(void)seal(&ends.sessions[0], first, WIRE_FLOWS, 1);
	length = seal(&ends.sessions[0], second, WIRE_FLOWS, 2);
	ck_assert_int_eq(give(&ends.sessions[1], second, length), SESSION_GOT_FAULT);

	for (size_t at = 0; at < WIRE_HEADER + 40 + SEAL_TAG; at++) {
		enum session_got got;

		ends_begin(&ends, 13);
		greet(&ends);
		length = seal(&ends.sessions[0], first, WIRE_FLOWS, 1);
		first[at] ^= 1;
		got = give(&ends.sessions[1], first, length);
		/* A longer body is waited for, and never comes. */
		must(got == SESSION_GOT_FAULT || (at < 4 && got == SESSION_GOT_NOTHING), "byte %zu was changed", at);
	}
}
END_TEST

/* A stranger: any bytes before the HELLO cost no more than a header. */
START_TEST(test_strangers)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\nHost: lb1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" };
	uint8_t bytes[WIRE_FRAME];
	struct ends ends;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ends_open(&ends);
		memset(bytes, 0xff, sizeof(bytes));
		memcpy(bytes, texts[i], strlen(texts[i]));
		ck_assert_int_eq(give(&ends.sessions[1], bytes, WIRE_HEADER), SESSION_GOT_FAULT);
		ck_assert_int_eq(ends.sessions[1].fault, SESSION_NO_DSRD);
	}
	/* A HELLO may not be long, and no other type comes first. */
	for (unsigned i = 0; i < 2; i++) {
		const struct wire_header header = { i == 0 ? WIRE_BODY : 60, i == 0 ? WIRE_HELLO : WIRE_FLOWS, 0 };

		ends_begin(&ends, 15);
		wire_put_header(bytes, &header);
		ck_assert_int_eq(give(&ends.sessions[1], bytes, WIRE_HEADER), SESSION_GOT_FAULT);
	}
}
END_TEST

/* How the protocol grows. */
START_TEST(test_unknown_types)
{
	uint8_t bytes[2 * WIRE_FRAME];
	struct session_frame frame;
	struct ends ends;
	size_t length, used;

	ends_open(&ends);
	greet(&ends);
	length = seal(&ends.sessions[0], bytes, WIRE_OPTIONAL | 5, 1);
	length += seal(&ends.sessions[0], bytes + length, WIRE_STATE, 2);
	ck_assert_int_eq(session_take(&ends.sessions[1], bytes, length, &used, &frame), SESSION_GOT_FRAME);
	ck_assert_uint_eq(frame.type, WIRE_STATE);
	ck_assert_uint_eq(used, length);
	length = seal(&ends.sessions[0], bytes, WIRE_FRAGMENTS + 1, 1);
	ck_assert_int_eq(give(&ends.sessions[1], bytes, length), SESSION_GOT_FAULT);
	ck_assert_int_eq(ends.sessions[1].fault, SESSION_TYPE);
}
END_TEST

Suite *
session_suite(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("authenticity");

	tcase_add_test(tcase, test_two_that_know_the_secret);
	tcase_add_test(tcase, test_wrong_secret);
	tcase_add_test(tcase, test_no_common_version);
	tcase_add_test(tcase, test_own_name);
	tcase_add_test(tcase, test_reflected);
	tcase_add_test(tcase, test_replayed_connection);
	tcase_add_test(tcase, test_altered_stream);
	tcase_add_test(tcase, test_strangers);
	tcase_add_test(tcase, test_unknown_types);
	suite_add_tcase(suite, tcase);
	return suite;
}
