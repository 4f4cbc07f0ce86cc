/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/lost.h"

#include <string.h>

#include "base/attr.h"

#define SKETCH_BITS (LOST_SKETCH_WORDS * 64)
#define NETWORK4 15 /* bytes of a mapped address that are its /24, ... */
#define NETWORK6 8  /* ... and of an IPv6 address, its /64 */

/* FNV-1a (Fowler, Noll, Vo), and the final mix of MurmurHash3: only to spread networks over the sketch. */
static unsigned
lost_bit(const uint8_t client[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const size_t length = memcmp(client, mapped, sizeof(mapped)) == 0 ? NETWORK4 : NETWORK6;
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ client[i]) * 16777619U;
	hash ^= hash >> 16;
	hash *= 0x85ebca6bU;
	hash ^= hash >> 13;
	return hash % SKETCH_BITS;
}

static void
sketch_set(struct lost_sketch *sketch, const uint8_t client[16])
{
	const unsigned bit = lost_bit(client);

	sketch->words[bit / 64] |= UINT64_C(1) << bit % 64;
}

static unsigned
sketch_count(const struct lost_sketch *sketch)
{
	unsigned count = 0;

	for (size_t i = 0; i < LOST_SKETCH_WORDS; i++)
		for (uint64_t word = sketch->words[i]; word != 0; word &= word - 1)
			count++;
	return count;
}

static bool
sketch_overlaps(const struct lost_sketch *a, const struct lost_sketch *b)
{
	for (size_t i = 0; i < LOST_SKETCH_WORDS; i++)
		if ((a->words[i] & b->words[i]) != 0)
			return true;
	return false;
}

void
lost_count(struct lost *lost, enum lost_event event, const uint8_t client[16])
{
	struct lost_counts *counts = &lost->halves[lost->current];

	switch (event) {
	case LOST_COMPLETED:
		counts->completed++;
		sketch_set(&counts->winners, client);
		break;
	case LOST_UNANSWERED:
		counts->unanswered++;
		sketch_set(&counts->losers, client);
		memcpy(lost->client, client, sizeof(lost->client));
		break;
	case LOST_LATE:
		counts->late++;
		break;
	case LOST_REPLIED:
		counts->replied++;
		break;
	case LOST_MUTE:
		counts->mute++;
		sketch_set(&counts->losers, client);
		memcpy(lost->client, client, sizeof(lost->client));
		break;
	}
}

void
lost_tick(struct lost *lost, uint64_t now)
{
	if (now - lost->rotated < LOST_HALF)
		return;
	lost->rotated = now;
	lost->current = !lost->current;
	memset(&lost->halves[lost->current], 0, sizeof(lost->halves[0]));
}

void
lost_add(struct lost_counts *sum, const struct lost_counts *more)
{
	sum->completed += more->completed;
	sum->unanswered += more->unanswered;
	sum->late += more->late;
	sum->replied += more->replied;
	sum->mute += more->mute;
	for (size_t i = 0; i < LOST_SKETCH_WORDS; i++) {
		sum->losers.words[i] |= more->losers.words[i];
		sum->winners.words[i] |= more->winners.words[i];
	}
}

struct lost_counts
lost_recent(const struct lost *lost)
{
	struct lost_counts sum = lost->halves[0];

	lost_add(&sum, &lost->halves[1]);
	return sum;
}

static uint32_t
lost_limited(uint32_t failed, const struct lost_counts *counts)
{
	const uint32_t most = LOST_PER_NETWORK * sketch_count(&counts->losers);

	return failed < most ? failed : most;
}

struct lost_share
lost_handshakes(const struct lost_counts *counts)
{
	/* What was late may belong to a half that is forgotten. */
	const uint32_t failed = counts->unanswered > counts->late ? counts->unanswered - counts->late : 0;

	return (struct lost_share) { lost_limited(failed, counts), counts->completed };
}

struct lost_share
lost_answers(const struct lost_counts *counts)
{
	return (struct lost_share) { lost_limited(counts->mute, counts), counts->replied };
}

/*
 * Does the failure rate exceed the peers' by `deviations` hundredths of a standard deviation? The two-proportion test
 * with pooled variance, squared to avoid the square root.
 */
static bool
lost_differs(struct lost_share own, struct lost_share peers, unsigned deviations)
{
	const double own_all = (double)own.failed + own.fine, peers_all = (double)peers.failed + peers.fine;
	const double pooled = ((double)own.failed + peers.failed) / (own_all + peers_all);
	const double difference = own.failed / own_all - peers.failed / peers_all;
	const double variance = pooled * (1 - pooled) * (1 / own_all + 1 / peers_all);

	return difference > 0 && difference * difference * 10000 >= variance * deviations * deviations;
}

static bool
lost_is_worse(struct lost_share own, struct lost_share peers, bool proven, unsigned networks)
{
	if (own.failed < LOST_LEAST || peers.fine < LOST_LEAST)
		return false;
	if ((uint64_t)own.failed * 5 < (uint64_t)own.failed + own.fine)
		return false;
	/* Twice the peers' share: own.failed / own.all >= 2 * peers.failed / peers.all. */
	if ((double)own.failed * ((double)peers.failed + peers.fine) < 2.0 * peers.failed *
	    ((double)own.failed + own.fine))
		return false;
	return proven ? lost_differs(own, peers, 196) : networks >= 3 && lost_differs(own, peers, 330);
}

enum lost_verdict
lost_judge(const struct lost_counts *server, const struct lost_counts *peers)
{
	const bool proven = sketch_overlaps(&server->losers, &peers->winners);
	const unsigned networks = sketch_count(&server->losers);
	const struct lost_share own = lost_handshakes(server), others = lost_handshakes(peers);

	if (own.fine == 0 && others.fine == 0)
		return own.failed + others.failed >= LOST_LEAST ? LOST_ALL : LOST_NONE;
	if (lost_is_worse(own, others, proven, networks))
		return LOST_HANDSHAKES;
	if (lost_is_worse(lost_answers(server), lost_answers(peers), proven, networks))
		return LOST_ANSWERS;
	return LOST_NONE;
}

const char *
lost_verdict_name(enum lost_verdict verdict)
{
	static const char *const names[] = {
		[LOST_NONE] = "none",
		[LOST_HANDSHAKES] = "handshakes",
		[LOST_ANSWERS] = "answers",
		[LOST_ALL] = "all",
	};

	return (unsigned)verdict < ARRAY_LEN(names) ? names[verdict] : "?";
}
