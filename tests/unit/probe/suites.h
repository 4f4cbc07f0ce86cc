/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_PROBE_SUITES_H
#define TESTS_UNIT_PROBE_SUITES_H

#include <check.h>

Suite *probe_suite(void);

#endif
