/* SPDX-License-Identifier: ISC */
/* The second part of bench-maglev: many directors, servers and flows. */
#ifndef TESTS_BENCH_CLUSTER_H
#define TESTS_BENCH_CLUSTER_H

#include <stdint.h>

#include "base/attr.h"

struct cluster_size {
	uint64_t directors; /* two or more */
	uint64_t servers;   /* a hundred or more */
	uint64_t flows;
};

/* Prints what it finds. -1 when memory is out. */
NODISCARD int cluster_simulate(const struct cluster_size *size);

#endif
