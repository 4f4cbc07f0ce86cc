/* SPDX-License-Identifier: ISC */
/* The suites of this directory, one for each module of src/base. */
#ifndef TESTS_UNIT_BASE_SUITES_H
#define TESTS_UNIT_BASE_SUITES_H

#include <check.h>

Suite *addr_suite(void);
Suite *cursor_suite(void);
Suite *errlist_suite(void);
Suite *iface_suite(void);
Suite *large_suite(void);
Suite *log_suite(void);
Suite *siphash_suite(void);
Suite *keyhash_suite(void);
Suite *text_suite(void);

#endif
