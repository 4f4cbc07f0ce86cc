/* SPDX-License-Identifier: ISC */
/* The program of `notify`: how its end is judged and logged. */
#include "config.h"

#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "check/children.h"
#include "daemon/notify_program.h"
#include "model/model.h"

Suite *notify_program_suite(void);

static char directory[] = "/tmp/dsrd-notify.XXXXXX";
static char program[NOTIFY_PATH];
static char said[256];
static struct event_base *base;
static struct children *children;
static struct notify_program *notify;

static void
take(void *context UNUSED, int level UNUSED, const char *line)
{
	(void)snprintf(said, sizeof(said), "%s", line);
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(program, sizeof(program), "%s/program", directory);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	children = children_new(base, NULL, NULL);
	ck_assert_ptr_nonnull(children);
	notify = notify_program_new(children, program);
	ck_assert_ptr_nonnull(notify);
	log_subscribe(take, NULL);
}

static void
teardown(void)
{
	log_subscribe(NULL, NULL);
	notify_program_free(notify);
	children_free(children);
	event_base_free(base);
	(void)unlink(program);
	(void)rmdir(directory);
}

static void
write_program(const char *text, mode_t mode)
{
	FILE *file = fopen(program, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(program, mode), 0);
}

static void
stop_waiting(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	*(bool *)context = true;
}

/* One change of state; until its program has failed, or has had the time to. */
static void
change_state(long milliseconds)
{
	const struct timeval most = { milliseconds / 1000, milliseconds % 1000 * 1000 };
	struct service service = { .settings = { .name = "web" } };
	const struct state_change change = { .service = &service, .from = "up", .to = "down", .reason = "no server" };
	bool late = false;

	said[0] = '\0';
	notify_program_change(notify, &change);
	ck_assert_int_eq(event_base_once(base, -1, EV_TIMEOUT, stop_waiting, &late, &most), 0);
	while (!late && notify_program_stats(notify).failed == 0)
		ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE), 0);
}

static const struct {
	const char *text; /* NULL: there is no program */
	mode_t mode;
	const char *reason;
} failures[] = {
	{ "#!/bin/sh\nexit 3\n", 0755, "exit status 3" },
	{ "#!/bin/sh\nkill -9 $$\n", 0755, "signal 9" },
	/* Did not run, or what it starts did not: also where exec() fails too late to be reported as such. */
	{ "#!/bin/sh\nexit 127\n", 0755, "exit status 127, a command was not found" },
	{ "#!/bin/sh\nexec /nowhere/at/all 2>/dev/null\n", 0755, "exit status 127, a command was not found" },
	{ "#!/bin/sh\nexec /etc/passwd 2>/dev/null\n", 0755, "exit status 126, a command cannot be executed" },
	{ NULL, 0, "No such file or directory" },
	{ "#!/bin/sh\nexit 0\n", 0644, "Permission denied" },
};

START_TEST(failure)
{
	char expected[sizeof(said)];

	if (failures[_i].text != NULL)
		write_program(failures[_i].text, failures[_i].mode);
	change_state(5000);
	(void)snprintf(expected, sizeof(expected), "notify result=failed program=%s reason=\"%s\"", program,
	    failures[_i].reason);
	ck_assert_str_eq(said, expected);
	ck_assert_uint_eq(notify_program_stats(notify).failed, 1);
}
END_TEST

START_TEST(success)
{
	char path[sizeof(directory) + 8], text[256];

	(void)snprintf(path, sizeof(path), "%s/ran", directory);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$*\" >%s\n", path);
	write_program(text, 0755);
	for (unsigned i = 0; i < 50 && access(path, F_OK) == -1; i++)
		change_state(100);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(notify_program_stats(notify).failed, 0);
	ck_assert_uint_ge(notify_program_stats(notify).started, 1);
}
END_TEST

Suite *
notify_program_suite(void)
{
	Suite *suite = suite_create("notify program");
	TCase *tcase = tcase_create("notify program");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, failure, 0, ARRAY_LEN(failures));
	tcase_add_test(tcase, success);
	suite_add_tcase(suite, tcase);
	return suite;
}
