/* SPDX-License-Identifier: ISC */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

Suite *arguments_suite(void);
Suite *command_suite(void);
Suite *control_suite(void);
Suite *doctor_report_suite(void);
Suite *events_suite(void);
Suite *filter_suite(void);
Suite *http_suite(void);
Suite *json_suite(void);
Suite *metrics_suite(void);
Suite *report_flows_suite(void);
Suite *show_suite(void);
Suite *top_suite(void);
Suite *trace_suite(void);
Suite *web_suite(void);
Suite *writer_suite(void);

#endif
