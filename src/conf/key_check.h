/* SPDX-License-Identifier: ISC */
/* What the reader (check_value.c) and the writer (check_print.c) of `check` share. */
#ifndef CONF_KEY_CHECK_H
#define CONF_KEY_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "conf/keys.h"

struct number_name {
	const char *name; /* NULL at the end of a table */
	uint16_t number;
};

extern const struct number_name check_dns_types[];
extern const struct number_name check_dns_rcodes[];

#define DNS_A 1
#define DNS_AAAA 28

/* Behind what `text` holds: the bytes in quotes, as the reader takes them. */
void check_append_quoted(char text[KEY_TEXT], const uint8_t *bytes, size_t length);

#endif
