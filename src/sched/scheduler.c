/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sched/scheduler.h"

#include <string.h>

#include "base/attr.h"

#define X(name, text) &pick_##name,
static const struct scheduler *const schedulers[] = { SCHEDULERS(X) };
#undef X

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
#define X(name, text) text,
	static const char *const names[] = { SCHEDULERS(X) NULL };
#undef X

	return names;
}
