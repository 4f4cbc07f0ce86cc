/* SPDX-License-Identifier: ISC */
/*
 * The state file: what was written is read back, whatever else stands there is refused with a reason, and nothing
 * crashes.
 */
#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "daemon/state_file.h"

#define NOW SECONDS(100000)
#define USER 777 /* the user that dsrd becomes */
#define CAPACITY 20000
#define FLOWS 9000 /* more than get room at once */
#define TEXT "server slot=0\n"
#define MUTATIONS 2000

Suite *state_file_suite(void);

#define DIRECTORY "/tmp/dsrd-state-XXXXXX"

static char directory[] = DIRECTORY;
static char path[sizeof(directory) + 16];
static char beside[sizeof(path) + 8];

static void
setup(void)
{
	memcpy(directory, DIRECTORY, sizeof(directory));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/state", directory);
	snprintf(beside, sizeof(beside), "%s.new", path);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)unlink(beside);
	(void)rmdir(directory);
}

static struct conn
flow(uint32_t number)
{
	struct conn conn = { .server = { 1, 1 }, .state = CONN_ESTABLISHED, .began = number };

	memcpy(conn.key.client, &number, sizeof(number));
	return conn;
}

static struct state_file *
create(void)
{
	char error[STATE_ERROR] = "";
	struct state_file *file = state_file_create(path, CAPACITY, CAPACITY, NOW, error);

	ck_assert_msg(file != NULL, "%s", error);
	return file;
}

/* As a director leaves it, with FLOWS flows and one client. */
static void
leave(void)
{
	struct state_file *file = create();
	struct conn_records *records = state_file_flows(file);
	char error[STATE_ERROR] = "";
	struct conn conn;

	for (uint32_t i = 1; i <= FLOWS; i++) {
		if (i > records->ready)
			ck_assert_int_eq(records->reserve(records->context, i), 0);
		conn = flow(i);
		conn_record_write(&records->first[i - 1], &conn, i + 1);
	}
	records = state_file_clients(file);
	ck_assert_int_eq(records->reserve(records->context, 1), 0);
	conn = flow(77);
	conn_record_write(&records->first[0], &conn, 5);
	ck_assert_int_eq(records->reserve(records->context, CAPACITY + 1), -1);
	ck_assert_int_eq(state_file_write(file, "old\n", 4), 0);
	ck_assert_int_eq(state_file_write(file, TEXT, strlen(TEXT)), 0);
	ck_assert_int_eq(state_file_publish(file, error), 0);
	state_file_close(file);
}

static unsigned
count_flows(const struct state_old *old)
{
	struct conn_saved saved;
	unsigned count = 0;

	for (uint32_t i = 0; i < old->flow_count; i++)
		if (conn_record_read(&old->flows[i], &saved)) {
			/* An assertion writes a file, passed or not. */
			if (saved.began != i + 1)
				ck_abort_msg("flow %u is flow %u", i + 1, saved.began);
			count++;
		}
	for (uint32_t i = 0; i < old->client_count; i++)
		(void)conn_record_read(&old->clients[i], &saved);
	return count;
}

static void
expect(enum state_found expected, const char *reason)
{
	char error[STATE_ERROR] = "";
	struct state_old old;
	const enum state_found found = state_file_read(path, USER, NOW + SECONDS(3), &old, error);

	ck_assert_msg(found == expected, "%d instead of %d: %s", found, expected, error);
	ck_assert_msg(reason == NULL || strstr(error, reason) != NULL, "\"%s\" is not in \"%s\"", reason, error);
	state_old_done(&old);
}

static void
put(off_t at, const void *bytes, size_t length)
{
	const int fd = open(path, O_WRONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, length, at), (ssize_t)length);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(test_what_was_left_is_read)
{
	char error[STATE_ERROR] = "";
	struct state_old old;
	struct stat status;

	expect(STATE_NONE, NULL);
	leave();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(state_file_read(path, USER, NOW + SECONDS(3), &old, error), STATE_READ);
	ck_assert_uint_eq(old.length, strlen(TEXT));
	ck_assert_str_eq(old.text, TEXT);
	ck_assert_uint_eq(old.age, SECONDS(3));
	ck_assert_uint_eq(count_flows(&old), FLOWS);
	state_old_done(&old);
	ck_assert_int_eq(access(beside, F_OK), -1);
}
END_TEST

START_TEST(test_a_file_in_use_is_left_alone)
{
	struct state_file *file;
	char error[STATE_ERROR] = "";

	leave();
	file = create();
	/* Until it is published, the old one is there; then it is this one, and locked. */
	expect(STATE_READ, NULL);
	ck_assert_int_eq(state_file_write(file, TEXT, strlen(TEXT)), 0);
	ck_assert_int_eq(state_file_publish(file, error), 0);
	expect(STATE_TAKEN, "another dsrd uses it");
	state_file_close(file);
	expect(STATE_READ, NULL);
	/* What never was published leaves nothing. */
	state_file_close(create());
	ck_assert_int_eq(access(beside, F_OK), -1);
	expect(STATE_READ, NULL);
}
END_TEST

