/* SPDX-License-Identifier: ISC */
/* The suites of this directory. */
#ifndef TESTS_UNIT_CONF_SUITES_H
#define TESTS_UNIT_CONF_SUITES_H

#include <check.h>

Suite *reader_suite(void);
Suite *conf_suite(void);
Suite *compare_suite(void);
Suite *include_suite(void);
Suite *flow_value_suite(void);
Suite *golden_suite(void);
Suite *documents_suite(void);
Suite *settings_suite(void);

#endif
