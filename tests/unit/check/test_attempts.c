/* SPDX-License-Identifier: ISC */
/* The checker's messages, each that is malformed; and the director's end, with a checker that misbehaves. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/attr.h"
#include "base/clock.h"
#include "check/attempts.h"
#include "check/authority.h"
#include "suites.h"

/* --- messages ----------------------------------------------------------------------------------------------------- */

static struct attempt_run
run_of(enum check_kind kind)
{
	struct attempt_run run;

	memset(&run, 0, sizeof(run));
	run.id = 1;
	run.timeout = SECONDS(1);
	run.check.kind = kind;
	ck_assert_int_eq(addr_parse("192.0.2.11", &run.addr), 0);
	return run;
}

static bool
is_run(const struct attempt_run *run)
{
	struct attempt_run read;

	return attempt_read_run(run, sizeof(*run), &read) == 0;
}

START_TEST(an_order_has_its_length)
{
	struct attempt_header header = { ATTEMPT_RUN, sizeof(struct attempt_run) };

	ck_assert(attempt_header_fits(&header));
	header.length++;
	ck_assert(!attempt_header_fits(&header));
	header = (struct attempt_header) { ATTEMPT_CANCEL, 8 };
	ck_assert(attempt_header_fits(&header));
	header.length = 0;
	ck_assert(!attempt_header_fits(&header));
	header = (struct attempt_header) { ATTEMPT_AUTHORITY, sizeof(struct attempt_authority) };
	ck_assert(attempt_header_fits(&header));
	header.length += ATTEMPT_AUTHORITY_MOST;
	ck_assert(attempt_header_fits(&header));
	header.length++;
	ck_assert(!attempt_header_fits(&header));
	header.length = sizeof(struct attempt_authority) - 1;
	ck_assert(!attempt_header_fits(&header));
	header = (struct attempt_header) { 0, 0 };
	ck_assert(!attempt_header_fits(&header));
	header = (struct attempt_header) { UINT32_MAX, UINT32_MAX };
	ck_assert(!attempt_header_fits(&header));
}
END_TEST

START_TEST(only_what_networks_answer_is_run_there)
{
	static const bool there[CHECK_KINDS] = { [CHECK_TCP] = true, [CHECK_HTTP] = true, [CHECK_HTTPS] = true,
	    [CHECK_DNS] = true, [CHECK_UDP] = true };

	for (unsigned kind = 0; kind <= CHECK_KINDS; kind++) {
		const struct attempt_run run = run_of((enum check_kind)kind);

		ck_assert_msg(is_run(&run) == (kind < CHECK_KINDS && there[kind]), "kind %u", kind);
	}
}
END_TEST

START_TEST(an_attempt_is_sound)
{
	struct attempt_run run = run_of(CHECK_HTTPS), read;

	for (size_t length = 0; length < sizeof(run); length++)
		ck_assert_int_eq(attempt_read_run(&run, length, &read), -1);
	run.timeout = 0;
	ck_assert(!is_run(&run));
	run.timeout = (uint64_t)ATTEMPT_TIMEOUT_MOST + 1;
	ck_assert(!is_run(&run));
	run = run_of(CHECK_HTTPS);
	run.addr.family = ADDR_NONE;
	ck_assert(!is_run(&run));
	run = run_of(CHECK_HTTPS);
	run.check.status_count = CHECK_STATUSES + 1;
	ck_assert(!is_run(&run));
	run = run_of(CHECK_HTTPS);
	run.check.expect.length = CHECK_TEXT + 1;
	ck_assert(!is_run(&run));
	run = run_of(CHECK_HTTPS);
	memset(run.check.host, 'a', CHECK_TEXT);
	ck_assert(!is_run(&run));
	run = run_of(CHECK_HTTPS);
	memset(&run.check.no_verify, 2, 1);
	ck_assert(!is_run(&run));
}
END_TEST

static struct attempt_answer
answer_of(enum attempt_word word, uint64_t id, uint32_t reason, const char *text)
{
	struct attempt_answer answer;

	memset(&answer, 0, sizeof(answer));
	answer.word = word;
	answer.id = id;
	answer.reason = reason;
	memcpy(answer.text, text, strlen(text));
	return answer;
}

