/* SPDX-License-Identifier: ISC */
/* What a new configuration announces, and what of the one before is to be withdrawn. */
#include "config.h"

#include "daemon/announcing_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/director.h"

static int
entry_compare(const void *left, const void *right)
{
	const struct entry *const *a = left, *const *b = right;

	return memcmp(&(*a)->status.addr, &(*b)->status.addr, sizeof(struct addr));
}

struct entry *
announcing_find(const struct announcing *announcing, const struct addr *addr)
{
	const struct entry wanted = { .status.addr = *addr }, *key = &wanted;
	struct entry **found = announcing->sorted == NULL ? NULL : bsearch(&key, announcing->sorted, announcing->count,
	    sizeof(*announcing->sorted), entry_compare);

	return found == NULL ? NULL : *found;
}

static void
announcing_leave_over(struct announcing *announcing, const struct entry *entry)
{
	struct leftover *leftover = calloc(1, sizeof(*leftover));

	/* Without memory a program is not told: what it did stays. */
	if (leftover == NULL)
		return;
	leftover->addr = entry->status.addr;
	leftover->settings = announcing->settings[entry->status.group];
	memcpy(leftover->group, announcing->groups[entry->status.group], sizeof(leftover->group));
	leftover->next = announcing->leftovers;
	announcing->leftovers = leftover;
}

/* What the VIP was until now, if it was. */
static void
entry_inherit(struct entry *entry, struct announcing *before, const struct model *model)
{
	const struct entry *old = announcing_find(before, &entry->status.addr);

	entry->told = entry->status.way == ANNOUNCE_PROGRAM ? TOLD_UNKNOWN : 0;
	if (old == NULL)
		return;
	entry->status.vip = old->status.vip;
	if (memcmp(&before->settings[old->status.group], &model->announces[entry->status.group],
	    sizeof(struct announce_settings)) == 0)
		entry->told = old->told;
}

/* Those that a program, or the holder, knows otherwise than by the new configuration. */
static void
announcing_collect_leftovers(struct announcing *announcing, const struct announcing *after)
{
	for (size_t i = 0; i < announcing->count; i++) {
		const struct entry *old = &announcing->entries[i];
		const struct entry *entry = announcing_find(after, &old->status.addr);

		if (old->told != 0 && (entry == NULL || entry->told != old->told))
			announcing_leave_over(announcing, old);
	}
}

static struct pair *
announcing_pair(const struct announcing *after, const struct model *model, size_t *count)
{
	/* By entry: the last service that has it, from 1. */
	uint32_t *last = calloc(after->count + 1, sizeof(*last));
	struct pair *pairs;
	size_t most = 0;

	for (size_t i = 0; i < model->service_count; i++)
		most += model->services[i]->settings.listen_count;
	pairs = calloc(most + 1, sizeof(*pairs));
	*count = 0;
	for (size_t i = 0; i < model->service_count && pairs != NULL && last != NULL; i++) {
		const struct service_settings *service = &model->services[i]->settings;

		for (size_t j = 0; j < service->listen_count; j++) {
			const struct entry *entry = announcing_find(after, &service->listens[j].vip);
			const size_t index = entry == NULL ? after->count : (size_t)(entry - after->entries);

			if (entry == NULL || last[index] == i + 1)
				continue;
			last[index] = (uint32_t)i + 1;
			pairs[(*count)++] = (struct pair) { (uint32_t)i, (uint32_t)index };
		}
	}
	if (last == NULL) {
		free(pairs);
		pairs = NULL;
	}
	free(last);
	return pairs;
}

/* Everything for the new configuration, or false: memory is out. */
static bool
announcing_make(struct announcing *after, struct announcing *before, const struct model *model)
{
	after->count = model->vip_count;
	after->entries = calloc(after->count + 1, sizeof(*after->entries));
	after->sorted = calloc(after->count + 1, sizeof(*after->sorted));
	after->report = calloc(after->count + 1, sizeof(*after->report));
	if (after->entries == NULL || after->sorted == NULL || after->report == NULL)
		return false;
	for (size_t i = 0; i < after->count; i++) {
		struct entry *entry = &after->entries[i];
		const struct vip *vip = &model->vips[i];

		entry->status = (struct announce_status) { .addr = vip->addr, .group = vip->group,
			.way = model->announces[vip->group].way, .given = model->announces[vip->group].given,
			.routed = vip->routed };
		entry_inherit(entry, before, model);
		after->sorted[i] = entry;
	}
	qsort(after->sorted, after->count, sizeof(*after->sorted), entry_compare);
	after->pairs = announcing_pair(after, model, &after->pair_count);
	return after->pairs != NULL;
}

/* Must the holder begin with the new configuration? It then forgets all routes. */
static bool
announcing_changes_routes(const struct announcing *announcing, const struct model *model)
{
	for (size_t i = 0; i < ROLE_GROUPS; i++)
		if ((way_has_routes(announcing->settings[i].way) || way_has_routes(model->announces[i].way)) &&
		    memcmp(&announcing->settings[i], &model->announces[i], sizeof(announcing->settings[i])) != 0)
			return true;
	return false;
}

static void
announcing_take(struct announcing *announcing, const struct announcing *after, const struct model *model)
{
	free(announcing->entries);
	free(announcing->sorted);
	free(announcing->pairs);
	free(announcing->report);
	announcing->entries = after->entries;
	announcing->count = after->count;
	announcing->sorted = after->sorted;
	announcing->pairs = after->pairs;
	announcing->pair_count = after->pair_count;
	announcing->report = after->report;
	memcpy(announcing->settings, model->announces, sizeof(announcing->settings));
	memset(announcing->faults, 0, sizeof(announcing->faults));
	for (size_t i = 0; i < model->roles.group_count; i++)
		memcpy(announcing->groups[i], model->roles.groups[i].name, ROLE_GROUP);
}

void
announcing_apply(struct announcing *announcing, uint64_t now)
{
	struct announcing after = { .holder = -1 };
	const struct model *model;
	bool afresh;

	if (announcing == NULL)
		return;
	model = announcing->parts.director->model;
	if (!announcing_make(&after, announcing, model)) {
		free(after.entries);
		free(after.sorted);
		free(after.report);
		log_error("announce result=failed reason=\"out of memory: VIPs are announced as before the reload\"");
		return;
	}
	afresh = announcing_changes_routes(announcing, model);
	announcing_collect_leftovers(announcing, &after);
	announcing_take(announcing, &after, model);
	if (afresh) {
		announcing_close_holder(announcing);
		announcing_forget_routes(announcing);
		announcing->holder_next = now;
	}
	announcing->holder_behind = announcing->holder != -1;
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++)
		announcing->streams.list[i].behind = true;
	announcing->due = announcing_is_wanted(announcing) ? now : UINT64_MAX;
	/* Where there is no privileged process, this one can fork now, and not later. */
	announcing_open_holder(announcing, now);
}
