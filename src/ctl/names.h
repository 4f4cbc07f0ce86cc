/* SPDX-License-Identifier: ISC */
/* Name lookups, hosts file and DNS, without blocking. */
#ifndef CTL_NAMES_H
#define CTL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/attr.h"

struct event_base;
struct names;

/* The addresses of the name with that number; none: it is not known. Not called for what names_free() gives up. */
typedef void names_found(void *context, size_t number, const struct addr *addrs, size_t count);

/* NULL when out of memory or without a name server. */
NODISCARD struct names *names_new(struct event_base *base, names_found *found, void *context);
/* The answer may come before this returns. False when the query cannot be sent. */
bool names_ask(struct names *names, size_t number, const char *name);
/* NULL is fine. */
void names_free(struct names *names);

#endif
