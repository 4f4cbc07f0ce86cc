/* SPDX-License-Identifier: ISC */
/* Flows by number, for the tests of the flow table. */
#ifndef TESTS_UNIT_FLOW_CONN_KEYS_H
#define TESTS_UNIT_FLOW_CONN_KEYS_H

#include <check.h>
#include <string.h>

#include "flow/conn.h"
#include "proto/packet.h"

static const struct siphash_key hash_key = { "an arbitrary k" };

static inline struct conn_key
key_of(uint32_t number)
{
	struct conn_key key;

	memset(&key, 0, sizeof(key));
	memcpy(&key.client[12], &number, sizeof(number));
	key.client_port = 40000;
	key.vip_port = 80;
	key.target = conn_target(0, PROTOCOL_TCP);
	return key;
}

static inline uint32_t
number_of(const struct conn *conn)
{
	uint32_t number;

	memcpy(&number, &conn->key.client[12], sizeof(number));
	return number;
}

static inline struct conn_table *
new_table(uint32_t capacity)
{
	struct conn_table *table = conn_table_new(capacity, &hash_key);

	ck_assert_ptr_nonnull(table);
	return table;
}

#endif
