/* SPDX-License-Identifier: ISC */
/* The table of fragments by itself: what it holds, for whom, and that its places come back. */
#include "config.h"

#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "flow/fragment.h"
#include "flow/source.h"
#include "suites.h"

#define NOW SECONDS(100)
#define HELD 256  /* src/flow/fragment.c */
#define SHARE 64
#define RING 4096

static const struct siphash_key secret = { { 1, 2, 3 } };
static const struct server_ref one = { 1, 1 }, two = { 2, 1 };
static struct fragment_table *table;
static unsigned released;

static void
setup(void)
{
	table = fragment_table_new(&secret);
	ck_assert_ptr_nonnull(table);
	released = 0;
}

static void
teardown(void)
{
	fragment_table_free(table);
}

static struct fragment_key
key_of(uint32_t source, uint32_t id)
{
	struct fragment_key key;

	memset(&key, 0, sizeof(key));
	key.client[10] = key.client[11] = 0xff;
	store32(key.client + 12, source);
	key.id = id;
	return key;
}

static bool
hold(uint32_t source, uint32_t id, bool last, uint64_t now)
{
	const struct fragment_key key = key_of(source, id);
	uint8_t bytes[64] = { 0 };
	const struct frame frame = frame_of(bytes, sizeof(bytes), 0);

	return fragment_hold(table, &key, &frame, last, now);
}

static void
release(void *context, struct frame *frame)
{
	(void)context;
	ck_assert_uint_eq(frame->length, 64);
	released++;
}

static void
settle(uint32_t source, uint32_t id, struct server_ref server, uint64_t now)
{
	const struct fragment_key key = key_of(source, id);

	fragment_settle(table, &key, server, release, NULL, now);
}

/* The slot of the server that a later fragment goes to, or 0. */
static unsigned
follow(uint32_t source, uint32_t id, bool last, uint64_t now)
{
	const struct fragment_key key = key_of(source, id);
	struct server_ref server;

	return fragment_find(table, &key, last, &server, now) ? server.slot : 0;
}

/* How many more frames find a place, each of another source. */
static unsigned
room(uint64_t now)
{
	unsigned count = 0;

	for (uint32_t source = 1 << 20; count <= HELD && source < (1 << 20) + 4096; source++)
		count += hold(source, 1, false, now);
	return count;
}

/* The ring's oldest entry makes way for another datagram: the places of what it held come back. */
START_TEST(ring_gives_places_back)
{
	for (unsigned i = 0; i < HELD + 1; i++) {
		ck_assert_msg(hold(1 + i, 1, false, NOW), "hold %u", i);
		for (uint32_t id = 0; id < RING - 1; id++)
			settle(7, id, one, NOW);
	}
	ck_assert(hold(1, 2, false, NOW));
	(void)fragment_expire(table, NOW + SECONDS(10));
	ck_assert_uint_eq(room(NOW + SECONDS(10)), HELD);
}
END_TEST

/* The datagram whose fragment was held too long gives its place to the next one of the same number. */
START_TEST(late_repetition_gives_places_back)
{
	for (uint64_t i = 0; i < HELD + 1; i++)
		ck_assert_msg(hold(1, 1, false, NOW + i * MILLISECONDS(2001)), "hold %u", (unsigned)i);
	(void)fragment_expire(table, NOW + SECONDS(1000));
	ck_assert_uint_eq(room(NOW + SECONDS(1000)), HELD);
}
END_TEST

START_TEST(one_source_has_its_share)
{
	for (uint32_t id = 0; id < SHARE; id++)
		ck_assert(hold(1, id, false, NOW));
	ck_assert(!hold(1, SHARE, false, NOW));
	ck_assert(hold(2, 1, false, NOW));
	settle(1, 0, one, NOW);
	ck_assert_uint_eq(released, 1);
	ck_assert(hold(1, SHARE, false, NOW));
	ck_assert_uint_eq(fragment_expire(table, NOW + SECONDS(3)), SHARE + 1);
	ck_assert(hold(1, 0, false, NOW + SECONDS(3)));
}
END_TEST

