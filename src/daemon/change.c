/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/change.h"

#include <assert.h>

void
change_subscribe(struct change_feed *feed, change_subscriber *call, void *context)
{
	assert(feed->count < CHANGE_SUBSCRIBERS);
	feed->subscribers[feed->count].call = call;
	feed->subscribers[feed->count].context = context;
	feed->count++;
}

void
change_emit(const struct change_feed *feed, const struct state_change *change)
{
	for (size_t i = 0; i < feed->count; i++)
		feed->subscribers[i].call(feed->subscribers[i].context, change);
}