START_TEST(an_answer_is_believed_only_in_its_form)
{
	struct attempt_answer answer = answer_of(ATTEMPT_ENDED, 5, HEALTH_REASON_STATUS, "status \x1b[2J\n503"), read;

	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), 0);
	ck_assert_str_eq(read.text, "status ?[2J?503");
	for (size_t length = 0; length < sizeof(answer); length++)
		ck_assert_int_eq(attempt_read_answer(&answer, length, &read), -1);
	answer.reason = HEALTH_REASON_SCRIPT;
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer.reason = HEALTH_REASON_COUNT;
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer = answer_of(ATTEMPT_ENDED, 5, HEALTH_REASON_NONE, "");
	memset(answer.text, 'a', ATTEMPT_TEXT);
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer = answer_of(ATTEMPT_REFUSED, 0, 0, "");
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer = answer_of(ATTEMPT_CONFINED, 1, 0, "");
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer = answer_of((enum attempt_word)(ATTEMPT_REFUSED + 1), 0, 0, "x");
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
	answer.word = 0;
	ck_assert_int_eq(attempt_read_answer(&answer, sizeof(answer), &read), -1);
}
END_TEST

/* --- a checker that the test plays -------------------------------------------------------------------------------- */

static struct stage {
	struct event_base *base;
	struct attempts *attempts;
	struct check_target target;
	int fd; /* the checker's end */
	bool none; /* no process can be had */
	unsigned opened, confined, refused, lost, results;
	size_t under_way;
	bool alone;
	char why[80];
	int reason; /* -1: the last result was none */
	char detail[80];
} stage;

