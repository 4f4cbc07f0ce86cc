/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SYNC_SUITES_H
#define TESTS_UNIT_SYNC_SUITES_H

#include "../scene/must.h"

Suite *link_suite(void);
Suite *self_suite(void);
Suite *session_suite(void);
Suite *sync_suite(void);
Suite *wire_suite(void);

#endif
