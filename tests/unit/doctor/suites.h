/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_DOCTOR_SUITES_H
#define TESTS_UNIT_DOCTOR_SUITES_H

#include "../scene/must.h"

Suite *diagnosis_suite(void);
Suite *examine_suite(void);
Suite *fit_suite(void);
Suite *problem_suite(void);

#endif
