/* SPDX-License-Identifier: ISC */
/* The sandbox of a process: in children, since it cannot be left again. */
#include "config.h"

#include <check.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/sandbox.h"

#define PATH_ROOM 64

static char directory[PATH_ROOM], inside[PATH_ROOM + 8], outside[PATH_ROOM + 8];
static uint16_t allowed_port, other_port;

static void
put_file(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(close(fd), 0);
}

static void
set_up(void)
{
	(void)snprintf(directory, sizeof(directory), "/tmp/dsrd-unit.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(inside, sizeof(inside), "%s/in", directory);
	(void)snprintf(outside, sizeof(outside), "%s.out", directory);
	put_file(inside);
	put_file(outside);
}

static void
tear_down(void)
{
	(void)unlink(inside);
	(void)unlink(outside);
	(void)rmdir(directory);
}

/* A TCP socket of 127.0.0.1 that accepts; its port. */
static uint16_t
listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

static bool
connects(uint16_t port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const bool done = fd != -1 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	const int number = errno;

	if (fd != -1)
		(void)close(fd);
	errno = number;
	return done;
}

/* What the child found wrong: its exit status. 0: nothing. */
static void
in_child(int (*body)(const struct os_sandbox *sandbox), enum os_process process, enum os_sandbox_mode mode)
{
	const char *const list[] = { directory };
	const struct os_sandbox_order order = { .process = process, .mode = mode, .readable = list, .readable_count = 1,
	    .writable = list, .writable_count = 1, .limits_ports = process == OS_PROCESS_DIRECTOR, .ports = &allowed_port,
	    .port_count = 1 };
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		struct os_sandbox sandbox;
		char error[OS_ERROR] = "";

		if (os_sandbox_enter(&order, &sandbox, error) == -1)
			_exit(100);
		_exit(body(&sandbox));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "it ended by signal %d", WTERMSIG(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static bool
opens(const char *path, int flags)
{
	const int fd = open(path, flags, 0600);

	if (fd != -1)
		(void)close(fd);
	return fd != -1;
}

static int
looks_at_files(const struct os_sandbox *sandbox)
{
	if (!opens(inside, O_RDWR))
		return 1;
	if (sandbox->files == OS_CONFINED_YES && opens(outside, O_RDONLY))
		return 2;
	if (sandbox->files == OS_CONFINED_YES && errno != EACCES)
		return 3;
	if (sandbox->files != OS_CONFINED_YES && sandbox->files_by[0] == '\0')
		return 4;
	return unlink(inside) == 0 ? 0 : 5;
}

/* Refused and reported by name, in the order of the attempts, and the process goes on. */
static int
looks_at_calls(const struct os_sandbox *sandbox)
{
	char *const words[] = { NULL };
	char name[OS_CALL_NAME];
	unsigned lost;

	if (sandbox->calls != OS_CONFINED_YES)
		return sandbox->calls_by[0] == '\0' ? 1 : 0;
	if (execve("/nonexistent", words, words) != -1 || errno != EPERM)
		return 2;
	if (socket(AF_UNIX, SOCK_DGRAM, 0) == -1)
		return 3;
	if (fork() != -1 || errno != EPERM)
		return 4;
	if (!os_sandbox_refused(name, &lost) || strcmp(name, "execve") != 0 || lost != 0)
		return 5;
	if (!os_sandbox_refused(name, &lost) || (strncmp(name, "clone", strlen("clone")) != 0 &&
	    strcmp(name, "fork") != 0))
		return 6;
	if (os_sandbox_refused(name, &lost))
		return 7;
	/* More than are remembered. */
	for (unsigned i = 0; i < 20; i++)
		(void)execve("/nonexistent", words, words);
	return os_sandbox_refused(name, &lost) && lost == 4 ? 0 : 8;
}

static int
looks_at_ports(const struct os_sandbox *sandbox)
{
	int version = 0;

	if (!connects(allowed_port))
		return 1;
	/* Since version 4; before that, connections are not limited. */
	if (sscanf(sandbox->files_by, "Landlock %d", &version) == 1 && version >= 4)
		return !connects(other_port) && errno == EACCES ? 0 : 2;
	return connects(other_port) ? 0 : 3;
}

/* Streams and datagrams to servers, and nothing that begins elsewhere. */
static int
looks_at_checker(const struct os_sandbox *sandbox)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte = 0;

	if (fd == -1 || !connects(allowed_port) || !connects(other_port))
		return 1;
	/* pledge(2) has no finer promises than these. */
	if (sandbox->calls != OS_CONFINED_YES || strcmp(sandbox->calls_by, "seccomp") != 0)
		return sandbox->calls_by[0] == '\0' ? 2 : 0;
	if (sendto(fd, &byte, 1, 0, (const struct sockaddr *)&address, sizeof(address)) != -1 || errno != EPERM)
		return 3;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 || send(fd, &byte, 1, 0) != 1)
		return 4;
	/* Linux's AF_NETLINK and AF_PACKET, which other systems have no names for. */
	if (socket(AF_UNIX, SOCK_STREAM, 0) != -1 || socket(16, SOCK_RAW, 0) != -1 ||
	    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) != -1 || socket(17, SOCK_RAW, 0) != -1)
		return 5;
	if (fork() != -1 || listen(fd, 1) != -1)
		return 6;
	return sandbox->files != OS_CONFINED_YES || !opens(outside, O_RDONLY) ? 0 : 7;
}

