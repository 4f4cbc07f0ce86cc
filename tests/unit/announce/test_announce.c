/* SPDX-License-Identifier: ISC */
/* Which VIP is announced when, and with which metric. */
#include "config.h"

#include "announce/announce.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define START SECONDS(100)

/* Facts as letters: a active, w warm, o open, p a peer serves it, d draining; then serving/services. */
static struct announce_facts
facts_of(const char *text, uint64_t drain_since)
{
	struct announce_facts facts = { .active = strchr(text, 'a') != NULL, .warm = strchr(text, 'w') != NULL,
		.open = strchr(text, 'o') != NULL, .peer_serves = strchr(text, 'p') != NULL,
		.drain = strchr(text, 'd') != NULL ? ANNOUNCE_DRAINING : ANNOUNCE_SERVING,
		.drain_since = drain_since };
	const char *numbers = strchr(text, ' ');

	ck_assert_int_eq(sscanf(numbers, "%zu/%zu", &facts.serving, &facts.services), 2);
	return facts;
}

/*
 * Each begins with a VIP that has been announced for long. "when" is any, all or a number, "keep" an `!` behind it.
 * What holds at once, and what holds when nothing has changed for ten seconds.
 */
static const struct {
	const char *when;
	const char *facts;
	const char *at_once;
	const char *later;
} table[] = {
	{ "any", "awo 1/2", "announced 100", "announced 100" },
	{ "all", "awo 1/2", "withdrawn 0 NO_SERVERS", "withdrawn 0 NO_SERVERS" },
	{ "all", "awo 2/2", "announced 100", "announced 100" },
	{ "2", "awo 1/3", "withdrawn 0 NO_SERVERS", "withdrawn 0 NO_SERVERS" },
	{ "2", "awo 2/3", "announced 100", "announced 100" },
	{ "3", "awo 2/2", "announced 100", "announced 100" },
	{ "any", "awo 0/2", "withdrawn 0 NO_SERVERS", "withdrawn 0 NO_SERVERS" },
	{ "any", "wo 2/2", "withdrawn 0 NOT_ACTIVE", "withdrawn 0 NOT_ACTIVE" },
	{ "any", "ao 2/2", "withdrawn 0 NOT_WARM", "withdrawn 0 NOT_WARM" },
	{ "any", "aw 2/2", "withdrawn 0 NO_INTERFACE", "withdrawn 0 NO_INTERFACE" },
	/* The last one standing: alone it goes on; another one with servers takes over. */
	{ "any!", "awo 0/2", "announced 100 ONLY_ONE", "announced 100 ONLY_ONE" },
	{ "any!", "awop 0/2", "withdrawn 0 NO_SERVERS", "withdrawn 0 NO_SERVERS" },
	{ "any!", "wo 0/2", "withdrawn 0 NOT_ACTIVE", "withdrawn 0 NOT_ACTIVE" },
	{ "any", "awop 0/2", "withdrawn 0 NO_SERVERS", "withdrawn 0 NO_SERVERS" },
	/* A drain: the last choice, then none. What is missing withdraws at once. */
	{ "any", "awod 2/2", "last-choice 1100", "withdrawn 0 DRAINED" },
	{ "any!", "awod 0/2", "last-choice 1100 ONLY_ONE", "withdrawn 0 DRAINED" },
	{ "any", "awd 2/2", "withdrawn 0 NO_INTERFACE", "withdrawn 0 NO_INTERFACE" },
};

static const char *const reasons[] = { [ANNOUNCE_NO_REASON] = "", [ANNOUNCE_NOT_ACTIVE] = "NOT_ACTIVE",
	[ANNOUNCE_NOT_WARM] = "NOT_WARM", [ANNOUNCE_NO_INTERFACE] = "NO_INTERFACE",
	[ANNOUNCE_NO_SERVERS] = "NO_SERVERS", [ANNOUNCE_DRAINED] = "DRAINED", [ANNOUNCE_ONLY_ONE] = "ONLY_ONE" };

static struct announce_settings
settings_of(const char *when)
{
	struct announce_settings settings = { .way = ANNOUNCE_DEVICE, .keep = strchr(when, '!') != NULL };

	if (strncmp(when, "all", 3) == 0)
		settings.when = ANNOUNCE_ALL;
	else if (strncmp(when, "any", 3) != 0) {
		settings.when = ANNOUNCE_LEAST;
		ck_assert_int_eq(sscanf(when, "%u", &settings.least), 1);
	}
	return settings;
}

static const char *
describe(const struct announce_vip *vip, char text[80])
{
	(void)snprintf(text, 80, "%s %u%s%s", announce_state_name(vip->state), vip->metric,
	    reasons[vip->reason][0] != '\0' ? " " : "", reasons[vip->reason]);
	return text;
}

START_TEST(test_table)
{
	const struct announce_settings settings = settings_of(table[_i].when);
	const struct announce_facts facts = facts_of(table[_i].facts, START);
	struct announce_vip vip = { .state = ANNOUNCE_ANNOUNCED, .metric = ANNOUNCE_METRIC, .well = SECONDS(1),
		.changed = SECONDS(1) };
	const struct announce_vip before = vip;
	char text[80];
	bool changed = announce_decide(&vip, &settings, &facts, START);

	ck_assert_str_eq(describe(&vip, text), table[_i].at_once);
	ck_assert_int_eq(changed, vip.metric != before.metric);
	ck_assert_uint_eq(vip.changed, vip.state == before.state ? SECONDS(1) : START);
	for (uint64_t now = START; now <= START + SECONDS(10); now += MILLISECONDS(100))
		(void)announce_decide(&vip, &settings, &facts, now);
	ck_assert_str_eq(describe(&vip, text), table[_i].later);
	ck_assert(announce_due(&vip, &facts) == UINT64_MAX);
}
END_TEST

