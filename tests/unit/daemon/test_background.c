/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/background.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

Suite *background_suite(void);

static char directory[64];
static char path[128];
static pid_t session;

static void
setup(void)
{
	session = getsid(0);
	(void)snprintf(directory, sizeof(directory), "%s", "/tmp/dsrd-daemon.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/file", directory);
}

static void
teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* --- leaving the terminal --- */

/* Detaches in a process of its own; `end` is what the daemon does then. The exit status of the first process. */
static int
detach(void (*end)(struct background *background))
{
	char error[BACKGROUND_ERROR];
	struct background background;
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (background_start(&background, error) == 1)
			_exit(background.status);
		end(&background);
		_exit(99); /* nobody sees it */
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
end_ready(struct background *background)
{
	background_ready(background);
	background_failed(background, EX_CONFIG); /* too late: it is known to be ready */
}

static void
end_failed(struct background *background)
{
	background_failed(background, EX_CONFIG);
}

static void
end_silently(struct background *background)
{
	(void)background;
}

/* Ready, if a daemon's circumstances are right; they are asked after background_ready(). */
static void
end_examined(struct background *background)
{
	struct stat null, opened;
	char cwd[8];
	bool fine;

	fine = getsid(0) != getpid() && getsid(0) != session; /* in a new session that it does not lead */
	fine = fine && stat("/dev/null", &null) == 0;
	for (int fd = 0; fd < 2; fd++)
		fine = fine && fstat(fd, &opened) == 0 && opened.st_rdev == null.st_rdev;
	fine = fine && fcntl(background->report, F_GETFD) == FD_CLOEXEC;
	if (!fine) {
		background_failed(background, EX_SOFTWARE);
		return;
	}
	background_ready(background);
	if (fstat(2, &opened) == 0 && opened.st_rdev == null.st_rdev && getcwd(cwd, sizeof(cwd)) != NULL &&
	    strcmp(cwd, "/") == 0)
		(void)close(open(path, O_WRONLY | O_CREAT, 0600));
}

START_TEST(first_process_passes_the_end_on)
{
	ck_assert_int_eq(detach(end_ready), EX_OK);
	ck_assert_int_eq(detach(end_failed), EX_CONFIG);
	ck_assert_int_eq(detach(end_silently), EX_OSERR);
}
END_TEST

START_TEST(daemon_is_on_its_own)
{
	ck_assert_int_eq(detach(end_examined), EX_OK);
	for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
		ck_assert_int_eq(usleep(10000), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(nothing_to_tell_in_the_foreground)
{
	struct background background = {0};
	char cwd[256];

	ck_assert_int_eq(chdir(directory), 0);
	background_ready(&background);
	background_failed(&background, EX_CONFIG);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	ck_assert_str_ne(cwd, "/");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFD), 0);
}
END_TEST

/* --- the pidfile --- */

static struct pidfile *
take(void)
{
	char error[BACKGROUND_ERROR] = "";
	struct pidfile *pidfile = pidfile_open(path, error);

	ck_assert_msg(pidfile != NULL, "%s", error);
	ck_assert_msg(pidfile_write(pidfile, error) == 0, "%s", error);
	return pidfile;
}

static void
expect_refusal(int number, const char *said)
{
	char error[BACKGROUND_ERROR] = "";

	ck_assert_ptr_null(pidfile_open(path, error));
	ck_assert_int_eq(errno, number);
	ck_assert_msg(strstr(error, said) != NULL, "%s", error);
	ck_assert_msg(strstr(error, path) != NULL, "%s", error);
}

static void
put_file(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Whose other name is a file that root would overwrite. */
START_TEST(pidfile_is_no_hard_link)
{
	char other[sizeof(path) + 8], text[8] = "";
	FILE *file;

	(void)snprintf(other, sizeof(other), "%s.other", path);
	put_file("theirs");
	ck_assert_int_eq(link(path, other), 0);
	expect_refusal(EMLINK, "hard link");
	file = fopen(other, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	(void)fclose(file);
	ck_assert_str_eq(text, "theirs");
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(pidfile_has_our_number)
{
	struct pidfile *pidfile = take();
	FILE *file = fopen(path, "r");
	char text[64], expected[64];

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	ck_assert_str_eq(text, expected);
	pidfile_remove(pidfile);
	ck_assert_int_eq(access(path, F_OK), -1);
	pidfile_remove(NULL);
}
END_TEST

START_TEST(relative_pidfile_is_found_from_elsewhere)
{
	char error[BACKGROUND_ERROR] = "";
	struct pidfile *pidfile;

	ck_assert_int_eq(chdir(directory), 0);
	pidfile = pidfile_open("file", error);
	ck_assert_msg(pidfile != NULL, "%s", error);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(chdir("/"), 0);
	pidfile_remove(pidfile);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(second_daemon_is_refused)
{
	struct pidfile *pidfile = take();
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "process %ld", (long)getpid());
	expect_refusal(EEXIST, expected);
	expect_refusal(EEXIST, expected); /* the first refusal did not cost the lock */
	pidfile_remove(pidfile);
	pidfile_remove(take());
}
END_TEST

START_TEST(starting_daemon_is_refused_too)
{
	char error[BACKGROUND_ERROR] = "";
	struct pidfile *pidfile = pidfile_open(path, error); /* its number is not written yet */

	ck_assert_ptr_nonnull(pidfile);
	expect_refusal(EEXIST, "another dsrd holds");
	pidfile_remove(pidfile);
}
END_TEST

/*
 * As when detaching: opened by the first process, which ends, while the daemon (here: until the pipe is closed) goes
 * on.
 */
static pid_t
hold_lock(int pipe_ends[2])
{
	char error[BACKGROUND_ERROR], byte;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	if (pidfile_open(path, error) == NULL)
		_exit(1);
	pid = fork();
	if (pid != 0)
		_exit(pid < 0);
	(void)close(pipe_ends[1]);
	_exit(read(pipe_ends[0], &byte, 1) == 0 ? 0 : 1);
}

START_TEST(lock_outlives_the_process_that_took_it)
{
	char error[BACKGROUND_ERROR] = "";
	struct pidfile *pidfile = NULL;
	int status, ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = hold_lock(ends);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	expect_refusal(EEXIST, "another dsrd holds");
	ck_assert_int_eq(close(ends[1]), 0);
	for (int i = 0; i < 500 && pidfile == NULL; i++) {
		ck_assert_int_eq(usleep(10000), 0);
		pidfile = pidfile_open(path, error);
	}
	ck_assert_msg(pidfile != NULL, "%s", error);
	pidfile_remove(pidfile);
	ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

START_TEST(left_over_pidfile_is_taken_over)
{
	static const char *const texts[] = {"", "12345678\n", "rubbish that is longer than any number that there is\n"};
	struct pidfile *pidfile;
	struct stat status;

	put_file(texts[_i]);
	pidfile = take();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_le(status.st_size, 12); /* nothing is left behind our number */
	pidfile_remove(pidfile);
}
END_TEST

START_TEST(pidfile_must_be_a_file)
{
	char target[160];

	(void)snprintf(target, sizeof(target), "%s/target", directory);
	ck_assert_int_eq(symlink(target, path), 0);
	expect_refusal(ELOOP, "symbolic link");
	ck_assert_int_eq(access(target, F_OK), -1); /* and nothing was made there */
	ck_assert_int_eq(unlink(path), 0);

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_refusal(EINVAL, "not a regular file");
	ck_assert_int_eq(unlink(path), 0);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	expect_refusal(EISDIR, strerror(EISDIR));
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* --- the service manager --- */

/* -1: there are no such names here. */
static int
listen_at(const char *name, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(address.sun_path, name, length);
	if (bind(fd, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) ==
	    0)
		return fd;
	(void)close(fd);
	return -1;
}

static const char *
hear(int fd, char text[128])
{
	ssize_t length = recv(fd, text, 127, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void
expect_words(int fd, const struct notify *notify)
{
	char text[128], expected[128];

	notify_ready(notify);
	(void)snprintf(expected, sizeof(expected), "READY=1\nMAINPID=%ld", (long)getpid());
	ck_assert_str_eq(hear(fd, text), expected);
	notify_reloading(notify);
	ck_assert_int_eq(strncmp(hear(fd, text), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	ck_assert_uint_gt(strtoull(text + 27, NULL, 10), 0);
	notify_stopping(notify);
	ck_assert_str_eq(hear(fd, text), "STOPPING=1");
	ck_assert_str_eq(hear(fd, text), "");
}

START_TEST(manager_hears_at_a_path)
{
	int fd = listen_at(path, strlen(path) + 1);
	struct notify notify;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_open(&notify);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_int_ge(notify.fd, 0);
	ck_assert_int_ne(fcntl(notify.fd, F_GETFD) & FD_CLOEXEC, 0);
	expect_words(fd, &notify);
	notify_close(&notify);
	ck_assert_int_eq(notify.fd, -1);
	notify_close(&notify);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* A name without a file is Linux's own. */
START_TEST(manager_hears_at_an_abstract_name)
{
	struct notify notify;
	struct stat status;
	char name[64];
	int fd;

	(void)snprintf(name, sizeof(name), "@dsrd-test-%ld", (long)getpid());
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	name[0] = '\0';
	fd = listen_at(name, 1 + strlen(name + 1));
	if (fd == -1 && stat("/proc/self/ns", &status) == -1)
		return; /* not Linux */
	ck_assert_int_ge(fd, 0);
	notify_open(&notify);
	ck_assert_int_ge(notify.fd, 0);
	expect_words(fd, &notify);
	notify_close(&notify);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(no_manager_is_fine)
{
	static const char *const names[] = {NULL, "", "/", "@", "relative", "/there/is/none", "vsock:2:1234",
	    "/a-name-that-is-longer-than-any-socket-address-can-hold-because-it-goes-on-and-on-and-on-for-over-one-hundred-bytes"};
	struct notify notify;

	if (names[_i] != NULL)
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", names[_i], 1), 0);
	else
		ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	notify_open(&notify);
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	notify_ready(&notify);
	notify_reloading(&notify);
	notify_stopping(&notify);
	notify_close(&notify);
}
END_TEST

START_TEST(manager_that_left_does_no_harm)
{
	int fd = listen_at(path, strlen(path) + 1);
	struct notify notify;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_open(&notify);
	ck_assert_int_eq(close(fd), 0);
	notify_ready(&notify);
	notify_stopping(&notify);
	notify_close(&notify);
}
END_TEST

Suite *
background_suite(void)
{
	Suite *suite = suite_create("background");
	TCase *tests = tcase_create("daemon");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, first_process_passes_the_end_on);
	tcase_add_test(tests, daemon_is_on_its_own);
	tcase_add_test(tests, nothing_to_tell_in_the_foreground);
	tcase_add_test(tests, pidfile_has_our_number);
	tcase_add_test(tests, pidfile_is_no_hard_link);
	tcase_add_test(tests, relative_pidfile_is_found_from_elsewhere);
	tcase_add_test(tests, second_daemon_is_refused);
	tcase_add_test(tests, starting_daemon_is_refused_too);
	tcase_add_test(tests, lock_outlives_the_process_that_took_it);
	tcase_add_loop_test(tests, left_over_pidfile_is_taken_over, 0, 3);
	tcase_add_test(tests, pidfile_must_be_a_file);
	tcase_add_test(tests, manager_hears_at_a_path);
	tcase_add_test(tests, manager_hears_at_an_abstract_name);
	tcase_add_loop_test(tests, no_manager_is_fine, 0, 8);
	tcase_add_test(tests, manager_that_left_does_no_harm);
	suite_add_tcase(suite, tests);
	return suite;
}
