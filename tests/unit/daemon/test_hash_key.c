/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/hash_key.h"
#include <check.h>

Suite *hash_key_suite(void);

static char directory[] = "/tmp/dsrd-key.XXXXXX";
static char path[64];

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/key", directory);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)rmdir(directory);
}

static struct siphash_key
open_key(bool expected)
{
	struct siphash_key key = { { 0 } };
	bool kept;

	ck_assert_int_eq(hash_key_open(path, &key, &kept), 0);
	ck_assert_int_eq(kept, expected);
	return key;
}

START_TEST(hash_key_stays)
{
	static const struct siphash_key zero;
	const struct siphash_key key = open_key(true), again = open_key(true);
	struct stat st;

	ck_assert_mem_ne(key.bytes, zero.bytes, SIPHASH_KEY);
	ck_assert_mem_eq(key.bytes, again.bytes, SIPHASH_KEY);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(hash_key_differs_by_host)
{
	const struct siphash_key key = open_key(true);
	struct siphash_key other;

	ck_assert_int_eq(unlink(path), 0);
	other = open_key(true);
	ck_assert_mem_ne(key.bytes, other.bytes, SIPHASH_KEY);
}
END_TEST

START_TEST(hash_key_that_others_could_read_is_replaced)
{
	const struct siphash_key key = open_key(true);
	struct siphash_key other;

	ck_assert_int_eq(chmod(path, 0644), 0);
	other = open_key(true);
	ck_assert_mem_ne(key.bytes, other.bytes, SIPHASH_KEY);
}
END_TEST

START_TEST(hash_key_that_is_cut_off_is_replaced)
{
	const struct siphash_key key = open_key(true);
	struct siphash_key other, again;

	ck_assert_int_eq(truncate(path, SIPHASH_KEY - 1), 0);
	other = open_key(true);
	again = open_key(true);
	ck_assert_mem_ne(key.bytes, other.bytes, SIPHASH_KEY);
	ck_assert_mem_eq(other.bytes, again.bytes, SIPHASH_KEY);
}
END_TEST

START_TEST(hash_key_without_a_directory_is_random_all_the_same)
{
	static const struct siphash_key zero;
	struct siphash_key key;

	(void)snprintf(path, sizeof(path), "%s/missing/key", directory);
	key = open_key(false);
	ck_assert_mem_ne(key.bytes, zero.bytes, SIPHASH_KEY);
}
END_TEST

Suite *
hash_key_suite(void)
{
	Suite *suite = suite_create("hash_key");
	TCase *tcase = tcase_create("hash_key");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, hash_key_stays);
	tcase_add_test(tcase, hash_key_differs_by_host);
	tcase_add_test(tcase, hash_key_that_others_could_read_is_replaced);
	tcase_add_test(tcase, hash_key_that_is_cut_off_is_replaced);
	tcase_add_test(tcase, hash_key_without_a_directory_is_random_all_the_same);
	suite_add_tcase(suite, tcase);
	return suite;
}
