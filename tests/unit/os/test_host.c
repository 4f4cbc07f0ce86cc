/* SPDX-License-Identifier: ISC */
/* What the platform does without privilege; tests/integration/test_engine.sh has the rest. */
#include "config.h"

#include "os/os.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Suite *host_suite(void);

/* Check runs each test in a process of its own, so the limit ends with the test. */
START_TEST(descriptors_up_to_the_hard_limit)
{
	struct rlimit before, after;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	before.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_int_eq(os_raise_descriptors(), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
	ck_assert_uint_gt(after.rlim_cur, 64);
	ck_assert(after.rlim_max == before.rlim_max);
}
END_TEST

START_TEST(root_is_found)
{
	char error[OS_ERROR] = "";
	struct os_user user;

	ck_assert_msg(os_user_find("root", &user, error) == 0, "%s", error);
	ck_assert_uint_eq(user.uid, 0);
	ck_assert_uint_eq(user.gid, getpwuid(0)->pw_gid);
}
END_TEST

START_TEST(group_is_found)
{
	const struct group *group = getgrgid(1); /* "daemon" nearly everywhere */
	char error[OS_ERROR] = "", text[128];
	struct os_user user;

	if (group == NULL)
		return;
	(void)snprintf(text, sizeof(text), "root:%s", group->gr_name);
	ck_assert_msg(os_user_find(text, &user, error) == 0, "%s", error);
	ck_assert_uint_eq(user.uid, 0);
	ck_assert_uint_eq(user.gid, 1);
}
END_TEST

START_TEST(unknown_users_and_groups_are_named)
{
	static const struct {
		const char *text;
		int number;
		const char *said;
	} cases[] = {
		{"no-such-user", ENOENT, "no user `no-such-user`"},
		{"no-such-user:root", ENOENT, "no user `no-such-user`"},
		{"root:no-such-group", ENOENT, "no group `no-such-group`"},
		{"", EINVAL, "``"},
		{":root", EINVAL, "`:root`"},
		{"root:", EINVAL, "`root:`"},
		{"a-user-whose-name-is-longer-than-any-system-allows", EINVAL, "a-user-whose-name"},
	};
	char error[OS_ERROR] = "";
	struct os_user user;

	ck_assert_int_eq(os_user_find(cases[_i].text, &user, error), -1);
	ck_assert_int_eq(errno, cases[_i].number);
	ck_assert_msg(strstr(error, cases[_i].said) != NULL, "%s", error);
}
END_TEST

START_TEST(names_of_users_are_those_of_passwd)
{
	char name[OS_USER_NAME] = "x";

	os_user_name(0, name);
	ck_assert_str_eq(name, "root");
	os_user_name(4294967040U, name);
	ck_assert_str_eq(name, "");
}
END_TEST

START_TEST(a_boot_has_one_name)
{
	char first[OS_BOOT], second[OS_BOOT];

	memset(first, 'x', sizeof(first));
	memset(second, 'y', sizeof(second));
	os_boot(first);
	os_boot(second);
	ck_assert_mem_eq(first, second, sizeof(first));
	ck_assert_int_eq(first[OS_BOOT - 1], '\0');
}
END_TEST

START_TEST(nobody_becomes_an_unknown_user)
{
	char error[OS_ERROR] = "";
	uid_t before = geteuid();

	ck_assert_int_eq(os_drop_root("no-such-user", error), -1);
	ck_assert_msg(strstr(error, "no-such-user") != NULL, "%s", error);
	ck_assert_uint_eq(geteuid(), before);
}
END_TEST

START_TEST(forwarding_is_not_guessed)
{
	struct os_routing routing;
	char fix[128] = "";

	os_routing_read(&routing);
	ck_assert_int_ne(os_forwards(&routing, "nosuchif0", ADDR_IPV4, fix, sizeof(fix)), OS_YES);
	ck_assert_int_ne(os_forwards(&routing, "../../kernel", ADDR_IPV4, fix, sizeof(fix)), OS_YES);
	ck_assert_str_eq(fix, "");
}
END_TEST

START_TEST(offloads_of_no_interface_fail)
{
	struct offload offload = {.turned_off = 1};
	char error[OS_ERROR] = "";

	ck_assert_int_eq(os_offload_off("nosuchif0", &offload, error), -1);
	ck_assert_uint_eq(offload.turned_off, 0);
	ck_assert_msg(strstr(error, "nosuchif0") != NULL, "%s", error);
	ck_assert_int_eq(os_offload_restore("nosuchif0", &offload, error), 0);
}
END_TEST

START_TEST(offload_text_always_fits)
{
	struct offload offload = {.turned_off = 0};
	char text[OFFLOAD_TEXT];

	ck_assert_str_eq(os_offload_text(&offload, text), "none");
	offload.turned_off = ~0U;
	ck_assert_uint_lt(strlen(os_offload_text(&offload, text)), OFFLOAD_TEXT);
}
END_TEST

/* On Linux any socket shows it, also one that needs no privilege; elsewhere it takes a descriptor of bpf. */
START_TEST(silenced_socket_receives_nothing)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int silent = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
	char byte = 'x';

	ck_assert_int_eq(bind(silent, (const struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(silent, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(other, (const struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(send(other, &byte, 1, 0), 1);
	ck_assert_int_eq(send(other, &byte, 1, 0), 1);
	if (os_silence_socket(silent) == 0) {
		(void)send(other, &byte, 1, 0);
		ck_assert_int_eq(recv(silent, &byte, 1, MSG_DONTWAIT), -1);
		ck_assert(errno == EAGAIN || errno == EWOULDBLOCK);
	} else {
		ck_assert_ptr_null(strstr(DSRD_BUILD, "platform linux"));
	}
	ck_assert_int_eq(close(silent), 0);
	ck_assert_int_eq(close(other), 0);
	ck_assert_int_eq(os_silence_socket(-1), -1);
	ck_assert_int_eq(os_ignore_outgoing(-1), -1);
}
END_TEST

/* Each is one line that names what it is about. */
START_TEST(commands_can_be_typed)
{
	char text[OS_COMMAND];

	os_command(OS_ADDRESS_DELETE, "eth7", "2001:db8::10", text, sizeof(text));
	ck_assert_msg(strstr(text, "eth7") != NULL && strstr(text, "2001:db8::10") != NULL, "%s", text);
	os_command(OS_USER_ADD, "", "dsrd", text, sizeof(text));
	ck_assert_msg(strstr(text, "dsrd") != NULL, "%s", text);
	os_command(OS_GROUP_ADD, "", "dsrd", text, sizeof(text));
	ck_assert_msg(strstr(text, "dsrd") != NULL, "%s", text);
}
END_TEST

/* What is no descriptor of bpf can be locked nowhere, and withholds nothing. */
START_TEST(what_is_no_bpf_is_refused)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct addr vip;
	int fd = -1, other = socket(AF_INET, SOCK_DGRAM, 0);
	char fix[OS_COMMAND] = "";

	ck_assert_int_eq(addr_parse("192.0.2.10", &vip), 0);
	ck_assert_int_eq(os_lock_capture(other), -1);
	ck_assert_int_eq(os_lock_sender(other), -1);
	ck_assert_int_eq(os_withhold(&fd, "nosuchif0", &mac, &vip, 1), -1);
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(os_capture_buffer(other, fix, sizeof(fix)), 0);
	ck_assert_str_eq(fix, "");
	ck_assert_int_eq(close(other), 0);
}
END_TEST

Suite *
host_suite(void)
{
	Suite *suite = suite_create("host");
	TCase *tests = tcase_create("unprivileged");

	tcase_add_test(tests, descriptors_up_to_the_hard_limit);
	tcase_add_test(tests, root_is_found);
	tcase_add_test(tests, group_is_found);
	tcase_add_loop_test(tests, unknown_users_and_groups_are_named, 0, 7);
	tcase_add_test(tests, names_of_users_are_those_of_passwd);
	tcase_add_test(tests, a_boot_has_one_name);
	tcase_add_test(tests, nobody_becomes_an_unknown_user);
	tcase_add_test(tests, forwarding_is_not_guessed);
	tcase_add_test(tests, offloads_of_no_interface_fail);
	tcase_add_test(tests, offload_text_always_fits);
	tcase_add_test(tests, commands_can_be_typed);
	tcase_add_test(tests, what_is_no_bpf_is_refused);
	tcase_add_test(tests, silenced_socket_receives_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
