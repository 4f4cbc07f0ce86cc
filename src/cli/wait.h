/* SPDX-License-Identifier: ISC */
/* `dsrctl drain --wait`: the director answers immediately, and dsrctl polls it until the server is empty. */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <stdint.h>

#include "cli/ask.h"

/*
 * After `wish`, a drain, waits at most `patience` microseconds and shows what is left whenever that changes. CTL_OK
 * when no connection is active (with `empty`: no flow is left), CTL_FAILED when the time is up.
 */
enum ctl_status wait_drained(const struct wish *wish, uint64_t patience, bool empty);

/* Requests the director to stop, and waits until its socket is closed. CTL_FAILED when it does not stop. */
enum ctl_status wait_stopped(const struct wish *wish);

#endif
