/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <string.h>

#include "../scene/scene.h"
#include "base/attr.h"
#include "base/duration.h"
#include "forward/neigh.h"
#include "suites.h"

#define NOW SECONDS(100)

struct record {
	unsigned asked;
	unsigned broadcasts;
	struct mac last_destination;
	unsigned events[5];
	enum neigh_reason reason; /* these two: of the last event */
	struct mac other;
	const char *here;  /* this MAC answers requests that reach it, and broadcasts */
	const char *thief; /* so does this one */
	struct neigh_table *table;
	uint64_t now;
};

#define OLD "02:00:00:00:00:11"
#define NEW "02:00:00:00:00:22"
#define SERVER "192.0.2.11"

static void
watch(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other)
{
	struct record *record = context;

	ck_assert_ptr_nonnull(neigh);
	record->events[event]++;
	record->reason = reason;
	record->other = *other;
}

static void
ask(void *context, const struct neigh *neigh, const struct mac *destination)
{
	struct record *record = context;

	ck_assert_ptr_nonnull(neigh);
	record->asked++;
	record->broadcasts += mac_equal(destination, &mac_broadcast);
	record->last_destination = *destination;
}

static struct neigh_table *
table_wanting(struct record *record, const char *addr)
{
	struct neigh_table *table = neigh_table_new(watch, record);
	const struct addr wanted = scene_addr(addr);

	memset(record, 0, sizeof(*record));
	ck_assert_ptr_nonnull(table);
	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &wanted, NEIGHBOR_PROVE, NOW), 0);
	neigh_end(table);
	return table;
}

static struct neigh_claim
claim_of(const char *addr, const char *mac)
{
	return (struct neigh_claim) { .addr = scene_addr(addr), .mac = scene_mac(mac), .sender = scene_mac(mac) };
}

static void
learn(struct neigh_table *table, uint16_t iface, const char *addr, const char *mac, uint64_t now)
{
	struct neigh_claim claim = claim_of(addr, mac);

	claim.iface = iface;
	neigh_learn(table, &claim, now);
}

static void
set_policy(struct neigh_table *table, enum neighbor_policy policy)
{
	const struct addr wanted = scene_addr(SERVER);

	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &wanted, policy, NOW), 0);
	neigh_end(table);
}

static void
answer_as(const struct record *record, const char *mac, const struct mac *destination)
{
	const struct mac own = mac != NULL ? scene_mac(mac) : mac_zero;

	if (mac != NULL && (mac_equal(destination, &own) || mac_is_group(destination)))
		learn(record->table, 0, SERVER, mac, record->now);
}

/* The machines answer at once. */
static void
ask_machines(void *context, const struct neigh *neigh, const struct mac *destination)
{
	struct record *record = context;

	(void)neigh;
	record->asked++;
	answer_as(record, record->here, destination);
	answer_as(record, record->thief, destination);
}

/* Lets time pass, a tick a second and whenever one is due, until `end`. */
static void
run(struct record *record, uint64_t end)
{
	while (record->now < end) {
		const uint64_t due = neigh_due(record->table);
		const uint64_t next = record->now - record->now % SECONDS(1) + SECONDS(1);

		record->now = due < record->now ? record->now : due < next ? due : next;
		neigh_tick(record->table, record->now, ask_machines, record);
	}
}

/* The server at OLD is known, and answers. */
static struct neigh_table *
table_knowing(struct record *record)
{
	struct neigh_table *table = table_wanting(record, SERVER);

	record->table = table;
	record->now = NOW;
	record->here = OLD;
	run(record, NOW + SECONDS(2));
	ck_assert_uint_eq(record->events[NEIGH_FOUND], 1);
	record->asked = 0;
	return table;
}

static void
assert_at(struct record *record, const char *mac)
{
	const struct addr addr = scene_addr(SERVER);
	const struct mac wanted = scene_mac(mac), *at = neigh_mac(record->table, 0, &addr);

	ck_assert_ptr_nonnull(at);
	ck_assert(mac_equal(at, &wanted));
}

