/* SPDX-License-Identifier: ISC */
#ifndef TESTS_UNIT_SCENE_MUST_H
#define TESTS_UNIT_SCENE_MUST_H

#include <check.h>

/* Check's own assertions write to a file each, passed or not: too slow for inner loops. */
#define must(condition, ...) do { \
		if (!(condition)) \
			ck_abort_msg(__VA_ARGS__); \
	} while (0)

#endif