static int
play_open(void *context UNUSED, struct launcher *process)
{
	int ends[2];

	stage.opened++;
	if (stage.none) {
		errno = EPERM;
		return -1;
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	if (stage.fd != -1)
		(void)close(stage.fd);
	stage.fd = ends[1];
	ck_assert_int_eq(fcntl(stage.fd, F_SETFL, O_NONBLOCK), 0);
	process->fd = ends[0];
	process->pid = 1;
	return 0;
}

static void
on_confined(void *context UNUSED, const void *outcome UNUSED)
{
	stage.confined++;
}

static void
on_refused(void *context UNUSED, const char *call)
{
	ck_assert_str_eq(call, "execve");
	stage.refused++;
}

static void
on_lost(void *context UNUSED, const struct attempts_loss *loss)
{
	stage.lost++;
	stage.under_way = loss->under_way;
	stage.alone = loss->alone != NULL;
	(void)snprintf(stage.why, sizeof(stage.why), "%s", loss->why);
}

static void
on_result(void *context, const struct check_report *report)
{
	struct attempt **attempt = context;

	*attempt = NULL;
	stage.results++;
	stage.reason = report == NULL ? -1 : (int)report->reason;
	(void)snprintf(stage.detail, sizeof(stage.detail), "%s", report == NULL || report->detail == NULL ? "" :
	    report->detail);
}

static void
turn(void)
{
	for (unsigned i = 0; i < 5; i++)
		(void)event_base_loop(stage.base, EVLOOP_NONBLOCK);
}

static void
say(const struct attempt_answer *answer, size_t length)
{
	ck_assert_int_eq(send(stage.fd, answer, length, 0), (ssize_t)length);
	turn();
}

static void
say_answer(enum attempt_word word, uint64_t id, uint32_t reason, const char *text)
{
	const struct attempt_answer answer = answer_of(word, id, reason, text);

	say(&answer, sizeof(answer));
}

static void
begin(void)
{
	static const struct attempts_calls calls = { play_open, on_confined, on_refused, on_lost };

	memset(&stage, 0, sizeof(stage));
	stage.fd = -1;
	stage.base = event_base_new();
	stage.target.check.kind = CHECK_TCP;
	stage.target.timeout.tv_sec = 1;
	ck_assert_int_eq(addr_parse("192.0.2.11", &stage.target.addr), 0);
	stage.attempts = attempts_new(stage.base, &calls, NULL);
	ck_assert_ptr_nonnull(stage.attempts);
	ck_assert(!attempts_state(stage.attempts).works);
	say_answer(ATTEMPT_CONFINED, 0, 0, "outcome");
	ck_assert_uint_eq(stage.confined, 1);
	ck_assert(attempts_state(stage.attempts).works);
}

static void
end(void)
{
	attempts_free(stage.attempts);
	event_base_free(stage.base);
	(void)close(stage.fd);
}

static void
attempt(struct attempt **attempt)
{
	*attempt = attempt_begin(stage.attempts, &stage.target, on_result, attempt);
	ck_assert_ptr_nonnull(*attempt);
	turn();
}

/* Of the next order, which is to run an attempt. */
static uint64_t
ordered(void)
{
	struct attempt_header header;
	struct attempt_run run;

	ck_assert_int_eq(recv(stage.fd, &header, sizeof(header), 0), sizeof(header));
	ck_assert_uint_eq(header.order, ATTEMPT_RUN);
	ck_assert_int_eq(recv(stage.fd, &run, sizeof(run), 0), sizeof(run));
	ck_assert(is_run(&run));
	return run.id;
}

START_TEST(results_find_their_attempts)
{
	struct attempt *first, *second;
	uint64_t ids[2];

	attempt(&first);
	attempt(&second);
	ids[0] = ordered();
	ids[1] = ordered();
	ck_assert_uint_ne(ids[0], ids[1]);
	say_answer(ATTEMPT_ENDED, ids[1], HEALTH_REASON_STATUS, "status 503");
	ck_assert(second == NULL && first != NULL);
	ck_assert_int_eq(stage.reason, HEALTH_REASON_STATUS);
	ck_assert_str_eq(stage.detail, "status 503");
	say_answer(ATTEMPT_ENDED, ids[0], HEALTH_REASON_NONE, "");
	ck_assert(first == NULL);
	ck_assert_int_eq(stage.reason, HEALTH_REASON_NONE);
	/* A second result of an attempt is of no one. */
	say_answer(ATTEMPT_ENDED, ids[0], HEALTH_REASON_TIMEOUT, "");
	ck_assert_uint_eq(stage.results, 2);
	ck_assert_uint_eq(stage.lost, 0);
}
END_TEST

START_TEST(an_answer_may_come_in_pieces)
{
	struct attempt *one;
	struct attempt_answer answer;

	attempt(&one);
	answer = answer_of(ATTEMPT_ENDED, ordered(), HEALTH_REASON_NONE, "");
	for (size_t i = 0; i < sizeof(answer); i++) {
		ck_assert_uint_eq(stage.results, 0);
		ck_assert_int_eq(send(stage.fd, (const char *)&answer + i, 1, 0), 1);
		turn();
	}
	ck_assert_uint_eq(stage.results, 1);
}
END_TEST

START_TEST(a_forgotten_attempt_has_no_result)
{
	struct attempt *one, *other;
	struct attempt_header header;
	uint64_t id, cancelled;

	attempt(&one);
	id = ordered();
	attempt_forget(stage.attempts, one);
	/* Its place is used again, under another number. */
	attempt(&other);
	ck_assert_int_eq(recv(stage.fd, &header, sizeof(header), 0), sizeof(header));
	ck_assert_uint_eq(header.order, ATTEMPT_CANCEL);
	ck_assert_int_eq(recv(stage.fd, &cancelled, sizeof(cancelled), 0), sizeof(cancelled));
	ck_assert_uint_eq(cancelled, id);
	ck_assert_uint_ne(ordered(), id);
	say_answer(ATTEMPT_ENDED, id, HEALTH_REASON_REFUSED, "");
	ck_assert_uint_eq(stage.results, 0);
	ck_assert_uint_eq(stage.lost, 0);
	ck_assert_ptr_nonnull(other);
}
END_TEST

static void
expect_loss(const char *why)
{
	ck_assert_uint_eq(stage.lost, 1);
	ck_assert_str_eq(stage.why, why);
	ck_assert_uint_eq(stage.under_way, 1);
	ck_assert(stage.alone);
	ck_assert_uint_eq(stage.results, 1);
	ck_assert_int_eq(stage.reason, -1);
	/* The first is replaced at once. */
	turn();
	ck_assert_uint_eq(stage.opened, 2);
	ck_assert(!attempts_state(stage.attempts).works);
	ck_assert_uint_eq(attempts_state(stage.attempts).lost, 1);
}

static const struct {
	enum attempt_word word;
	uint64_t id;
	uint32_t reason;
	const char *text;
} lies[] = {
	{ (enum attempt_word)77, 0, 0, "" },
	{ ATTEMPT_CONFINED, 0, 0, "" },                 /* twice */
	{ ATTEMPT_ENDED, 0, 0, "" },
	{ ATTEMPT_ENDED, 77, 0, "" },                   /* a place that there is not */
	{ ATTEMPT_ENDED, UINT64_MAX, 0, "" },
	{ ATTEMPT_ENDED, (uint64_t)1 << 32, HEALTH_REASON_SCRIPT, "" },
	{ ATTEMPT_REFUSED, 0, 0, "" },
};

START_TEST(one_that_breaks_the_form_is_replaced)
{
	struct attempt *one;

	attempt(&one);
	say_answer(lies[_i].word, lies[_i].id, lies[_i].reason, lies[_i].text);
	expect_loss("it sends what is no answer");
}
END_TEST

START_TEST(one_that_ends_is_replaced)
{
	struct attempt *one;

	attempt(&one);
	ck_assert_int_eq(shutdown(stage.fd, SHUT_RDWR), 0);
	turn();
	expect_loss("it ended");
	/* The next lives too short a time to be replaced at once. */
	say_answer(ATTEMPT_CONFINED, 0, 0, "");
	ck_assert(attempts_state(stage.attempts).works);
	ck_assert_int_eq(shutdown(stage.fd, SHUT_RDWR), 0);
	turn();
	ck_assert_uint_eq(stage.lost, 2);
	ck_assert_uint_eq(stage.opened, 2);
	ck_assert_ptr_null(attempt_begin(stage.attempts, &stage.target, on_result, &one));
	(void)event_base_loop(stage.base, EVLOOP_ONCE);
	ck_assert_uint_eq(stage.opened, 3);
}
END_TEST

START_TEST(one_that_is_overdue_is_replaced)
{
	struct attempt *one;

	attempt(&one);
	attempts_overdue(stage.attempts);
	expect_loss("it does not answer in time");
}
END_TEST

START_TEST(nothing_is_believed_before_it_is_confined)
{
	struct attempt *one;

	attempts_overdue(stage.attempts);
	turn();
	attempt(&one);
	say_answer(ATTEMPT_ENDED, ordered(), HEALTH_REASON_NONE, "");
	ck_assert_uint_eq(stage.lost, 2);
	ck_assert_int_eq(stage.reason, -1);
}
END_TEST

START_TEST(refused_calls_are_reported_up_to_a_limit)
{
	for (unsigned i = 0; i < 100; i++)
		say_answer(ATTEMPT_REFUSED, 0, 0, "execve");
	ck_assert_uint_eq(stage.refused, 16);
	ck_assert_uint_eq(stage.lost, 0);
}
END_TEST

START_TEST(none_can_be_had)
{
	const uint64_t before = clock_us();
	struct attempt *one;

	stage.none = true;
	attempts_overdue(stage.attempts);
	turn();
	ck_assert_uint_eq(stage.opened, 2);
	ck_assert_uint_eq(attempts_state(stage.attempts).pid, 0);
	ck_assert_uint_ge(attempts_state(stage.attempts).lacking, before);
	ck_assert_ptr_null(attempt_begin(stage.attempts, &stage.target, on_result, &one));
	stage.none = false;
	(void)event_base_loop(stage.base, EVLOOP_ONCE);
	ck_assert_uint_eq(stage.opened, 3);
	say_answer(ATTEMPT_CONFINED, 0, 0, "");
	ck_assert(attempts_state(stage.attempts).works);
}
END_TEST

/* Contents are sent once for each version and process. */
static size_t
contents_sent(const struct authority *authority)
{
	char bytes[2048];
	ssize_t got;

	ck_assert_int_eq(attempts_trust(stage.attempts, "/etc/ca.pem", authority), 0);
	turn();
	got = recv(stage.fd, bytes, sizeof(bytes), 0);
	return got == -1 ? 0 : (size_t)got;
}

START_TEST(files_are_sent_once)
{
	struct authority authority = { 1, "contents", 8, NULL };
	const size_t all = sizeof(struct attempt_header) + sizeof(struct attempt_authority) + 8;

	ck_assert_uint_eq(contents_sent(&authority), all);
	ck_assert_uint_eq(contents_sent(&authority), 0);
	authority.version = 2;
	ck_assert_uint_eq(contents_sent(&authority), all);
	attempts_overdue(stage.attempts);
	turn();
	ck_assert_uint_eq(contents_sent(&authority), all);
}
END_TEST

/* --- the process -------------------------------------------------------------------------------------------------- */

/* So large that its memory is gone, not only free, when it is given back. */
struct large_runner {
	struct runner runner;
	uint8_t rest[4 << 20];
};

struct freeing {
	void *runner;
	unsigned reports;
	bool went_on;
};

static void
free_on_answer(void *context, const struct check_report *report)
{
	struct freeing *freeing = context;

	ck_assert_int_ne(report->reason, HEALTH_REASON_NONE);
	freeing->reports++;
	runner_free(freeing->runner);
	freeing->runner = NULL;
}

/* The checker frees a runner when it answers, also within `begin`. */
START_TEST(a_runner_is_not_used_after_its_answer)
{
	static const struct check_type large = { .size = sizeof(struct large_runner) };
	struct freeing freeing = { .runner = NULL };
	struct check_target target;

	memset(&target, 0, sizeof(target));
	/* No host's address: it fails at once. */
	ck_assert_int_eq(addr_parse("255.255.255.255", &target.addr), 0);
	target.port = 80;
	target.timeout.tv_sec = 1;
	target.base = event_base_new();
	target.once = true;
	target.answer = free_on_answer;
	target.job = &freeing;
	freeing.runner = runner_new(&large, &target);
	ck_assert_ptr_nonnull(freeing.runner);
	freeing.went_on = runner_connect(freeing.runner, SOCK_STREAM);
	ck_assert(!freeing.went_on);
	ck_assert_uint_eq(freeing.reports, 1);
	event_base_free(target.base);
}
END_TEST

Suite *
attempts_suite(void)
{
	Suite *suite = suite_create("attempts");
	TCase *messages = tcase_create("messages"), *checker = tcase_create("checker");

	tcase_add_test(messages, an_order_has_its_length);
	tcase_add_test(messages, only_what_networks_answer_is_run_there);
	tcase_add_test(messages, an_attempt_is_sound);
	tcase_add_test(messages, an_answer_is_believed_only_in_its_form);
	tcase_add_checked_fixture(checker, begin, end);
	tcase_add_test(checker, results_find_their_attempts);
	tcase_add_test(checker, an_answer_may_come_in_pieces);
	tcase_add_test(checker, a_forgotten_attempt_has_no_result);
	tcase_add_loop_test(checker, one_that_breaks_the_form_is_replaced, 0, ARRAY_LEN(lies));
	tcase_add_test(checker, one_that_ends_is_replaced);
	tcase_add_test(checker, one_that_is_overdue_is_replaced);
	tcase_add_test(checker, nothing_is_believed_before_it_is_confined);
	tcase_add_test(checker, refused_calls_are_reported_up_to_a_limit);
	tcase_add_test(checker, none_can_be_had);
	tcase_add_test(checker, files_are_sent_once);
	tcase_add_test(messages, a_runner_is_not_used_after_its_answer);
	suite_add_tcase(suite, messages);
	suite_add_tcase(suite, checker);
	return suite;
}
