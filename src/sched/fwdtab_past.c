/* SPDX-License-Identifier: ISC */
/*
 * The choice before a change. When servers come or go, directors change their tables at about the same time, and then
 * tell each other which flows deviate from the new one. Until that has arrived, a frame in the middle of an unknown
 * flow is most likely one of another director's flow that is older than the change, so it goes where the table before
 * the change sends it. That is right for every flow that was placed by that table; a flow that began later is wrong if
 * the two tables differ about it.
 */
#include "config.h"

#include "sched/fwdtab.h"

#include <stdlib.h>
#include <string.h>

/* Do both choose the same servers in the same way, as long as the servers are the same? */
static bool
past_is_same(const struct fwd_service *a, const struct fwd_service *b)
{
	if (a->scheduler != b->scheduler || a->candidate_count != b->candidate_count || a->hash.size != b->hash.size ||
	    memcmp(&a->hash_key, &b->hash_key, sizeof(a->hash_key)) != 0)
		return false;
	for (size_t i = 0; i < a->candidate_count; i++)
		if (!server_ref_equal(a->candidates[i]->ref, b->candidates[i]->ref))
			return false;
	return a->candidate_count == 0 ||
	    memcmp(a->hash.slots, b->hash.slots, a->hash.size * sizeof(*a->hash.slots)) == 0;
}

/* Servers that are gone are NULL from now on. */
static void
past_move(struct fwd_service *past, const struct fwdtab *table)
{
	for (size_t i = 0; i < past->candidate_count; i++)
		if (past->candidates[i] != NULL)
			past->candidates[i] = fwdtab_server(table, past->candidates[i]->ref);
	/* They belong to the table before. */
	past->run = NULL;
	past->turn = NULL;
	past->timeouts = NULL;
	past->listen = NULL;
	past->service = NULL;
	free(past->quic);
	past->quic = NULL;
}

/* Entries of one service are next to each other. Of those from `at` on: how many. */
static size_t
past_count(const struct fwdtab *table, size_t at)
{
	size_t count = 1;

	while (at + count < table->service_count && table->services[at + count] != NULL &&
	    table->services[at + count]->number == table->services[at]->number)
		count++;
	return count;
}

/* Where the service of that number has its entries, or `service_count`. Most often it is at `guess`. */
static size_t
past_find(const struct fwdtab *before, uint16_t number, size_t guess)
{
	const size_t count = before->service_count;

	for (size_t i = 0; i < count; i++) {
		const size_t at = (guess + i) % count;

		/* NULL was inherited already. */
		if (before->services[at] != NULL && before->services[at]->number == number)
			return at;
	}
	return count;
}

static void
past_inherit(struct fwd_service *service, struct fwd_service **before, const struct fwdtab *table, uint64_t now)
{
	struct fwd_service *old = *before;
	const bool same = past_is_same(service, old);

	if (same)
		service->since = old->since;
	if (same || old->candidate_count == 0 || now - old->since < FWD_PAST) {
		/* What was in force for a moment only has placed few flows: the one before it has placed more. */
		service->past = old->past;
		service->past_until = old->past_until;
		old->past = NULL;
	} else {
		service->past = old;
		service->past_until = now + FWD_PAST;
		/* The one before that ends with the table. */
		*before = old->past;
		old->past = NULL;
	}
	if (service->past != NULL)
		past_move(service->past, table);
}

void
fwdtab_inherit(struct fwdtab *table, struct fwdtab *before, uint64_t now)
{
	size_t count, old = 0;

	for (size_t i = 0; i < table->service_count; i += count) {
		old = past_find(before, table->services[i]->number, old);
		count = past_count(table, i);
		/* When other ports than before are out, which entry would be which is not known. */
		if (old == before->service_count || past_count(before, old) != count)
			continue;
		for (size_t j = 0; j < count; j++)
			past_inherit(table->services[i + j], &before->services[old + j], table, now);
	}
}

struct fwd_server *
fwd_service_before(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key,
    uint64_t now)
{
	struct fwd_server *server;

	if (service->past == NULL || now >= service->past_until)
		return NULL;
	server = fwd_service_by_hash(service->past, vip, key);
	return server != NULL && server->healthy && server->reachable ? server : NULL;
}