/*
 * As many servers as there may be: a reload, and an answer of each, look at some entries for each, not at all of
 * them.
 */
START_TEST(test_work_is_bounded)
{
	enum { SERVERS = 32000, EACH = 4 };
	struct record record = { .asked = 0 };
	struct neigh_table *table = neigh_table_new(watch, &record);

	ck_assert_ptr_nonnull(table);
	for (unsigned reload = 0; reload < 2; reload++) {
		neigh_begin(table);
		for (unsigned i = 0; i < SERVERS; i++) {
			const uint16_t iface = (uint16_t)(i % 3);
			struct addr addr = scene_addr(i % 2 == 0 ? "10.0.0.0" : "2001:db8::");

			addr.bytes[i % 2 == 0 ? 2 : 14] = (uint8_t)(i >> 8);
			addr.bytes[i % 2 == 0 ? 3 : 15] = (uint8_t)i;
			must(neigh_want(table, iface, &addr, NEIGHBOR_PROVE, NOW) == 0, "server %u", i);
			neigh_learn(table, &(struct neigh_claim) { .iface = iface, .addr = addr,
			    .mac = { { 2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i } } }, NOW);
			must(neigh_mac(table, iface, &addr)->bytes[5] == (uint8_t)i, "the MAC of server %u", i);
		}
		neigh_end(table);
	}
	ck_assert_uint_eq(neigh_count(table), SERVERS);
	ck_assert_uint_eq(record.events[NEIGH_FOUND], SERVERS);
	ck_assert_uint_lt(neigh_compared(table), UINT64_C(2) * 3 * SERVERS * EACH);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_asks_until_answered)
{
	const struct addr addr = scene_addr("192.0.2.11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	neigh_tick(table, NOW, ask, &record);
	ck_assert_uint_eq(record.asked, 1);
	ck_assert_uint_eq(record.broadcasts, 1);
	neigh_tick(table, NOW + MILLISECONDS(500), ask, &record);
	ck_assert_uint_eq(record.asked, 1);
	neigh_tick(table, NOW + SECONDS(1), ask, &record);
	ck_assert_uint_eq(record.asked, 2);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW + SECONDS(1));
	ck_assert_uint_eq(record.events[NEIGH_FOUND], 1);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &addr));
	neigh_tick(table, NOW + SECONDS(2), ask, &record);
	ck_assert_uint_eq(record.asked, 2);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_says_once_that_nobody_answers)
{
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	for (unsigned second = 0; second < 60; second++)
		neigh_tick(table, NOW + SECONDS(second), ask, &record);
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	ck_assert(mac_is_zero(&record.other));
	ck_assert_uint_gt(record.asked, 10); /* it goes on asking */
	ck_assert_uint_lt(record.asked, 20); /* but less often */
	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW + SECONDS(60));
	ck_assert_uint_eq(record.events[NEIGH_FOUND], 1);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_refreshes_by_unicast_then_broadcast_then_gives_up)
{
	const struct addr addr = scene_addr("192.0.2.11");
	const struct mac mac = scene_mac("02:00:00:00:00:11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW);
	neigh_tick(table, NOW + SECONDS(29), ask, &record);
	ck_assert_uint_eq(record.asked, 0);
	for (unsigned i = 0; i < 3; i++)
		neigh_tick(table, NOW + SECONDS(30 + i), ask, &record);
	ck_assert_uint_eq(record.asked, 3);
	ck_assert_uint_eq(record.broadcasts, 0);
	ck_assert(mac_equal(&record.last_destination, &mac));
	for (unsigned i = 3; i < 6; i++)
		neigh_tick(table, NOW + SECONDS(30 + i), ask, &record);
	ck_assert_uint_eq(record.broadcasts, 3);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &addr));
	neigh_tick(table, NOW + SECONDS(36), ask, &record);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	ck_assert(mac_equal(&record.other, &mac));
	neigh_table_free(table);
}
END_TEST

