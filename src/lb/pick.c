/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/pick.h"

#include <string.h>

#include "base/attr.h"

static const struct scheduler *const schedulers[] = { &pick_rr, &pick_wrr, &pick_lc, &pick_wlc };

const struct scheduler *
scheduler_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(schedulers); i++)
		if (strcmp(schedulers[i]->name, name) == 0)
			return schedulers[i];
	return NULL;
}

const char *const *
scheduler_names(void)
{
	static const char *const names[] = { "rr", "wrr", "lc", "wlc", NULL };

	return names;
}
