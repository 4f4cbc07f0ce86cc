/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_FORWARD_SUITES_H
#define TESTS_UNIT_FORWARD_SUITES_H

#include "../scene/must.h"

Suite *explain_suite(void);
Suite *fit_suite(void);
Suite *flows_suite(void);
Suite *forward_suite(void);
Suite *handover_suite(void);
Suite *limit_new_suite(void);
Suite *local_suite(void);
Suite *methods_suite(void);
Suite *outer_suite(void);
Suite *neigh_suite(void);
Suite *protocols_suite(void);
Suite *quic_suite(void);
Suite *takeover_suite(void);

#endif