START_TEST(test_follow_takes_the_last_but_does_not_flap)
{
	struct record record;
	struct neigh_table *table = table_wanting(&record, SERVER);

	record.table = table;
	set_policy(table, NEIGHBOR_FOLLOW);
	learn(table, 0, SERVER, OLD, NOW);
	learn(table, 0, SERVER, NEW, NOW + SECONDS(5));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	ck_assert_int_eq(record.reason, NEIGH_FOLLOWED);
	assert_at(&record, NEW);
	for (unsigned i = 0; i < 100; i++)
		learn(table, 0, SERVER, i % 2 == 0 ? OLD : NEW, NOW + SECONDS(5) + MILLISECONDS(i));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

/* The card is replaced: the old MAC is asked four times, and then the new one has the address. */
START_TEST(test_a_silent_mac_is_replaced)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const uint64_t begin = record.now;
	const struct mac old = scene_mac(OLD);

	record.here = NEW;
	learn(table, 0, SERVER, NEW, begin);
	assert_at(&record, OLD);
	ck_assert_uint_eq(neigh_due(table), begin);
	run(&record, begin + NEIGH_TRIES * NEIGH_TRY_GAP - 1);
	assert_at(&record, NEW);
	ck_assert_uint_le(record.now - begin, SECONDS(1));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	ck_assert_int_eq(record.reason, NEIGH_SILENT);
	ck_assert(mac_equal(&record.other, &old));
	ck_assert_uint_eq(record.asked, NEIGH_TRIES + 1); /* the new one too, at once */
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 0);
	neigh_table_free(table);
}
END_TEST

/*
 * In a flood the answers of the known MAC get lost, and its claimant's claims do not: as long as frames are lost, or
 * unread, nothing moves and nothing is forgotten. Afterwards silence means what it meant.
 */
START_TEST(test_silence_in_a_flood_proves_nothing)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	uint64_t lost = 0;

	record.here = NULL; /* its answers do not arrive */
	for (unsigned i = 0; i < 400; i++) {
		neigh_losses(table, _i == 0 ? ++lost : 0, _i != 0);
		if (i % 4 == 0)
			learn(table, 0, SERVER, NEW, record.now);
		run(&record, record.now + MILLISECONDS(250));
		assert_at(&record, OLD);
	}
	neigh_losses(table, lost, false);
	learn(table, 0, SERVER, NEW, record.now);
	record.here = NEW;
	run(&record, record.now + SECONDS(3));
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

/* Nor is a MAC forgotten that no one claims. */
START_TEST(test_a_flood_makes_nothing_forgotten)
{
	const struct addr addr = scene_addr(SERVER);
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	uint64_t lost = 0;

	record.here = NULL;
	for (unsigned i = 0; i < 300; i++) {
		neigh_losses(table, ++lost, false);
		run(&record, record.now + SECONDS(1));
		assert_at(&record, OLD);
	}
	run(&record, record.now + SECONDS(120));
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	neigh_table_free(table);
}
END_TEST

/* A third host claims the address ten thousand times a second for a minute, as itself and as others: one conflict. */
START_TEST(test_a_flood_of_claims_moves_nothing)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const uint64_t begin = record.now;
	const struct mac thief = scene_mac(NEW);

	record.thief = NEW;
	for (unsigned i = 0; i < 600000; i++) {
		const uint64_t now = begin + i * UINT64_C(100);
		struct neigh_claim claim = claim_of(SERVER, NEW);

		if (i % 16 == 1)
			claim.mac.bytes[4] = (uint8_t)(i >> 4);
		claim.tentative = i % 8 == 3;
		claim.weak = i % 8 == 5;
		neigh_learn(table, &claim, now);
		record.now = now;
		if (neigh_due(table) <= now || i % 10000 == 0)
			neigh_tick(table, now, ask_machines, &record);
		must(mac_equal(&neigh_get(table, 0, &claim.addr)->mac, &(struct mac) { { 2, 0, 0, 0, 0, 0x11 } }),
		    "the MAC after claim %u", i);
	}
	ck_assert_uint_eq(record.events[NEIGH_CHANGED] + record.events[NEIGH_GONE], 0);
	ck_assert_uint_ge(record.events[NEIGH_CONFLICT], 1);
	/* once, and once in ten seconds when another MAC takes part */
	ck_assert_uint_le(record.events[NEIGH_CONFLICT], 7);
	ck_assert_uint_le(record.asked, 60 * 2 + 4);
	ck_assert(mac_equal(&neigh_at(table, 0)->rival.mac, &thief) || neigh_at(table, 0)->rival.claims > 0);
	/* It stops. */
	record.thief = NULL;
	run(&record, record.now + SECONDS(62));
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT_ENDED], 1);
	ck_assert(mac_is_zero(&neigh_at(table, 0)->rival.mac));
	neigh_table_free(table);
}
END_TEST

