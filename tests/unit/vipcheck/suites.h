/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_VIPCHECK_SUITES_H
#define TESTS_UNIT_VIPCHECK_SUITES_H

#include "../scene/must.h"

Suite *conflict_suite(void);
Suite *vipcheck_suite(void);
Suite *vipcheck_settings_suite(void);

#endif
