/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_MODEL_SUITES_H
#define TESTS_UNIT_MODEL_SUITES_H

#include "../scene/must.h"

Suite *admin_suite(void);
Suite *eject_suite(void);
Suite *health_suite(void);
Suite *model_suite(void);
Suite *status_suite(void);

#endif
