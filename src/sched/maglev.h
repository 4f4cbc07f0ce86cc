/* SPDX-License-Identifier: ISC */
/*
 * Consistent hashing by Maglev's table (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer",
 * NSDI 2016, section 3.4), with weights. The choice depends only on the members' identities and weights, not on their
 * order, so that two directors choose alike, and a restarted one chooses as before.
 */
#ifndef SCHED_MAGLEV_H
#define SCHED_MAGLEV_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "sched/select.h"

struct maglev_member {
	uint64_t identity; /* a keyed hash of its name: equal on every director */
	uint32_t weight;   /* above zero */
};

/* All zero is an empty table. */
struct maglev {
	uint16_t *slots; /* index into the members, as they were given */
	uint32_t size;   /* a prime */
};

/*
 * Members are at most 65535. 0, or -1 when memory is out. No members: an empty table.
 *
 * The table has more than 100 slots for each of `room` members, in few sizes: tables of the same size differ by little
 * more than the members that differ, tables of two sizes by nearly everything. So `room` should stay when members come
 * and go; maglev_room() is one that does.
 */
NODISCARD int maglev_build(struct maglev *maglev, const struct maglev_member *members, size_t count, size_t room);
/*
 * The sum of all weights in units of the smallest one, so that the smallest share is exact too; at least `count`, and
 * no more than ROOM_FOR_WEIGHTS because of weights. A weight of 0 counts as the smallest: draining a server does not
 * change the table's size.
 */
#define ROOM_FOR_WEIGHTS 640
size_t maglev_room(const uint32_t *weights, size_t count);
void maglev_clear(struct maglev *maglev);

/* The index of the member for `hash`. The table is not empty. */
static inline size_t
maglev_find(const struct maglev *maglev, uint64_t hash)
{
	return maglev->slots[select_slot(hash, maglev->size)];
}

#endif
