/* SPDX-License-Identifier: ISC */
/* The suites of this directory, one for each file of src/encap. */
#ifndef TESTS_UNIT_ENCAP_SUITES_H
#define TESTS_UNIT_ENCAP_SUITES_H

#include <check.h>

Suite *encap_suite(void);
Suite *readdress_suite(void);

#endif
