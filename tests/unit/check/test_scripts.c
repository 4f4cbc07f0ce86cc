/* SPDX-License-Identifier: ISC */
/* Check scripts: what they are given, what they say, and how they end. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "bench.h"
#include "suites.h"

/* `sh -c SCRIPT`: what a shell can do, but no shell is in between. */
static void
set_script(struct bench *bench, const char *script)
{
	static const char *const words[] = { "/bin/sh", "-c" };
	struct check_settings *check = &bench->target.check;
	size_t length = 0;

	memset(check->command, 0, sizeof(check->command));
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		memcpy(check->command + length, words[i], strlen(words[i]));
		length += strlen(words[i]) + 1;
	}
	ck_assert_uint_lt(length + strlen(script), sizeof(check->command));
	memcpy(check->command + length, script, strlen(script));
	check->command_words = 3;
}

static const struct {
	const char *script;
	enum health_reason reason;
	int weight;
	const char *detail;
} scripts[] = {
	{ "exit 0", HEALTH_REASON_NONE, CHECK_NO_WEIGHT, "" },
	{ "echo weight 30; echo more", HEALTH_REASON_NONE, 30, "" },
	{ "printf 'weight 0'", HEALTH_REASON_NONE, 0, "" },
	{ "echo weight 101", HEALTH_REASON_NONE, CHECK_NO_WEIGHT, "" },
	{ "echo all is well", HEALTH_REASON_NONE, CHECK_NO_WEIGHT, "" },
	{ "echo disk full; exit 2", HEALTH_REASON_SCRIPT, CHECK_NO_WEIGHT, "exit status 2: disk full" },
	{ "echo weight 50; exit 1", HEALTH_REASON_SCRIPT, CHECK_NO_WEIGHT, "exit status 1: weight 50" },
	{ "kill -9 $$", HEALTH_REASON_SCRIPT, CHECK_NO_WEIGHT, "signal 9" },
	/* Not an answer about the server: the director lacks what the script needs. */
	{ "exit 127", HEALTH_REASON_LOCAL, CHECK_NO_WEIGHT, "it does not start: exit status 127, a command was not "
	    "found" },
	{ "echo curl; exec /nowhere/at/all 2>/dev/null", HEALTH_REASON_LOCAL, CHECK_NO_WEIGHT,
	    "it does not start: exit status 127, a command was not found: curl" },
	{ "exec /etc/passwd 2>/dev/null", HEALTH_REASON_LOCAL, CHECK_NO_WEIGHT,
	    "it does not start: exit status 126, a command cannot be executed" },
	{ "exit 125", HEALTH_REASON_SCRIPT, CHECK_NO_WEIGHT, "exit status 125" },
	/* Far more than a pipe holds: nobody blocks. */
	{ "echo weight 7; i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); "
	    "done",
	    HEALTH_REASON_NONE, 7, "" },
};

START_TEST(test_script)
{
	struct bench bench;

	bench_begin(&bench, CHECK_SCRIPT);
	bench.target.timeout.tv_sec = 4;
	set_script(&bench, scripts[_i].script);
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, scripts[_i].reason);
	ck_assert_int_eq(bench.weight, scripts[_i].weight);
	ck_assert_str_eq(bench.detail, scripts[_i].detail);
	bench_end(&bench);
}
END_TEST

START_TEST(test_environment)
{
	struct bench bench;

	bench_begin(&bench, CHECK_SCRIPT);
	memcpy(bench.target.service, "web", 4);
	memcpy(bench.target.server, "web1", 5);
	ck_assert_int_eq(addr_parse("192.0.2.10", &bench.target.vip), 0);
	bench.target.service_port = 80;
	ck_assert_int_eq(setenv("SECRET", "x", 1), 0);
	set_script(&bench,
	    "echo $DSRD_SERVICE $DSRD_SERVER $DSRD_ADDRESS $DSRD_PORT $DSRD_VIP $SECRET.; exit 1");
	bench_run(&bench);
	ck_assert_str_eq(bench.detail, "exit status 1: web web1 127.0.0.1 80 192.0.2.10 .");
	bench_end(&bench);
}
END_TEST

/* Descriptors that a library left open across exec, signals that the daemon ignores: none of it goes on. */
START_TEST(test_inherits_nothing)
{
	const int left_open = open("/dev/null", O_RDONLY);
	struct bench bench;

	ck_assert_int_ne(left_open, -1);
	(void)signal(SIGTERM, SIG_IGN);
	bench_begin(&bench, CHECK_SCRIPT);
	set_script(&bench, "for i in 3 4 5 6 7 8 9; do { true <&$i; } 2>/dev/null && { echo $i; exit 1; }; done; "
	    "kill $$; exit 5");
	bench_run(&bench);
	ck_assert_str_eq(bench.detail, "signal 15");
	bench_end(&bench);
	(void)close(left_open);
}
END_TEST

START_TEST(test_missing_program)
{
	struct bench bench;

	bench_begin(&bench, CHECK_SCRIPT);
	memcpy(bench.target.check.command, "/nowhere/at/all", 16);
	bench.target.check.command_words = 1;
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_LOCAL);
	ck_assert_ptr_nonnull(strstr(bench.detail, "it does not start"));
	bench_end(&bench);
}
END_TEST

static pid_t
read_pid(const char *path)
{
	FILE *file = fopen(path, "r");
	int pid = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
	(void)fclose(file);
	return (pid_t)pid;
}

/* Gone, or a zombie that init has not yet reaped. */
static bool
is_dead(pid_t pid)
{
	char path[64], text[512] = "";
	FILE *file;

	if (kill(pid, 0) == -1 && errno == ESRCH)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	return strstr(text, ") Z ") != NULL;
}

/* The grandchild ignores the polite signal, as does the script itself: KILL gets both. */
START_TEST(test_timeout_ends_the_group)
{
	char path[] = "/tmp/dsrd-script.XXXXXX", script[160];
	const int fd = mkstemp(path);
	struct bench bench;
	pid_t grandchild;

	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	bench_begin(&bench, CHECK_SCRIPT);
	bench.target.timeout = (struct timeval) { 1, 0 }; /* enough for the script to begin, on a busy machine too */
	(void)snprintf(script, sizeof(script), "trap '' TERM; (trap '' TERM; sleep 30) & echo $! >%s; wait; sleep 30",
	    path);
	set_script(&bench, script);
	bench_run(&bench);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TIMEOUT);
	grandchild = read_pid(path);
	ck_assert(!is_dead(grandchild));
	bench_wait(&bench, 800);
	for (unsigned i = 0; i < 40 && !is_dead(grandchild); i++)
		bench_wait(&bench, 50);
	ck_assert(is_dead(grandchild));
	ck_assert_uint_eq(bench.answers, 1);
	(void)unlink(path);
	bench_end(&bench);
}
END_TEST

START_TEST(test_given_up)
{
	struct bench bench;

	bench_begin(&bench, CHECK_SCRIPT);
	set_script(&bench, "sleep 30");
	bench_give_up(&bench, 100);
	bench_end(&bench);
}
END_TEST

Suite *
scripts_suite(void)
{
	Suite *suite = suite_create("scripts");
	TCase *tcase = tcase_create("scripts");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, test_script, 0, ARRAY_LEN(scripts));
	tcase_add_test(tcase, test_environment);
	tcase_add_test(tcase, test_inherits_nothing);
	tcase_add_test(tcase, test_missing_program);
	tcase_add_test(tcase, test_timeout_ends_the_group);
	tcase_add_test(tcase, test_given_up);
	suite_add_tcase(suite, tcase);
	return suite;
}
