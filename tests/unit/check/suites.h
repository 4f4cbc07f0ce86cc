/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_CHECK_SUITES_H
#define TESTS_UNIT_CHECK_SUITES_H

#include <check.h>

Suite *answers_suite(void);
Suite *attempts_suite(void);
Suite *https_suite(void);
Suite *kinds_suite(void);
Suite *pace_suite(void);
Suite *probe_suite(void);
Suite *scripts_suite(void);

#endif
