/* SPDX-License-Identifier: ISC */
/* The machine of roles: each state with each event, and what must hold for all of them. */
#include "config.h"

#include "role/word.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

static const enum role_event events[] = { ROLE_ORDER_ACTIVE, ROLE_ORDER_STANDBY, ROLE_ORDER_OBSERVE, ROLE_WARM,
    ROLE_RIVAL,
	ROLE_RIVAL_GONE, ROLE_PAUSED, ROLE_SETTLED, ROLE_LINGERED };

/* Each state, and where each event leads in the order of `events`; "." stays. */
static const struct {
	struct role from;
	const char *to;
} table[] = {
	{ { ROLE_STARTING, false, false }, "warming warming observe . . . . . ." },
	{ { ROLE_STARTING, true, true }, ". lingering observe . yielded . . active ." },
	{ { ROLE_STARTING, false, true }, ". lingering observe . yielded . . standby ." },
	{ { ROLE_WARMING, true, false }, ". . observe active . . . . ." },
	{ { ROLE_WARMING, false, false }, ". . observe standby . . . . ." },
	{ { ROLE_STANDBY, false, false }, "active . observe . . . . . ." },
	{ { ROLE_ACTIVE, true, false }, ". lingering observe . yielded . starting . ." },
	{ { ROLE_LINGERING, false, false }, "active . observe . . . . . standby" },
	{ { ROLE_YIELDED, true, false }, "active lingering observe . . active . . ." },
	{ { ROLE_OBSERVE, false, false }, "warming warming . . . . . . ." },
};

START_TEST(test_table)
{
	const struct role from = table[_i].from;
	char text[200], *save = NULL, *word;
	size_t i = 0;

	ck_assert_int_lt(snprintf(text, sizeof(text), "%s", table[_i].to), (int)sizeof(text));
	for (word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save), i++) {
		const struct role to = role_next(from, events[i]);
		const char *expected = strcmp(word, ".") == 0 ? role_name(from.state) : word;

		ck_assert_msg(strcmp(role_name(to.state), expected) == 0, "%s%s, event %zu: %s, not %s",
		    role_name(from.state),
		    from.paused ? " (paused)" : "", i, role_name(to.state), expected);
	}
	ck_assert_uint_eq(i, ARRAY_LEN(events));
	ck_assert_uint_eq(i, ROLE_EVENT_COUNT);
}
END_TEST

/* All roles that can be reached from the start, walked by all events: what holds for each of them, and each step. */
static void
check_step(struct role from, enum role_event event, struct role to)
{
	/* Only a director that was told to be active answers, ever. */
	if (to.state == ROLE_ACTIVE)
		ck_assert(to.wanted);
	/* What frees a paused director from doubt is no event of another state. */
	ck_assert(!to.paused || to.state == ROLE_STARTING);
	/* From silence to answers without an order: only after a pause, when the rival is gone, or warm at last. */
	if ((role_duties(&to) & ROLE_ANSWERS) != 0 && (role_duties(&from) & ROLE_ANSWERS) == 0)
		ck_assert(event == ROLE_ORDER_ACTIVE || event == ROLE_SETTLED || event == ROLE_RIVAL_GONE ||
		    event == ROLE_WARM);
	/* One that forwards goes on until its time is over, or an operator takes it out. */
	if ((role_duties(&from) & ROLE_FORWARDS) != 0 && (role_duties(&to) & ROLE_FORWARDS) == 0)
		ck_assert(event == ROLE_LINGERED || event == ROLE_ORDER_OBSERVE || event == ROLE_SETTLED);
	if (event == ROLE_ORDER_STANDBY || event == ROLE_ORDER_OBSERVE || event == ROLE_PAUSED || event == ROLE_RIVAL)
		ck_assert_uint_eq(role_duties(&to) & ROLE_ANSWERS, 0);
	/* An order given twice changes nothing more. */
	if (event <= ROLE_ORDER_OBSERVE) {
		const struct role again = role_next(to, event);

		ck_assert_int_eq(again.state, to.state);
		ck_assert_int_eq(again.wanted, to.wanted);
	}
}

