/* SPDX-License-Identifier: ISC */
/* Parts of a running director without the director that owns them: each works with what it is given. */
#include "config.h"

#include <check.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/duration.h"
#include "daemon/director.h"
#include "daemon/offloading.h"
#include "daemon/port.h"
#include "daemon/selfcheck.h"
#include "daemon/state.h"
#include "daemon/stats.h"

static struct director director;
static struct nic nics[IFACES_MOST];
static struct offloading *offloading;
static struct selfcheck *selfcheck;
static struct state *state;

static void
ignore(void *context UNUSED, const struct frame *frame UNUSED)
{
}

static void
setup(void)
{
	static const struct siphash_key key = { { 1, 2, 3 } };
	const struct frame_tx tx = { ignore, NULL, NULL };
	struct selfcheck_sources looks = { .director = &director, .nics = nics, .config = "/etc/dsrd.conf" };
	char error[256];

	memset(nics, 0, sizeof(nics));
	ck_assert_int_eq(director_init(&director, 1024, &key, &tx, error, sizeof(error)), 0);
	(void)director_iface(&director, "eth0");
	offloading = offloading_open(&director, nics, OFFLOAD_OFF, NULL);
	state = state_new(&director);
	ck_assert_ptr_nonnull(offloading);
	ck_assert_ptr_nonnull(state);
	looks.offloading = offloading;
	looks.state = state;
	selfcheck = selfcheck_new(&looks);
	ck_assert_ptr_nonnull(selfcheck);
}

static void
teardown(void)
{
	selfcheck_free(selfcheck);
	state_close(state, SECONDS(1));
	offloading_close(offloading);
	director_clear(&director);
}

static size_t
problems_of(enum diagnosis id)
{
	const struct problems *problems = selfcheck_problems(selfcheck);
	size_t count = 0;

	for (size_t i = 0; i < problems_count(problems); i++)
		count += problems_at(problems, i)->id == id;
	return count;
}

START_TEST(selfcheck_keeps_the_failed_reload)
{
	ck_assert(!selfcheck_reload_failed(selfcheck));
	selfcheck_reload(selfcheck, "line 3: no such key");
	ck_assert(selfcheck_reload_failed(selfcheck));
	ck_assert_uint_eq(problems_of(DIAGNOSIS_RELOAD_FAILED), 1);
	selfcheck_reload(selfcheck, NULL);
	ck_assert(!selfcheck_reload_failed(selfcheck));
	ck_assert_uint_eq(problems_of(DIAGNOSIS_RELOAD_FAILED), 0);
}
END_TEST

START_TEST(stats_are_gathered_from_their_sources)
{
	struct stats_sources sources = { .director = &director, .nics = nics, .offloading = offloading,
		.selfcheck = selfcheck, .started = SECONDS(3), .reloads = 2, .observe = true };
	struct report_iface ifaces[IFACES_MOST];
	struct report_facts facts;
	const uint64_t before = clock_us();

	nics[0].received.received = 7;
	nics[0].sent.failed = 5;
	selfcheck_reload(selfcheck, "out of memory");
	stats_sync(&sources);
	facts = stats_gather(&sources, ifaces);
	ck_assert_uint_ge(facts.now, before);
	ck_assert_uint_eq(facts.started, SECONDS(3));
	ck_assert_uint_eq(facts.reloads, 2);
	ck_assert(facts.observe);
	ck_assert(facts.reload_failed);
	ck_assert_uint_eq(facts.iface_count, 1);
	ck_assert(!ifaces[0].open);
	ck_assert_uint_eq(ifaces[0].received, 7);
	ck_assert_uint_eq(ifaces[0].not_sent, 5);
	ck_assert_str_eq(ifaces[0].offload, "off");
	ck_assert_str_eq(ifaces[0].offload_reason, "");
}
END_TEST

/* `offload = off` is no fault, and nothing is loaded; before state_open() there is nothing to lose. */
START_TEST(what_is_off_does_nothing)
{
	offloading_settle(offloading);
	offloading_look(offloading);
	offloading_sync(offloading);
	ck_assert_ptr_null(director.forwarder.offload);
	ck_assert_ptr_null(offloading_lost(offloading, 0));
	state_save(state);
	state_tick(state, SECONDS(1));
	ck_assert_ptr_null(state_error(state));
}
END_TEST

Suite *parts_suite(void);

Suite *
parts_suite(void)
{
	Suite *suite = suite_create("parts");
	TCase *tcase = tcase_create("alone");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, selfcheck_keeps_the_failed_reload);
	tcase_add_test(tcase, stats_are_gathered_from_their_sources);
	tcase_add_test(tcase, what_is_off_does_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
