/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_FLOW_SUITES_H
#define TESTS_UNIT_FLOW_SUITES_H

#include "../scene/must.h"

Suite *conn_suite(void);
Suite *conn_grow_suite(void);
Suite *conn_record_suite(void);
Suite *flood_suite(void);
Suite *fragment_suite(void);
Suite *limit_suite(void);
Suite *lost_suite(void);
Suite *measure_suite(void);

#endif
