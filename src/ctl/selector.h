/* SPDX-License-Identifier: ISC */
/*
 * Which services and servers a command is for: `web`, `web/web1`, patterns such as `shop-?` and `shop-*`, or an
 * address, a server's own or a VIP. Pure.
 */
#ifndef CTL_SELECTOR_H
#define CTL_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/attr.h"
#include "model/model.h"

#define SELECTOR_ERROR 512
#define SELECTOR_NAME 128 /* a pattern may be longer than a name */
#define SELECTORS_MOST 10

struct selector {
	struct addr addr;             /* set: this address, and no names */
	char service[SELECTOR_NAME];
	char server[SELECTOR_NAME];   /* empty: the service, and all of its servers */
	bool servers_only;            /* the address is a server's, not a VIP */
};

/* None at all selects everything. */
struct selection {
	struct selector selectors[SELECTORS_MOST];
	size_t count;
};

/* 0, or -1 with a sentence: what is neither an address nor a pattern of names. */
NODISCARD int selector_parse(const char *text, struct selector *selector, char error[SELECTOR_ERROR]);
/* By names and addresses; `server` and what follows may be NULL for a service as such. */
bool selector_matches(const struct selector *selector, const char *service, const char *server,
    const struct addr *addr);
bool selector_has_vip(const struct selector *selector, const struct service *service);

enum selection_use {
	SELECTION_LIST,   /* to be listed: a service stands for all of its servers, a VIP for its services */
	SELECTION_CHANGE  /* to be changed: servers only, so that a missing word never selects a whole service */
};

enum selection_result {
	SELECTION_OK = 0,
	SELECTION_WRONG,  /* not understood; so below there is a sentence */
	SELECTION_UNKNOWN /* nothing in the model has that name or address */
};

/* Adds one, and makes sure that the model has something it selects. */
NODISCARD enum selection_result selection_add(struct selection *selection, const char *text, enum selection_use use,
    const struct model *model, char error[SELECTOR_ERROR]);
/* Is the server selected? NULL selects everything, as an empty selection does. */
bool selection_has(const struct selection *selection, const struct server *server);
/* Is the service, or one of its servers? */
bool selection_has_service(const struct selection *selection, const struct service *service);

#endif