/* It must be well for three seconds without a break; then it is announced, and withdrawn at once. */
START_TEST(test_dampening)
{
	const struct announce_settings settings = { .metric = 7 };
	const struct announce_facts well = facts_of("awo 1/1", 0), ill = facts_of("awo 0/1", 0);
	struct announce_vip vip = { .state = ANNOUNCE_WITHDRAWN };

	ck_assert(!announce_decide(&vip, &settings, &ill, START));
	ck_assert(!announce_decide(&vip, &settings, &well, START));
	ck_assert_int_eq(vip.state, ANNOUNCE_WAITING);
	ck_assert_uint_eq(announce_due(&vip, &well), START + ANNOUNCE_HEALTHY);
	ck_assert(!announce_decide(&vip, &settings, &ill, START + SECONDS(2)));
	ck_assert_int_eq(vip.state, ANNOUNCE_WITHDRAWN);
	ck_assert(!announce_decide(&vip, &settings, &well, START + SECONDS(3)));
	ck_assert(!announce_decide(&vip, &settings, &well, START + SECONDS(6) - 1));
	ck_assert_int_eq(vip.state, ANNOUNCE_WAITING);
	ck_assert(announce_decide(&vip, &settings, &well, START + SECONDS(6)));
	ck_assert_int_eq(vip.state, ANNOUNCE_ANNOUNCED);
	ck_assert_uint_eq(vip.metric, 7);
	ck_assert(!announce_decide(&vip, &settings, &well, START + SECONDS(60)));
	ck_assert(announce_decide(&vip, &settings, &ill, START + SECONDS(60)));
	ck_assert_int_eq(vip.state, ANNOUNCE_WITHDRAWN);
	ck_assert_uint_eq(vip.metric, 0);
}
END_TEST

/* A drain ends as it began: at once, since the servers were well all the time. */
START_TEST(test_drain_and_back)
{
	const struct announce_settings settings = { .way = ANNOUNCE_ROUTE };
	const struct announce_facts well = facts_of("awo 1/1", 0), drain = facts_of("awod 1/1", START);
	struct announce_vip vip = { .state = ANNOUNCE_ANNOUNCED, .metric = ANNOUNCE_METRIC, .well = SECONDS(1) };

	ck_assert(announce_decide(&vip, &settings, &drain, START));
	ck_assert_uint_eq(vip.metric, ANNOUNCE_METRIC + ANNOUNCE_RAISE);
	ck_assert_uint_eq(announce_due(&vip, &drain), START + ANNOUNCE_RAISED);
	ck_assert(!announce_decide(&vip, &settings, &drain, START + ANNOUNCE_RAISED - 1));
	ck_assert(announce_decide(&vip, &settings, &drain, START + ANNOUNCE_RAISED));
	ck_assert(!announce_is_announced(&vip));
	ck_assert(announce_decide(&vip, &settings, &well, START + SECONDS(5)));
	ck_assert_uint_eq(vip.metric, ANNOUNCE_METRIC);

	/* What is not announced when a drain begins is not announced for its sake. */
	memset(&vip, 0, sizeof(vip));
	ck_assert(!announce_decide(&vip, &settings, &drain, START));
	ck_assert(!announce_decide(&vip, &settings, &drain, START + SECONDS(10)));
	ck_assert_int_eq(vip.state, ANNOUNCE_WITHDRAWN);
}
END_TEST

/* Two directors that lose all servers at once both go on: neither counts as serving for the other. */
START_TEST(test_both_last)
{
	const struct announce_settings settings = { .keep = true };
	const struct announce_facts ill = facts_of("awo 0/1", 0);

	ck_assert(!announce_is_served(&settings, &ill));
	ck_assert(!announce_is_served(&(struct announce_settings){ .when = ANNOUNCE_ALL },
	    &(struct announce_facts){ .services = 0 }));
}
END_TEST

START_TEST(test_texts)
{
	char text[ANNOUNCE_WHEN_TEXT];

	ck_assert_str_eq(announce_when_text(&(struct announce_settings){ .when = ANNOUNCE_LEAST, .least = 12 }, text),
	    "12");
	ck_assert_str_eq(announce_when_text(&(struct announce_settings){ .when = ANNOUNCE_ALL }, text), "all");
	ck_assert_str_eq(announce_way_name(ANNOUNCE_PROGRAM), "program");
	for (int reason = ANNOUNCE_NOT_ACTIVE; reason <= ANNOUNCE_ONLY_ONE; reason++)
		ck_assert_uint_gt(strlen(announce_reason_text((enum announce_reason)reason)), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("announce");
	TCase *tests = tcase_create("announce");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, test_table, 0, (int)ARRAY_LEN(table));
	tcase_add_test(tests, test_dampening);
	tcase_add_test(tests, test_drain_and_back);
	tcase_add_test(tests, test_both_last);
	tcase_add_test(tests, test_texts);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
