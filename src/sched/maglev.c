/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sched/maglev.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The paper's rule for an imbalance of at most one per cent: the table is more than 100 times the members. */
#define SLOTS_PER_MEMBER 101
/* Sizes are steps: another size is another table, in which nearly every flow moves. */
#define ROOM_LEAST 40
#define ROOM_STEP 4
#define FREE_SLOT UINT16_MAX

/* One member while the table is filled: its own permutation of all slots. */
struct filler {
	uint64_t identity;
	uint32_t weight;
	uint32_t turns; /* taken so far */
	uint32_t next;
	uint32_t skip;
	uint16_t index;
};

/* The next turn of a filler. */
struct turn {
	uint64_t round;
	uint32_t filler;
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

/*
 * In each round a member earns its weight, and takes a turn when it has earned the largest weight. It starts with half
 * of that, so that shares are rounded to the nearest slot, not down.
 */
static uint64_t
maglev_next(const struct filler *filler, uint32_t most)
{
	const uint64_t price = (uint64_t)(filler->turns + 1) * most - most / 2;

	return (price + filler->weight - 1) / filler->weight;
}

/* Sorted by identity, so that the order in the file makes no difference. Returns the largest weight. */
static uint32_t
maglev_prepare(struct filler *fillers, const struct maglev_member *members, size_t count, uint32_t size)
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
	return most;
}

static bool
is_before(const struct turn *a, const struct turn *b)
{
	return a->round != b->round ? a->round < b->round : a->filler < b->filler;
}

/* The turns are a binary heap, but for the first one. */
static void
sift_down(struct turn *turns, size_t count)
{
	const struct turn moving = turns[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < count) {
		child += child + 1 < count && is_before(&turns[child + 1], &turns[child]);
		if (!is_before(&turns[child], &moving))
			break;
		turns[at] = turns[child];
		at = child;
	}
	turns[at] = moving;
}

static int
by_round(const void *a, const void *b)
{
	return is_before(b, a) - is_before(a, b);
}

/* Turn by turn, in the order of rounds and in a round of fillers; a heap, as a light member has few of many rounds. */
static void
maglev_fill(struct maglev *maglev, struct filler *fillers, struct turn *turns, size_t count, uint32_t most)
{
	for (size_t i = 0; i < count; i++)
		turns[i] = (struct turn){ .round = maglev_next(&fillers[i], most), .filler = (uint32_t)i };
	/* What is sorted is a heap. */
	qsort(turns, count, sizeof(*turns), by_round);
	for (uint32_t left = maglev->size; left > 0; left--) {
		struct filler *filler = &fillers[turns->filler];

		while (maglev->slots[filler->next] != FREE_SLOT)
			filler->next = (uint32_t)(((uint64_t)filler->next + filler->skip) % maglev->size);
		maglev->slots[filler->next] = filler->index;
		filler->turns++;
		turns->round = maglev_next(filler, most);
		sift_down(turns, count);
	}
}

int
maglev_build(struct maglev *maglev, const struct maglev_member *members, size_t count, size_t room)
{
	struct filler *fillers;
	struct turn *turns;
	int result = -1;

	memset(maglev, 0, sizeof(*maglev));
	if (count == 0)
		return 0;
	fillers = calloc(count, sizeof(*fillers));
	turns = calloc(count, sizeof(*turns));
	maglev->size = table_size(room > count ? room : count);
	maglev->slots = malloc(maglev->size * sizeof(*maglev->slots));
	if (fillers == NULL || turns == NULL || maglev->slots == NULL) {
		maglev_clear(maglev);
		goto out;
	}
	memset(maglev->slots, 0xff, maglev->size * sizeof(*maglev->slots));
	maglev_fill(maglev, fillers, turns, count, maglev_prepare(fillers, members, count, maglev->size));
	result = 0;
out:
	free(turns);
	free(fillers);
	return result;
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
