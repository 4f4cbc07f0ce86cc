/* SPDX-License-Identifier: ISC */
/*
 * Which flows are listed: words such as `client=203.0.113.0/24 server=web/web1 state=established`, of which all must
 * hold; and names, patterns and addresses without a word before them (ctl/selector.h), of which one must. Pure.
 */
#ifndef CTL_FILTER_H
#define CTL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "ctl/selector.h"
#include "forward/forward.h"
#include "model/settings.h"

#define FILTER_ERROR 512
#define FILTER_LIMIT 100        /* default for the number of listed flows */
#define FILTER_LIMIT_MOST 1000 /* a row costs some microseconds, in which no frame is forwarded */

struct filter {
	struct selector selectors[SELECTORS_MOST]; /* words without "=": one of them must match, if there are any */
	size_t selector_count;
	char service[NAME_MOST]; /* a pattern; empty: any; so below */
	char server[NAME_MOST];
	struct prefix client;
	struct addr vip;
	uint16_t port;           /* the VIP's; 0: any */
	uint8_t protocol;        /* 0: any */
	enum conn_state state;   /* CONN_NONE: any */
	uint32_t limit;
	bool by_verdict;
	enum verdict verdict;    /* when `by_verdict` */
	enum drop_reason reason; /* DROP_REASON_COUNT: any */
};

/* What is filtered: some words are for flows in the table only, some for decisions only. */
enum filter_use {
	FILTER_FLOWS = 1,
	FILTER_DECISIONS = 2
};

/* The properties of a flow that are compared. Names are NULL when its server is gone. */
struct flow_facts {
	const char *service;
	const char *server;
	const struct addr *server_addr;
	struct addr client;
	uint16_t client_port;
	struct addr vip;
	uint16_t port;
	uint8_t protocol;
	enum conn_state state;
	enum verdict verdict;    /* of decisions */
	enum drop_reason reason;
};

/* 0, or -1 with a sentence that names the word that is wrong, and what is allowed. */
NODISCARD int filter_parse(const char *const words[], size_t count, enum filter_use use, struct filter *filter,
    char error[FILTER_ERROR]);
/*
 * The name before the "=" of the words of that use, NULL behind the last, and what may follow: some words, or SERVICE,
 * SERVICE/SERVER or VIP for a name of these, or "" for anything.
 */
const char *filter_term(size_t index, enum filter_use use, const char **choices);
bool filter_matches(const struct filter *filter, const struct flow_facts *facts);

#endif
