/* SPDX-License-Identifier: ISC */
/* `dsrctl top`: what `show` says, live. Without a terminal that can do it, printed again and again. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/arguments.h"
#include "cli/ask.h"

enum ctl_status top(const struct wish *wish, const struct arguments *given);

#endif
