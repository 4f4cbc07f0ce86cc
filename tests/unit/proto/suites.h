/* SPDX-License-Identifier: ISC */
/* The suites of this directory, one for each module of src/proto. */
#ifndef TESTS_UNIT_PROTO_SUITES_H
#define TESTS_UNIT_PROTO_SUITES_H

#include <check.h>

Suite *arp_suite(void);
Suite *checksum_suite(void);
Suite *craft_suite(void);
Suite *craft_ip_suite(void);
Suite *icmp_suite(void);
Suite *ndp_suite(void);
Suite *packet_suite(void);
Suite *packet6_suite(void);
Suite *quic_suite(void);
Suite *segment_suite(void);
Suite *too_big_suite(void);

#endif
