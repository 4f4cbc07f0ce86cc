/* SPDX-License-Identifier: ISC */
/*
 * The flow table: memory of a flow and time of a lookup, for 10 thousand, 1 million and 10 million flows; and for few
 * flows in a table that has room for many, which should cost what few flows cost.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/duration.h"
#include "flow/conn.h"
#include "proto/packet.h"

#define LOOKUPS 2000000
#define TIMEOUT MINUTES(15)

static double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Splitmix64 (Steele, Lea, Flood 2014): spreads the flows' numbers, so that nothing is asked for in order. */
static uint64_t
spread(uint64_t number)
{
	number += UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static struct conn_key
make_key(uint32_t client, uint16_t port)
{
	struct conn_key key;

	memset(&key, 0, sizeof(key));
	key.client[10] = key.client[11] = 0xff;
	memcpy(key.client + 12, &client, sizeof(client));
	key.client_port = port;
	key.vip_port = 80;
	key.target = conn_target(0, PROTOCOL_TCP);
	return key;
}

/* Of those that are in the table: port 1. Nobody has port 2. */
static double
time_lookups(struct conn_table *table, uint32_t flows, uint16_t port, uint32_t expected)
{
	double began = now();
	uint32_t found = 0;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		const struct conn_key key = make_key((uint32_t)(spread(i) % flows), port);

		found += conn_find(table, &key, SECONDS(1)) != NULL;
	}
	if (found != expected) {
		(void)fprintf(stderr, "conns: %" PRIu32 " flows found of %" PRIu32 "\n", found, expected);
		exit(EXIT_FAILURE);
	}
	return (now() - began) / LOOKUPS;
}

static double
time_inserts(struct conn_table *table, uint32_t flows)
{
	const struct server_ref server = { .slot = 1 };
	double began = now();

	for (uint32_t i = 0; i < flows; i++) {
		const struct conn_key key = make_key(i, 1);

		if (conn_insert(table, &key, server, CONN_ESTABLISHED, TIMEOUT, SECONDS(1)) == NULL) {
			(void)fprintf(stderr, "conns: the table is full after %" PRIu32 " flows\n", i);
			exit(EXIT_FAILURE);
		}
	}
	return (now() - began) / flows;
}

static double
time_removals(struct conn_table *table, uint32_t flows)
{
	double began = now();

	conn_expire(table, SECONDS(1) + TIMEOUT + SECONDS(2), flows + 1);
	if (conn_table_count(table) != 0) {
		(void)fprintf(stderr, "conns: %" PRIu32 " flows did not expire\n", conn_table_count(table));
		exit(EXIT_FAILURE);
	}
	return (now() - began) / flows;
}

/* What the making of the keys costs, which is no part of a lookup. */
static double
time_keys(uint32_t flows)
{
	double began = now();
	volatile uint8_t sink = 0;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		const struct conn_key key = make_key((uint32_t)(spread(i) % flows), 1);

		sink = (uint8_t)(sink ^ key.client[12]);
	}
	return (now() - began) / LOOKUPS;
}

static void
measure(uint32_t capacity, uint32_t flows)
{
	static const struct siphash_key key = { { 7 } };
	struct conn_table *table = conn_table_new(capacity, &key);
	double insert, hit, miss, expire, keys, bytes;

	if (table == NULL) {
		(void)printf("%9" PRIu32 "  not enough memory\n", capacity);
		return;
	}
	insert = time_inserts(table, flows);
	bytes = (double)conn_table_bytes(table) / capacity;
	keys = time_keys(flows);
	hit = time_lookups(table, flows, 1, LOOKUPS) - keys;
	miss = time_lookups(table, flows, 2, 0) - keys;
	expire = time_removals(table, flows);
	(void)printf("%9" PRIu32 "  %9" PRIu32 "  %10.1f  %9.1f  %10.1f  %9.1f  %9.1f\n", capacity, flows, bytes, hit,
	    miss,
	    insert, expire);
	conn_table_free(table);
}

int
main(void)
{
	static const struct {
		uint32_t capacity;
		uint32_t flows;
	} sizes[] = { { 10000, 10000 }, { 4194304, 10000 }, { 1000000, 1000000 }, { 4194304, 1000000 },
		{ 10000000, 10000000 } };

	(void)printf("The flow table. A flow itself has %zu bytes; the rest is its share of the index.\n\n",
	    sizeof(struct conn));
	(void)printf(" capacity      flows  bytes/flow    hit ns     miss ns  insert ns  expire ns\n");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		measure(sizes[i].capacity, sizes[i].flows);
	return EXIT_SUCCESS;
}