static size_t
number_of(struct role role)
{
	return (size_t)role.state * 4 + role.wanted * 2U + role.paused;
}

START_TEST(test_invariants)
{
	bool seen[ROLE_STATE_COUNT * 4] = { false }, state_seen[ROLE_STATE_COUNT] = { false };
	struct role queue[ROLE_STATE_COUNT * 4] = { { ROLE_STARTING, false, false } };
	size_t head = 0, tail = 1;

	seen[number_of(queue[0])] = true;
	while (head < tail) {
		const struct role from = queue[head++];

		state_seen[from.state] = true;
		for (size_t i = 0; i < ARRAY_LEN(events); i++) {
			const struct role to = role_next(from, events[i]);

			check_step(from, events[i], to);
			if (seen[number_of(to)])
				continue;
			seen[number_of(to)] = true;
			queue[tail++] = to;
		}
	}
	for (size_t i = 0; i < ROLE_STATE_COUNT; i++)
		ck_assert_msg(state_seen[i], "%s is never reached", role_name((enum role_state)i));
}
END_TEST

START_TEST(test_duties)
{
	static const unsigned duties[] = {
		[ROLE_ACTIVE] = ROLE_ANSWERS | ROLE_FORWARDS, [ROLE_LINGERING] = ROLE_FORWARDS,
		    [ROLE_YIELDED] = ROLE_FORWARDS,
		[ROLE_OBSERVE] = 0
	};

	for (unsigned i = 0; i < ROLE_STATE_COUNT; i++)
		ck_assert_uint_eq(role_duties(&(struct role) { .state = (enum role_state)i }), duties[i]);
	ck_assert_uint_eq(role_duties(&(struct role) { .state = ROLE_STARTING, .paused = true }), ROLE_FORWARDS);
}
END_TEST

/* Where time alone leads on, the event leads out of the state. */
START_TEST(test_timers)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct role role = table[i].from;
		enum role_event event;
		const uint64_t wait = role_timer(&role, SECONDS(30), &event);

		if (wait == 0)
			ck_assert_int_eq(role_next(role, event == ROLE_EVENT_COUNT ? ROLE_SETTLED : event).state,
			    role.state);
		else
			ck_assert_int_ne(role_next(role, event).state, role.state);
		if (role.state == ROLE_LINGERING) {
			ck_assert_uint_eq(wait, SECONDS(30));
			ck_assert_uint_ne(role_timer(&role, 0, &event), 0);
		}
	}
}
END_TEST

START_TEST(test_words)
{
	char text[ROLE_SOURCE_TEXT];
	struct role_settings settings = { .source = ROLE_FOLLOW };

	ck_assert_int_eq(role_order("active"), ROLE_ORDER_ACTIVE);
	ck_assert_int_eq(role_order("standby"), ROLE_ORDER_STANDBY);
	ck_assert_int_eq(role_order("observe"), ROLE_ORDER_OBSERVE);
	ck_assert_int_eq(role_order("master"), ROLE_EVENT_COUNT);
	ck_assert_int_eq(role_order(""), ROLE_EVENT_COUNT);
	ck_assert_int_eq(addr_parse("2001:db8::5", &settings.addr), 0);
	ck_assert_str_eq(role_source_text(&settings, text), "follow 2001:db8::5");
	settings = (struct role_settings) { .source = ROLE_FILE, .path = "/run/dsrd/role" };
	ck_assert_str_eq(role_source_text(&settings, text), "file /run/dsrd/role");
	settings = (struct role_settings) { .source = ROLE_CARP, .iface = "carp0" };
	ck_assert_str_eq(role_source_text(&settings, text), "carp carp0");
	settings.source = ROLE_FIXED_STANDBY;
	ck_assert_str_eq(role_source_text(&settings, text), "standby");
	ck_assert(!role_is_level(ROLE_FIXED_ACTIVE) && !role_is_level(ROLE_FIXED_STANDBY) &&
	    role_is_level(ROLE_FOLLOW));
	for (unsigned i = 0; i < ROLE_STATE_COUNT; i++)
		ck_assert_str_ne(role_meaning((enum role_state)i), "?");
}
END_TEST

