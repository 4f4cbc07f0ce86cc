/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "bench.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "check/attempt_serve.h"
#include "check/attempts.h"
#include "check/children.h"
#include "check/tls.h"

static const struct check_type *
kind_of(enum check_kind kind)
{
	static const struct check_type *const kinds[CHECK_KINDS] = {
		[CHECK_TCP] = &check_tcp,
		[CHECK_HTTP] = &check_http,
		[CHECK_HTTPS] = &check_http,
		[CHECK_ICMP] = &check_icmp,
		[CHECK_DNS] = &check_dns,
		[CHECK_UDP] = &check_udp,
		[CHECK_SCRIPT] = &check_script,
	};

	return kinds[kind];
}

static const struct check_type *
type_of(const struct check_target *target)
{
	return target->attempts != NULL && attempt_is_remote(target->check.kind) ? &check_remote :
	    kind_of(target->check.kind);
}

static void
on_answer(void *argument, const struct check_report *report)
{
	struct bench *bench = argument;

	bench->answers++;
	bench->reason = report->reason;
	bench->weight = report->weight;
	(void)snprintf(bench->detail, sizeof(bench->detail), "%s", report->detail == NULL ? "" : report->detail);
	(void)event_base_loopbreak(bench->target.base);
}

/* --- the checker -------------------------------------------------------------------------------------------------- */

static bool with_checker;

void
bench_use_checker(void)
{
	with_checker = true;
}

void
bench_use_none(void)
{
	with_checker = false;
}

static int
stay(const void *order UNUSED, void *outcome UNUSED, char reason[LAUNCHER_REASON] UNUSED)
{
	return 0;
}

static bool
nothing_refused(char *name UNUSED, size_t size UNUSED)
{
	return false;
}

static int
open_checker(void *context UNUSED, struct launcher *process)
{
	static const struct attempt_host host = { .become = stay, .refused = nothing_refused };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	process->pid = fork();
	ck_assert_int_ne(process->pid, -1);
	if (process->pid == 0) {
		(void)close(ends[0]);
		attempt_serve(ends[1], &host);
	}
	(void)close(ends[1]);
	process->fd = ends[0];
	return 0;
}

static void
on_confined(void *context UNUSED, const void *outcome UNUSED)
{
}

static void
on_refused(void *context UNUSED, const char *call UNUSED)
{
}

static void
on_lost(void *context UNUSED, const struct attempts_loss *loss)
{
	ck_abort_msg("the checker is lost: %s", loss->why);
}

void
bench_begin(struct bench *bench, enum check_kind kind)
{
	memset(bench, 0, sizeof(*bench));
	ck_assert_int_eq(addr_parse("127.0.0.1", &bench->target.addr), 0);
	bench->target.timeout.tv_sec = 1;
	bench->target.check.kind = kind;
	bench->target.base = event_base_new();
	ck_assert_ptr_nonnull(bench->target.base);
	bench->target.children = children_new(bench->target.base, NULL, NULL);
	bench->target.tls = tls_contexts_new(bench->target.children);
	ck_assert(bench->target.children != NULL && bench->target.tls != NULL);
	if (with_checker) {
		static const struct attempts_calls calls = { open_checker, on_confined, on_refused, on_lost };

		bench->target.attempts = attempts_new(bench->target.base, &calls, NULL);
		ck_assert_ptr_nonnull(bench->target.attempts);
	}
	bench->target.answer = on_answer;
	bench->target.job = bench;
}

void
bench_wait(struct bench *bench, unsigned milliseconds)
{
	const struct timeval most = { milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000 };

	(void)event_base_loopexit(bench->target.base, &most);
	(void)event_base_dispatch(bench->target.base);
}

void *
bench_runner(struct bench *bench)
{
	void *runner = runner_new(type_of(&bench->target), &bench->target);

	ck_assert_ptr_nonnull(runner);
	return runner;
}

void
bench_run_with(struct bench *bench, void *runner)
{
	bench->answers = 0;
	type_of(&bench->target)->begin(runner);
	if (bench->answers == 0)
		bench_wait(bench, 5000);
	ck_assert_uint_eq(bench->answers, 1);
}

void
bench_run_held_up(struct bench *bench, void *runner, unsigned milliseconds)
{
	bench->answers = 0;
	type_of(&bench->target)->begin(runner);
	(void)usleep(milliseconds * 1000);
	if (bench->answers == 0)
		bench_wait(bench, 5000);
	ck_assert_uint_eq(bench->answers, 1);
}

void
bench_drop(struct bench *bench UNUSED, void *runner)
{
	runner_free(runner);
}

void
bench_run(struct bench *bench)
{
	void *runner = bench_runner(bench);

	bench_run_with(bench, runner);
	bench_drop(bench, runner);
}

void
bench_give_up(struct bench *bench, unsigned milliseconds)
{
	const struct check_type *kind = type_of(&bench->target);
	void *runner = runner_new(kind, &bench->target);

	ck_assert_ptr_nonnull(runner);
	bench->answers = 0;
	kind->begin(runner);
	bench_wait(bench, milliseconds);
	runner_free(runner);
	bench_wait(bench, milliseconds);
	ck_assert_uint_eq(bench->answers, 0);
}

void
bench_end(struct bench *bench)
{
	attempts_free(bench->target.attempts);
	tls_contexts_free(bench->target.tls);
	children_free(bench->target.children);
	event_base_free(bench->target.base);
}

void
bench_bytes(struct check_bytes *bytes, const char *text)
{
	ck_assert_uint_lt(strlen(text), CHECK_TEXT);
	bytes->given = true;
	bytes->length = (uint8_t)strlen(text);
	memcpy(bytes->bytes, text, bytes->length);
}

int
bench_socket(int type, uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(sa);
	const int fd = socket(AF_INET, type, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

pid_t
bench_serve(int listener, unsigned count, void (*serve)(int fd, const void *context), const void *context)
{
	const pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	for (; count > 0; count--) {
		const int fd = accept(listener, NULL, NULL);

		serve(fd, context);
		(void)close(fd);
	}
	_exit(0);
}

void
bench_unserve(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
