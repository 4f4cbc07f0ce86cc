/* SPDX-License-Identifier: ISC */
/* `dsrctl top`: a live `show`. Without a capable terminal it is printed repeatedly. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/arguments.h"
#include "cli/ask.h"

enum ctl_status top(const struct wish *wish, const struct arguments *given);

#endif