/* While a claim has just been refused, the server moves: the next claim waits for its trial, and is not lost. */
START_TEST(test_moves_just_after_a_refused_claim)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const uint64_t begin = record.now;

	learn(table, 0, SERVER, "02:00:00:00:00:66", begin);
	neigh_tick(table, begin, ask_machines, &record);
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 1);
	record.here = NULL;
	record.now = begin + MILLISECONDS(1);
	learn(table, 0, SERVER, NEW, record.now);
	/* What the old machine sent just before it went comes later. */
	learn(table, 0, SERVER, OLD, record.now);
	record.here = NEW;
	run(&record, begin + NEIGH_TRIAL_GAP + NEIGH_TRIES * NEIGH_TRY_GAP);
	assert_at(&record, NEW);
	ck_assert_uint_le(record.now - begin, SECONDS(2));
	neigh_table_free(table);
}
END_TEST

/* A second MAC that claims the address once, just after the first was reported, is not forgotten. */
START_TEST(test_a_second_claimant_is_named)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const struct mac second = scene_mac("02:00:00:00:00:67");

	learn(table, 0, SERVER, "02:00:00:00:00:66", record.now);
	run(&record, record.now + SECONDS(1));
	learn(table, 0, SERVER, "02:00:00:00:00:67", record.now);
	run(&record, record.now + SECONDS(5));
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 1);
	run(&record, record.now + SECONDS(6));
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 2);
	ck_assert(mac_equal(&record.other, &second));
	run(&record, record.now + SECONDS(30));
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 2);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_pin_keeps_the_first)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const struct addr addr = scene_addr(SERVER);
	const struct mac newer = scene_mac(NEW);

	set_policy(table, NEIGHBOR_PIN);
	record.here = NEW;
	learn(table, 0, SERVER, NEW, record.now);
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 1);
	ck_assert_int_eq(record.reason, NEIGH_PINNED);
	run(&record, record.now + SECONDS(45));
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	ck_assert_uint_eq(record.events[NEIGH_FOUND], 1);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	ck_assert(mac_equal(&neigh_at(table, 0)->rival.mac, &newer));
	ck_assert(neigh_set(table, 0, &addr, &newer, record.now));
	ck_assert_int_eq(record.events[NEIGH_CONFLICT_ENDED], 1);
	assert_at(&record, NEW);
	run(&record, record.now + SECONDS(45));
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_an_operator_ends_a_conflict)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const struct addr addr = scene_addr(SERVER), other = scene_addr("192.0.2.99");
	const struct mac newer = scene_mac(NEW);

	ck_assert(!neigh_set(table, 0, &other, &newer, record.now));
	ck_assert(neigh_set(table, 0, &addr, &newer, record.now));
	ck_assert_uint_eq(record.events[NEIGH_CHANGED], 1);
	ck_assert_int_eq(record.reason, NEIGH_GIVEN);
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

