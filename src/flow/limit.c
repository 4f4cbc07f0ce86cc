/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/source.h"

#define CONNECTION UINT64_C(1000000) /* of what `spent` counts: a rate of one a second refills one each microsecond */

struct limit_client {
	uint64_t name; /* keyed hash of service and network */
	struct limit_bucket bucket;
};

struct limit_table {
	struct siphash_key key;
	struct limit_client clients[LIMIT_SETS][LIMIT_WAYS];
};

/* What is spent after the time since the bucket was used; a bucket of a higher rate than now is empty, no more. */
static uint64_t
limit_spent(const struct limit_bucket *bucket, uint32_t rate, uint64_t now)
{
	const uint64_t most = rate * CONNECTION, spent = bucket->spent < most ? bucket->spent : most;
	uint64_t refilled;

	if (now <= bucket->when)
		return spent;
	if (now - bucket->when >= SECONDS(1))
		return 0;
	refilled = (now - bucket->when) * rate;
	return refilled < spent ? spent - refilled : 0;
}

bool
limit_bucket_has(const struct limit_bucket *bucket, uint32_t rate, uint64_t now)
{
	return limit_spent(bucket, rate, now) + CONNECTION <= rate * CONNECTION;
}

bool
limit_bucket_take(struct limit_bucket *bucket, uint32_t rate, uint64_t now)
{
	const bool has = limit_bucket_has(bucket, rate, now);

	bucket->spent = limit_spent(bucket, rate, now) + (has ? CONNECTION : 0);
	bucket->when = now;
	return has;
}

struct limit_table *
limit_table_new(const struct siphash_key *key)
{
	struct limit_table *table = calloc(1, sizeof(*table));

	if (table != NULL)
		table->key = *key;
	return table;
}

void
limit_table_free(struct limit_table *table)
{
	free(table);
}

static uint64_t
limit_name(const struct limit_table *table, const struct limit_asker *asker)
{
	uint8_t bytes[16 + sizeof(asker->service)];

	memcpy(bytes, asker->client, 16);
	source_mask(bytes, source_is_ipv4(bytes) ? 96U + asker->limit->prefix4 : asker->limit->prefix6);
	memcpy(bytes + 16, &asker->service, sizeof(asker->service));
	return siphash13(&table->key, bytes, sizeof(bytes));
}

/*
 * The client's place; when it has none, the one used least recently. A time that is still to come, after a step of the
 * clock, counts as longest ago.
 */
static size_t
limit_find(const struct limit_client *set, uint64_t name, uint64_t now)
{
	size_t oldest = 0;

	for (size_t i = 0; i < LIMIT_WAYS; i++) {
		if (set[i].name == name)
			return i;
		if (now - set[i].bucket.when > now - set[oldest].bucket.when)
			oldest = i;
	}
	return oldest;
}

bool
limit_take(struct limit_table *table, const struct limit_asker *asker, uint64_t now)
{
	struct limit_client *set, *client;
	uint64_t name;

	if (!limit_bucket_has(asker->bucket, asker->limit->service, now))
		return false;
	if (asker->limit->client == 0)
		return limit_bucket_take(asker->bucket, asker->limit->service, now);
	name = limit_name(table, asker);
	set = table->clients[name % LIMIT_SETS];
	client = &set[limit_find(set, name, now)];
	if (client->name != name)
		*client = (struct limit_client) { .name = name };
	return limit_bucket_take(&client->bucket, asker->limit->client, now) &&
	    limit_bucket_take(asker->bucket, asker->limit->service, now);
}

bool
limit_has(const struct limit_table *table, const struct limit_asker *asker, uint64_t now)
{
	const struct limit_client *set, *client;
	uint64_t name;

	if (!limit_bucket_has(asker->bucket, asker->limit->service, now))
		return false;
	if (asker->limit->client == 0)
		return true;
	name = limit_name(table, asker);
	set = table->clients[name % LIMIT_SETS];
	client = &set[limit_find(set, name, now)];
	return client->name != name || limit_bucket_has(&client->bucket, asker->limit->client, now);
}
