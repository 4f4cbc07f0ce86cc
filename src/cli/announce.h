/* SPDX-License-Identifier: ISC */
/*
 * `dsrctl announce --exabgp`: a process of ExaBGP's (its `process` section), which reads commands from its standard
 * output. What the director announces is announced; when the director ends or hangs, everything is withdrawn, until it
 * is back: ExaBGP itself stops when its process ends. A signal, or the end of ExaBGP, ends it.
 */
#ifndef CLI_ANNOUNCE_H
#define CLI_ANNOUNCE_H

#include "cli/arguments.h"
#include "cli/ask.h"

enum ctl_status announce(const struct wish *wish, const struct arguments *given);

#endif
