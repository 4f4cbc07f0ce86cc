/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_LB_SUITES_H
#define TESTS_UNIT_LB_SUITES_H

#include <check.h>

/* Check's own assertions write to a file each, passed or not: too slow for inner loops. */
#define must(condition, ...) do { \
		if (!(condition)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

Suite *offload_grow_suite(void);
Suite *offload_suite(void);
Suite *conn_grow_suite(void);
Suite *conn_record_suite(void);
Suite *conn_suite(void);
Suite *diagnose_suite(void);
Suite *examine_suite(void);
Suite *explain_suite(void);
Suite *flows_suite(void);
Suite *forward_suite(void);
Suite *fragment_suite(void);
Suite *fwdtab_suite(void);
Suite *handover_suite(void);
Suite *health_suite(void);
Suite *maglev_suite(void);
Suite *eject_suite(void);
Suite *lost_suite(void);
Suite *measure_suite(void);
Suite *model_suite(void);
Suite *neigh_suite(void);
Suite *path_suite(void);
Suite *path_settings_suite(void);
Suite *pick_suite(void);
Suite *protocols_suite(void);
Suite *status_suite(void);
Suite *admin_suite(void);
Suite *fit_suite(void);
Suite *problem_suite(void);
Suite *watch_suite(void);

#endif
