/* SPDX-License-Identifier: ISC */
/* dsrctl's own flags, those before the command. */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include "base/flag.h"

#define DSRCTL_SOCKET RUNSTATEDIR "/dsrd.sock"

extern const struct flag dsrctl_flags[];
extern const size_t dsrctl_flag_count;

#endif
