/* SPDX-License-Identifier: ISC */
/* `dsrctl events --follow`: lists events, then polls every second for new ones. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/ask.h"

/*
 * Until SIGINT or SIGTERM ends the program, or the director is gone. JSON: an answer a line, those without events left
 * out.
 */
enum ctl_status follow_events(const struct wish *wish);

#endif
