/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SCHED_SUITES_H
#define TESTS_UNIT_SCHED_SUITES_H

#include "../scene/must.h"

Suite *fwdtab_suite(void);
Suite *maglev_suite(void);
Suite *schedulers_suite(void);

#endif