/* What would be refused passes, and is named once. */
static int
looks_at_log(const struct os_sandbox *sandbox)
{
	char name[OS_CALL_NAME];
	unsigned lost, attempts = 0;

	if (sandbox->calls != OS_CONFINED_LOG)
		return sandbox->calls_by[0] == '\0' ? 1 : 0;
	for (unsigned i = 0; i < 3; i++) {
		const pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid == -1 || waitpid(pid, NULL, 0) != pid)
			return 2;
	}
	while (!os_sandbox_refused(name, &lost))
		if (attempts++ == 1000 || usleep(1000) == -1)
			return 3;
	if (strncmp(name, "clone", strlen("clone")) != 0 && strcmp(name, "fork") != 0)
		return 4;
	return os_sandbox_refused(name, &lost) ? 5 : 0;
}

/* A program must run. */
static int
starts_program(const struct os_sandbox *sandbox)
{
	const pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
		_exit(1);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
		return 1;
	if (sandbox->calls == OS_CONFINED_YES && socket(17, SOCK_RAW, 0) != -1) /* AF_PACKET */
		return 2;
	return 0;
}

static int
is_free(const struct os_sandbox *sandbox)
{
	if (sandbox->calls != OS_CONFINED_NO || sandbox->files != OS_CONFINED_NO)
		return 1;
	return opens(outside, O_RDONLY) ? 0 : 2;
}

START_TEST(a_director_keeps_its_directories)
{
	in_child(looks_at_files, OS_PROCESS_DIRECTOR, OS_SANDBOX_ON);
}
END_TEST

START_TEST(a_director_starts_nothing_and_says_so)
{
	in_child(looks_at_calls, OS_PROCESS_DIRECTOR, OS_SANDBOX_ON);
}
END_TEST

START_TEST(a_launcher_starts_programs)
{
	in_child(starts_program, OS_PROCESS_LAUNCHER, OS_SANDBOX_ON);
}
END_TEST

START_TEST(a_director_connects_to_its_peers)
{
	allowed_port = listen_somewhere();
	other_port = listen_somewhere();
	in_child(looks_at_ports, OS_PROCESS_DIRECTOR, OS_SANDBOX_ON);
}
END_TEST

START_TEST(a_checker_connects_to_servers)
{
	allowed_port = listen_somewhere();
	other_port = listen_somewhere();
	in_child(looks_at_checker, OS_PROCESS_CHECKER, OS_SANDBOX_ON);
}
END_TEST

START_TEST(log_names_what_would_be_refused)
{
	in_child(looks_at_log, OS_PROCESS_DIRECTOR, OS_SANDBOX_LOG);
}
END_TEST

START_TEST(off_is_off)
{
	in_child(is_free, OS_PROCESS_DIRECTOR, OS_SANDBOX_OFF);
}
END_TEST

START_TEST(a_process_is_known_by_what_the_kernel_says)
{
	struct os_process_facts facts;
	char text[OS_CAPABILITIES_TEXT];

	ck_assert_int_eq(os_process_read(getpid(), &facts), 0);
	ck_assert_uint_eq(facts.uid, geteuid());
	ck_assert_int_eq(os_process_read(-1, &facts), -1);
	ck_assert_str_eq(os_capabilities_text(0, text), "none");
}
END_TEST

Suite *sandbox_suite(void);

Suite *
sandbox_suite(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tests = tcase_create("sandbox");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_director_keeps_its_directories);
	tcase_add_test(tests, a_director_starts_nothing_and_says_so);
	tcase_add_test(tests, a_launcher_starts_programs);
	tcase_add_test(tests, a_director_connects_to_its_peers);
	tcase_add_test(tests, a_checker_connects_to_servers);
	tcase_add_test(tests, log_names_what_would_be_refused);
	tcase_add_test(tests, off_is_off);
	tcase_add_test(tests, a_process_is_known_by_what_the_kernel_says);
	suite_add_tcase(suite, tests);
	return suite;
}