/* Who yields to whom: own state, own epoch, whether ties are won, whether it yielded to that peer; the peer's word. */
static const struct {
	struct role own;
	uint64_t epoch;
	bool wins_ties;
	bool to_it;
	enum role_state theirs;
	uint64_t their_epoch;
	enum role_event event;
} words[] = {
	{ { ROLE_ACTIVE, true, false }, 4, true, false, ROLE_ACTIVE, 5, ROLE_RIVAL },
	{ { ROLE_ACTIVE, true, false }, 5, true, false, ROLE_ACTIVE, 4, ROLE_EVENT_COUNT },
	{ { ROLE_ACTIVE, true, false }, 4, true, false, ROLE_ACTIVE, 4, ROLE_EVENT_COUNT },
	{ { ROLE_ACTIVE, true, false }, 4, false, false, ROLE_ACTIVE, 4, ROLE_RIVAL },
	{ { ROLE_ACTIVE, true, false }, 4, true, false, ROLE_LINGERING, 9, ROLE_EVENT_COUNT },
	{ { ROLE_STARTING, true, true }, 4, true, false, ROLE_ACTIVE, 5, ROLE_RIVAL },
	{ { ROLE_STARTING, true, false }, 0, true, false, ROLE_ACTIVE, 5, ROLE_EVENT_COUNT },
	{ { ROLE_STANDBY, false, false }, 0, false, false, ROLE_ACTIVE, 5, ROLE_EVENT_COUNT },
	{ { ROLE_LINGERING, false, false }, 4, false, false, ROLE_ACTIVE, 5, ROLE_EVENT_COUNT },
	{ { ROLE_YIELDED, true, false }, 4, false, true, ROLE_ACTIVE, 5, ROLE_EVENT_COUNT },
	{ { ROLE_YIELDED, true, false }, 4, false, true, ROLE_STANDBY, 5, ROLE_RIVAL_GONE },
	{ { ROLE_YIELDED, true, false }, 4, false, true, ROLE_OBSERVE, 5, ROLE_RIVAL_GONE },
	{ { ROLE_YIELDED, true, false }, 4, false, false, ROLE_STANDBY, 5, ROLE_EVENT_COUNT },
};

START_TEST(test_hear)
{
	const struct role_word word = { .state = words[_i].theirs, .epoch = words[_i].their_epoch };

	ck_assert_int_eq(role_hear(&words[_i].own, words[_i].epoch, words[_i].wins_ties, words[_i].to_it, &word),
	    words[_i].event);
}
END_TEST

/* Two directors that exchange what they are, whatever their epochs: exactly one goes on. */
START_TEST(test_one_goes_on)
{
	static const struct role active = { ROLE_ACTIVE, true, false };

	for (uint64_t a = 0; a < 3; a++) {
		for (uint64_t b = 0; b < 3; b++) {
			const struct role_word first = { .state = ROLE_ACTIVE, .epoch = a },
			    second = { .state = ROLE_ACTIVE, .epoch = b };

			ck_assert_int_eq((role_hear(&active, a, true, false, &second) == ROLE_RIVAL) +
			    (role_hear(&active, b, false, false, &first) == ROLE_RIVAL), 1);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("role");
	TCase *tc = tcase_create("role");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, test_table, 0, ARRAY_LEN(table));
	tcase_add_test(tc, test_invariants);
	tcase_add_test(tc, test_duties);
	tcase_add_test(tc, test_timers);
	tcase_add_test(tc, test_words);
	tcase_add_loop_test(tc, test_hear, 0, ARRAY_LEN(words));
	tcase_add_test(tc, test_one_goes_on);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