/* RFC 4861 section 7.2.5: without Override a known MAC stays, but is asked; an unknown one is taken. */
START_TEST(test_without_override)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	struct neigh_claim claim = claim_of(SERVER, NEW);

	claim.weak = true;
	record.here = NULL;
	neigh_learn(table, &claim, record.now);
	ck_assert_uint_eq(neigh_due(table), record.now);
	run(&record, record.now + SECONDS(2));
	assert_at(&record, OLD);
	ck_assert_uint_ge(record.asked, NEIGH_TRIES);
	run(&record, record.now + SECONDS(10));
	ck_assert_uint_eq(record.events[NEIGH_GONE], 1);
	neigh_learn(table, &claim, record.now);
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

/* A probe for duplicates claims nothing yet, but may come from the new card of a server whose old one is gone. */
START_TEST(test_probe_of_a_new_card)
{
	struct record record;
	struct neigh_table *table = table_wanting(&record, SERVER);
	struct neigh_claim claim = claim_of(SERVER, NEW);
	const struct addr addr = scene_addr(SERVER);

	claim.tentative = true;
	neigh_learn(table, &claim, NOW);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	neigh_table_free(table);
	table = table_knowing(&record);
	neigh_learn(table, &claim, record.now);
	record.here = NEW;
	run(&record, record.now + SECONDS(1));
	assert_at(&record, NEW);
	neigh_table_free(table);
}
END_TEST

/* A host that probes for duplicates, as another director's doctor does, is no second owner: the known one answers. */
START_TEST(test_probe_of_a_known_address)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	struct neigh_claim claim = claim_of(SERVER, NEW);

	claim.tentative = true;
	neigh_learn(table, &claim, record.now);
	run(&record, record.now + SECONDS(2));
	ck_assert_uint_ge(record.asked, 1);
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 0);
	assert_at(&record, OLD);
	neigh_table_free(table);
}
END_TEST

static const struct {
	uint16_t vlan;
	enum neigh_reason refuse;
	unsigned conflicts;
} unbelievable[] = {
	{ 666, NEIGH_REASON_NONE, 0 },
	{ 0, NEIGH_NEXT_HOP, 1 },
	{ 0, NEIGH_DIRECTOR, 1 },
};

START_TEST(test_what_is_never_believed)
{
	struct record record;
	struct neigh_table *table = table_wanting(&record, SERVER);
	const struct addr addr = scene_addr(SERVER);
	struct neigh_claim claim = claim_of(SERVER, NEW);

	claim.vlan = unbelievable[_i].vlan;
	claim.refuse = unbelievable[_i].refuse;
	neigh_learn(table, &claim, NOW);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], unbelievable[_i].conflicts);
	neigh_table_free(table);
	table = table_knowing(&record);
	neigh_learn(table, &claim, record.now);
	record.here = NULL; /* not even when the server is silent */
	run(&record, record.now + SECONDS(2));
	assert_at(&record, OLD);
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], unbelievable[_i].conflicts);
	neigh_table_free(table);
}
END_TEST

/* A check failed: the old MAC is asked at once, then everyone, and the new one answers. */
START_TEST(test_a_suspect_is_asked)
{
	struct record record;
	struct neigh_table *table = table_knowing(&record);
	const struct addr addr = scene_addr(SERVER);
	const uint64_t begin = record.now;

	record.here = NEW;
	neigh_suspect(table, 0, &addr, begin);
	run(&record, begin + SECONDS(2));
	assert_at(&record, NEW);
	ck_assert_int_eq(record.reason, NEIGH_SILENT);
	/* One that answers is not disturbed further. */
	record.asked = 0;
	neigh_suspect(table, 0, &addr, record.now + SECONDS(1));
	record.now += SECONDS(1);
	neigh_tick(table, record.now, ask_machines, &record);
	ck_assert_uint_eq(record.asked, 1);
	ck_assert_uint_eq(record.events[NEIGH_CONFLICT], 0);
	neigh_table_free(table);
}
END_TEST

