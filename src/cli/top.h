/* SPDX-License-Identifier: ISC */
/* `dsrctl top`: what `show` says, live. Without a terminal that can do it, printed again and again. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "cli/ask.h"

/* `wish->arguments` are the words behind "top": -c COUNT ends it after so many looks. */
enum ctl_status top(struct wish *wish);

#endif
