/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/unproven.h"

#include <stdlib.h>

/* Entries for each flow of the share: some are of flows that were proven. */
#define ENTRIES_EACH 2

int
unproven_init(struct unproven_queue *queue, uint32_t capacity)
{
	*queue = (struct unproven_queue) { .share = capacity / UNPROVEN_SHARE };
	queue->size = queue->share * ENTRIES_EACH;
	queue->flows = calloc(queue->size, sizeof(*queue->flows));
	return queue->flows != NULL ? 0 : -1;
}

void
unproven_clear(struct unproven_queue *queue)
{
	free(queue->flows);
}

void
unproven_push(struct unproven_queue *queue, uint32_t number, uint32_t second)
{
	uint32_t at;

	if (queue->used == queue->size)
		unproven_pop(queue);
	at = queue->first + queue->used++;
	queue->flows[at < queue->size ? at : at - queue->size] = (struct unproven) { number, second };
}

const struct unproven *
unproven_first(const struct unproven_queue *queue)
{
	return queue->used > 0 ? &queue->flows[queue->first] : NULL;
}

void
unproven_pop(struct unproven_queue *queue)
{
	queue->first = queue->first + 1 < queue->size ? queue->first + 1 : 0;
	queue->used--;
}
