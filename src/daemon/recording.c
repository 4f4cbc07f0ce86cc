/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/recording.h"

#include <time.h>

#include "base/log.h"
#include "forward/forward.h"

static void
recording_take(void *context, int level, const char *line)
{
	struct recording *recording = context;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	events_add(recording->events, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, level, line);
}

void
recording_open(struct recording *recording)
{
	recording->events = events_new();
	if (recording->events == NULL)
		log_warning("events result=failed reason=\"out of memory: dsrctl events has none\"");
	else
		log_subscribe(recording_take, recording);
}

void
recording_tick(struct recording *recording, const struct model *model, const struct forwarder *forwarder)
{
	history_tick(&recording->history, model, forward_stats_dropped(&forwarder->stats),
	    conn_table_count(forwarder->conns), (uint64_t)time(NULL));
}

void
recording_close(struct recording *recording)
{
	log_subscribe(NULL, NULL);
	events_free(recording->events);
	recording->events = NULL;
}