/* Two services have a server at that address: the strictest policy counts. */
START_TEST(test_strictest_policy_counts)
{
	const struct addr addr = scene_addr(SERVER);
	struct record record;
	struct neigh_table *table = table_wanting(&record, SERVER);

	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &addr, NEIGHBOR_FOLLOW, NOW), 0);
	ck_assert_int_eq(neigh_at(table, 0)->policy, NEIGHBOR_FOLLOW);
	ck_assert_int_eq(neigh_want(table, 0, &addr, NEIGHBOR_PIN, NOW), 0);
	ck_assert_int_eq(neigh_want(table, 0, &addr, NEIGHBOR_PROVE, NOW), 0);
	neigh_end(table);
	ck_assert_int_eq(neigh_at(table, 0)->policy, NEIGHBOR_PIN);
	neigh_table_free(table);
}
END_TEST

START_TEST(test_learns_only_what_it_wants_where_it_wants_it)
{
	const struct addr addr = scene_addr("192.0.2.11");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.12", "02:00:00:00:00:12", NOW);
	learn(table, 1, "192.0.2.11", "02:00:00:00:00:11", NOW);
	ck_assert_uint_eq(neigh_count(table), 1);
	ck_assert_ptr_null(neigh_mac(table, 0, &addr));
	neigh_table_free(table);
}
END_TEST

START_TEST(test_wanting_anew_keeps_what_is_known)
{
	const struct addr kept = scene_addr("192.0.2.11"), added = scene_addr("192.0.2.12");
	struct record record;
	struct neigh_table *table = table_wanting(&record, "192.0.2.11");

	learn(table, 0, "192.0.2.11", "02:00:00:00:00:11", NOW);
	neigh_begin(table);
	ck_assert_int_eq(neigh_want(table, 0, &added, NEIGHBOR_PROVE, NOW), 0);
	ck_assert_int_eq(neigh_want(table, 0, &kept, NEIGHBOR_PROVE, NOW), 0);
	ck_assert_int_eq(neigh_want(table, 0, &kept, NEIGHBOR_PROVE, NOW), 0);
	neigh_end(table);
	ck_assert_uint_eq(neigh_count(table), 2);
	ck_assert_ptr_nonnull(neigh_mac(table, 0, &kept));
	neigh_begin(table);
	neigh_end(table);
	ck_assert_uint_eq(neigh_count(table), 0);
	neigh_table_free(table);
}
END_TEST

Suite *
neigh_suite(void)
{
	Suite *suite = suite_create("neigh");
	TCase *tcase = tcase_create("neigh");

	tcase_add_test(tcase, test_work_is_bounded);
	tcase_add_test(tcase, test_asks_until_answered);
	tcase_add_test(tcase, test_says_once_that_nobody_answers);
	tcase_add_test(tcase, test_refreshes_by_unicast_then_broadcast_then_gives_up);
	tcase_add_test(tcase, test_follow_takes_the_last_but_does_not_flap);
	tcase_add_test(tcase, test_a_silent_mac_is_replaced);
	tcase_add_loop_test(tcase, test_silence_in_a_flood_proves_nothing, 0, 2);
	tcase_add_test(tcase, test_a_flood_makes_nothing_forgotten);
	tcase_add_test(tcase, test_a_flood_of_claims_moves_nothing);
	tcase_add_test(tcase, test_moves_just_after_a_refused_claim);
	tcase_add_test(tcase, test_a_second_claimant_is_named);
	tcase_add_test(tcase, test_pin_keeps_the_first);
	tcase_add_test(tcase, test_an_operator_ends_a_conflict);
	tcase_add_test(tcase, test_without_override);
	tcase_add_test(tcase, test_probe_of_a_new_card);
	tcase_add_test(tcase, test_probe_of_a_known_address);
	tcase_add_loop_test(tcase, test_what_is_never_believed, 0, ARRAY_LEN(unbelievable));
	tcase_add_test(tcase, test_a_suspect_is_asked);
	tcase_add_test(tcase, test_strictest_policy_counts);
	tcase_add_test(tcase, test_learns_only_what_it_wants_where_it_wants_it);
	tcase_add_test(tcase, test_wanting_anew_keeps_what_is_known);
	suite_add_tcase(suite, tcase);
	return suite;
}
