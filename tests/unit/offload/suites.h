/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_OFFLOAD_SUITES_H
#define TESTS_UNIT_OFFLOAD_SUITES_H

#include "../scene/must.h"

Suite *offload_suite(void);
Suite *offload_grow_suite(void);
Suite *offload_methods_suite(void);
Suite *offload_select_suite(void);
Suite *offload_torn_suite(void);

#endif
