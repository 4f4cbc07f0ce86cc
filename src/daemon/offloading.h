/* SPDX-License-Identifier: ISC */
/* The fast path's place in the daemon: which interfaces the kernel carries on, and what is done when it cannot. */
#ifndef DAEMON_OFFLOADING_H
#define DAEMON_OFFLOADING_H

#include <stddef.h>
#include <stdint.h>

struct dsrd;
struct offloading;

/* Loads what the configuration wants, while there is the privilege for it. Without it dsrd runs on, and says why. */
void offloading_open(struct dsrd *dsrd);
/* NULL is fine. The interfaces are closed already. */
void offloading_close(struct dsrd *dsrd);

/* Interfaces were opened, closed, or have other VIPs; gives each its filter. */
void offloading_settle(struct dsrd *dsrd);
/* The same for the filters alone: which is right may depend on who listens (daemon/interfaces.h). */
void offloading_filter(struct dsrd *dsrd);
/* The interface will be closed at once: each frame from here on is for the capture. */
void offloading_end(struct dsrd *dsrd, size_t index);
/* Once a second: does the kernel do what it was told? */
void offloading_look(struct dsrd *dsrd);
/* Counters are asked for: fetches what the kernel has counted. */
void offloading_sync(struct dsrd *dsrd);

/* Why the kernel does not carry on this open interface, though the configuration asks for it; NULL when it is as asked. */
const char *offloading_lost(const struct dsrd *dsrd, size_t index);

/* "tc", "xdp", "xdp-generic" or "off"; and why it is off, empty when it was not wanted. */
const char *offloading_state(const struct dsrd *dsrd, size_t index);
const char *offloading_reason(const struct dsrd *dsrd, size_t index);

#endif
