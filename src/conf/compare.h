/* SPDX-License-Identifier: ISC */
/* What is different between two configurations, in the words of the file. The table of keys drives it. Pure. */
#ifndef CONF_COMPARE_H
#define CONF_COMPARE_H

#include <stdbool.h>

#include "base/attr.h"
#include "conf/conf.h"

enum conf_change_kind {
	CONF_ADDED = 0,
	CONF_REMOVED,
	CONF_CHANGED
};

/* Texts hold during the call only. */
struct conf_change {
	enum conf_change_kind kind;
	const char *service; /* NULL: of [dsrd] */
	const char *key;     /* NULL: the whole service came or went */
	const char *before;  /* NULL when it was not there */
	const char *after;
	bool at_start;       /* it takes effect when dsrd starts the next time */
};

/*
 * Services are the same by name, servers by name, address and interface, other repeated keys by their whole value. Within
 * a key changes come sorted. 0, or -1 when memory is out.
 */
NODISCARD int conf_compare(const struct conf *before, const struct conf *after,
    void (*each)(void *context, const struct conf_change *change), void *context);
const char *conf_change_name(enum conf_change_kind kind); /* "added", "removed", "changed" */

#endif
