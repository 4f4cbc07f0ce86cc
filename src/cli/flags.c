/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/flags.h"

#include <assert.h>

#include "base/attr.h"

const struct flag dsrctl_flags[] = {
	{ 'j', "json", NULL, "JSON, for programs", NULL },
	{ 's', "socket", "SOCKET", "the director's `control` socket, default " DSRCTL_SOCKET, NULL },
	{ 'h', "help", NULL, "print this, and exit", NULL },
	{ 'V', "version", NULL, "print dsrctl's own version, and exit", NULL },
};
const size_t dsrctl_flag_count = ARRAY_LEN(dsrctl_flags);

static_assert(ARRAY_LEN(dsrctl_flags) <= FLAGS_MOST, "getopt must know all of them");
