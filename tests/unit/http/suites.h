/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_HTTP_SUITES_H
#define TESTS_UNIT_HTTP_SUITES_H

#include <check.h>

Suite *message_suite(void);
Suite *place_suite(void);

#endif