START_TEST(test_what_is_not_ours_is_ignored)
{
	leave();
	ck_assert_int_eq(chmod(path, 0640), 0);
	expect(STATE_IGNORED, "its mode 640");
	ck_assert_int_eq(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 12345, 0), 0);
		expect(STATE_IGNORED, "user number 12345");
		ck_assert_int_eq(chown(path, USER, 0), 0);
		expect(STATE_READ, NULL);
		ck_assert_int_eq(chown(path, 0, 0), 0);
	}
	expect(STATE_READ, NULL);
	/* Whatever a symbolic link leads to. */
	ck_assert_int_eq(rename(path, beside), 0);
	ck_assert_int_eq(symlink(beside, path), 0);
	expect(STATE_TAKEN, NULL);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	expect(STATE_TAKEN, "not a state file");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect(STATE_TAKEN, "not a state file");
}
END_TEST

START_TEST(test_another_kind_of_file_is_not_touched)
{
	const int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "[dsrd]\n", 7), 7);
	ck_assert_int_eq(close(fd), 0);
	expect(STATE_TAKEN, "not a state file of dsrd");
}
END_TEST

START_TEST(test_other_times_and_versions)
{
	const uint32_t version = 99;
	char error[STATE_ERROR] = "";
	struct state_old old;

	leave();
	/* The clock began again: the system was started since. */
	ck_assert_int_eq(state_file_read(path, USER, SECONDS(5), &old, error), STATE_IGNORED);
	ck_assert_ptr_nonnull(strstr(error, "before the system was started"));
	state_old_done(&old);
	put(8, &version, sizeof(version));
	expect(STATE_IGNORED, "another version");
}
END_TEST

START_TEST(test_a_cut_file_is_damaged)
{
	struct stat status;

	leave();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(truncate(path, status.st_size / 2), 0);
	expect(STATE_IGNORED, "damaged");
	ck_assert_int_eq(truncate(path, 50), 0);
	expect(STATE_TAKEN, "not a state file");
}
END_TEST

/* The text is written in turn at two places: a broken new one leaves the old one. */
START_TEST(test_a_torn_text_leaves_the_one_before)
{
	char error[STATE_ERROR] = "", bytes[65536];
	struct state_old old;
	int fd;
	off_t at = -1;

	leave();
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	for (off_t place = 65536; at == -1 && place <= 65536 + (64 << 20); place += sizeof(bytes)) {
		ck_assert_int_eq(pread(fd, bytes, sizeof(bytes), place), sizeof(bytes));
		if (memcmp(bytes + 24, TEXT, strlen(TEXT)) == 0)
			at = place + 24;
	}
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_ne(at, -1);
	put(at, "S", 1);
	ck_assert_int_eq(state_file_read(path, USER, NOW, &old, error), STATE_READ);
	ck_assert_str_eq(old.text, "old\n");
	state_old_done(&old);
}
END_TEST

START_TEST(test_no_header_does_harm)
{
	uint64_t random = 7;

	leave();
	for (unsigned i = 0; i < MUTATIONS; i++) {
		char error[STATE_ERROR] = "";
		uint8_t header[256], changed[256];
		struct state_old old;
		int fd = open(path, O_RDWR);

		ck_assert_int_ge(fd, 0);
		if (pread(fd, header, sizeof(header), 0) != sizeof(header))
			ck_abort_msg("the header is gone");
		memcpy(changed, header, sizeof(changed));
		for (unsigned j = 0; j <= i % 4; j++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			/* Behind the magic number; the last part is that which no checksum covers. */
			changed[8 + (random >> 33) % 200] = (uint8_t)(random >> 50);
		}
		if (pwrite(fd, changed, sizeof(changed), 0) != sizeof(changed))
			ck_abort_msg("the header is not written");
		if (state_file_read(path, USER, NOW + SECONDS(3), &old, error) == STATE_READ)
			(void)count_flows(&old);
		else if (error[0] == '\0')
			ck_abort_msg("refused without a reason");
		state_old_done(&old);
		if (pwrite(fd, header, sizeof(header), 0) != sizeof(header))
			ck_abort_msg("the header is not restored");
		(void)close(fd);
	}
	expect(STATE_READ, NULL);
}
END_TEST

Suite *
state_file_suite(void)
{
	Suite *suite = suite_create("state_file");
	TCase *tcase = tcase_create("state_file");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_what_was_left_is_read);
	tcase_add_test(tcase, test_a_file_in_use_is_left_alone);
	tcase_add_test(tcase, test_what_is_not_ours_is_ignored);
	tcase_add_test(tcase, test_another_kind_of_file_is_not_touched);
	tcase_add_test(tcase, test_other_times_and_versions);
	tcase_add_test(tcase, test_a_cut_file_is_damaged);
	tcase_add_test(tcase, test_a_torn_text_leaves_the_one_before);
	tcase_add_test(tcase, test_no_header_does_harm);
	suite_add_tcase(suite, tcase);
	return suite;
}
