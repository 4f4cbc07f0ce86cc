/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_PEER_SUITES_H
#define TESTS_UNIT_PEER_SUITES_H

#include "../scene/must.h"

Suite *peers_suite(void);

#endif
