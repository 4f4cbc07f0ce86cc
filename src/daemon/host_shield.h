/* SPDX-License-Identifier: ISC */
/* The place in the daemon of what keeps frames for VIPs from the host's own network stack. */
#ifndef DAEMON_HOST_SHIELD_H
#define DAEMON_HOST_SHIELD_H

#include <stdbool.h>
#include <stddef.h>

struct dsrd;

/* If the configuration wants it, while there is the privilege for it. Without it dsrd runs on, and says why. */
void host_shield_open(struct dsrd *dsrd);
void host_shield_close(struct dsrd *dsrd);

/* Interfaces were opened, closed, or have other VIPs. */
void host_shield_settle(struct dsrd *dsrd);
/* The interface will be closed at once. */
void host_shield_end(struct dsrd *dsrd, size_t index);
/* Once a second. */
void host_shield_beat(struct dsrd *dsrd);

/* Are all frames for VIPs that come in by this interface kept from the stack? */
bool host_shield_is_on(const struct dsrd *dsrd, size_t index);

#endif
