/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/maglev.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The paper's rule for an imbalance of at most one per cent: the table is more than 100 times the members. */
#define SLOTS_PER_MEMBER 101
/* Sizes are steps: another size is another table, in which nearly every flow moves. */
#define ROOM_LEAST 40
#define ROOM_STEP 4
#define FREE_SLOT UINT16_MAX

/* One member while the table is filled: its own permutation of all slots, and the turns it has earned. */
struct filler {
	uint64_t identity;
	uint64_t credit;
	uint32_t weight;
	uint32_t next;
	uint32_t skip;
	uint16_t index;
};

static bool
is_prime(uint32_t number)
{
	for (uint32_t divisor = 2; divisor * divisor <= number; divisor++)
		if (number % divisor == 0)
			return false;
	return true;
}

static uint32_t
table_size(size_t room)
{
	uint32_t step = ROOM_LEAST, size;

	while (step < room)
		step *= ROOM_STEP;
	size = step * SLOTS_PER_MEMBER;
	while (!is_prime(size))
		size++;
	return size;
}

static int
by_identity(const void *a, const void *b)
{
	const struct filler *x = a, *y = b;

	return (x->identity > y->identity) - (x->identity < y->identity);
}

/* In the order of identities, so that the file's order makes no difference. The largest weight is returned. */
static uint32_t
prepare(struct filler *fillers, const struct maglev_member *members, size_t count, uint32_t size)
{
	uint32_t most = 0;

	for (size_t i = 0; i < count; i++) {
		struct filler *filler = &fillers[i];

		filler->identity = members[i].identity;
		filler->weight = members[i].weight;
		filler->index = (uint16_t)i;
		filler->next = (uint32_t)(members[i].identity & UINT32_MAX) % size;
		filler->skip = (uint32_t)(members[i].identity >> 32) % (size - 1) + 1;
		if (filler->weight > most)
			most = filler->weight;
	}
	qsort(fillers, count, sizeof(*fillers), by_identity);
	/* So that shares are rounded to the nearest slot, not down. */
	for (size_t i = 0; i < count; i++)
		fillers[i].credit = most / 2;
	return most;
}

static void
take_slot(struct maglev *maglev, struct filler *filler)
{
	while (maglev->slots[filler->next] != FREE_SLOT)
		filler->next = (uint32_t)(((uint64_t)filler->next + filler->skip) % maglev->size);
	maglev->slots[filler->next] = filler->index;
}

/* In each round a member earns its weight, and takes a slot for each time it has earned the largest weight of all. */
static void
fill(struct maglev *maglev, struct filler *fillers, size_t count, uint32_t most)
{
	uint32_t left = maglev->size;

	for (;;) {
		for (size_t i = 0; i < count; i++) {
			fillers[i].credit += fillers[i].weight;
			if (fillers[i].credit < most)
				continue;
			fillers[i].credit -= most;
			take_slot(maglev, &fillers[i]);
			if (--left == 0)
				return;
		}
	}
}

int
maglev_build(struct maglev *maglev, const struct maglev_member *members, size_t count, size_t room)
{
	struct filler *fillers;

	memset(maglev, 0, sizeof(*maglev));
	if (count == 0)
		return 0;
	fillers = calloc(count, sizeof(*fillers));
	maglev->size = table_size(room > count ? room : count);
	maglev->slots = malloc(maglev->size * sizeof(*maglev->slots));
	if (fillers == NULL || maglev->slots == NULL) {
		free(fillers);
		maglev_clear(maglev);
		return -1;
	}
	memset(maglev->slots, 0xff, maglev->size * sizeof(*maglev->slots));
	fill(maglev, fillers, count, prepare(fillers, members, count, maglev->size));
	free(fillers);
	return 0;
}

size_t
maglev_room(const uint32_t *weights, size_t count)
{
	uint64_t total = 0, room;
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < count; i++)
		if (weights[i] > 0 && weights[i] < least)
			least = weights[i];
	for (size_t i = 0; i < count; i++)
		total += weights[i] > 0 ? weights[i] : least;
	room = (total + least - 1) / least;
	if (room > ROOM_FOR_WEIGHTS)
		room = ROOM_FOR_WEIGHTS;
	return room > count ? (size_t)room : count;
}

void
maglev_clear(struct maglev *maglev)
{
	free(maglev->slots);
	memset(maglev, 0, sizeof(*maglev));
}