/* Forged fragments of many sources take all places, and give them back to what comes after a moment. */
START_TEST(the_oldest_makes_room)
{
	ck_assert_uint_eq(room(NOW), HELD);
	ck_assert(!hold(1, 1, false, NOW + MILLISECONDS(19)));
	ck_assert(hold(1, 1, false, NOW + MILLISECONDS(20)));
	ck_assert(hold(1, 1, true, NOW + MILLISECONDS(21)));
	for (uint32_t source = 1; source < 100; source++)
		ck_assert(hold((2 << 20) + source, 1, false, NOW + MILLISECONDS(22)));
	settle(1, 1, one, NOW + MILLISECONDS(23));
	ck_assert_uint_eq(released, 2);
	(void)fragment_expire(table, NOW + SECONDS(10));
	ck_assert_uint_eq(room(NOW + SECONDS(10)), HELD);
}
END_TEST

START_TEST(first_binding_wins)
{
	settle(1, 1, one, NOW);
	settle(1, 1, two, NOW + 1);
	ck_assert_uint_eq(follow(1, 1, false, NOW + 2), one.slot);
	ck_assert_uint_eq(follow(1, 1, true, NOW + 3), one.slot);
	/* What was in the middle may come after the last one. */
	ck_assert_uint_eq(follow(1, 1, false, NOW + 4), one.slot);
	/* The sender has come round to the number again (RFC 4963). */
	settle(1, 1, two, NOW + 5);
	ck_assert_uint_eq(follow(1, 1, false, NOW + 6), two.slot);
	settle(1, 1, one, NOW + 7);
	ck_assert_uint_eq(follow(1, 1, false, NOW + 8), two.slot);
	settle(1, 1, one, NOW + 8 + SECONDS(5));
	ck_assert_uint_eq(follow(1, 1, false, NOW + 9 + SECONDS(5)), one.slot);
}
END_TEST

/* The last fragment came first: it counts as having passed once it is released. */
START_TEST(held_last_ends_it)
{
	ck_assert(hold(1, 1, true, NOW));
	settle(1, 1, one, NOW);
	ck_assert_uint_eq(released, 1);
	settle(1, 1, two, NOW + 1);
	ck_assert_uint_eq(follow(1, 1, false, NOW + 2), two.slot);
}
END_TEST

START_TEST(pings_have_a_limit)
{
	struct fragment_key key = key_of(1, 1), other = key_of(2, 1);
	struct ping_limit limit;

	ping_limit_init(&limit, &secret);
	for (unsigned i = 0; i < PINGS_MOST; i++)
		ck_assert(ping_limit_take(&limit, key.client, NOW + i));
	ck_assert(!ping_limit_take(&limit, key.client, NOW + MILLISECONDS(999)));
	ck_assert(ping_limit_take(&limit, other.client, NOW + MILLISECONDS(999)));
	ck_assert(ping_limit_take(&limit, key.client, NOW + SECONDS(1)));
	/* IPv6: the /64 counts. */
	memset(key.client, 0, sizeof(key.client));
	key.client[0] = 0x20;
	for (unsigned i = 0; i < 2 * PINGS_MOST; i++) {
		key.client[15] = (uint8_t)i;
		ck_assert_int_eq(ping_limit_take(&limit, key.client, NOW + SECONDS(3)), i < PINGS_MOST);
	}
}
END_TEST

Suite *
fragment_suite(void)
{
	Suite *suite = suite_create("flow/fragment");
	TCase *tcase = tcase_create("fragment");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, ring_gives_places_back);
	tcase_add_test(tcase, late_repetition_gives_places_back);
	tcase_add_test(tcase, one_source_has_its_share);
	tcase_add_test(tcase, the_oldest_makes_room);
	tcase_add_test(tcase, first_binding_wins);
	tcase_add_test(tcase, held_last_ends_it);
	tcase_add_test(tcase, pings_have_a_limit);
	suite_add_tcase(suite, tcase);
	return suite;
}
