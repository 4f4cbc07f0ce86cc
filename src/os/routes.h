/* SPDX-License-Identifier: ISC */
/*
 * Routes of this host to single addresses, for routing daemons to redistribute: routes_linux.c. Elsewhere
 * (routes_none.c) none can be made, and the configuration is refused where it asks for them.
 *
 * The routes go to a tun device, which the kernel removes with its routes when the process that holds it ends, however
 * that is; or they are blackhole routes, which stay until they are removed.
 */
#ifndef OS_ROUTES_H
#define OS_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "os/os.h"

struct os_routes;

struct os_routes_order {
	const char *device; /* to be made; empty: blackhole routes */
	uint32_t table;     /* 0: main */
	uint8_t protocol;   /* marks the routes */
	bool shared;        /* the table has routes of this process; otherwise what is in it is of an earlier one, and removed */
};

/* NULL with a reason. */
NODISCARD struct os_routes *os_routes_open(const struct os_routes_order *order, char error[OS_ERROR]);
/* Removes the routes, then the device. NULL is fine. */
void os_routes_close(struct os_routes *routes);
/*
 * Makes the route, unless it is there: one with another metric is another route. 1: it was made; 0: it was there;
 * -1 with a reason.
 */
NODISCARD int os_routes_add(struct os_routes *routes, const struct addr *addr, uint32_t metric, char error[OS_ERROR]);
/* 0 also when it was not there; -1 with a reason. */
NODISCARD int os_routes_remove(struct os_routes *routes, const struct addr *addr, uint32_t metric,
    char error[OS_ERROR]);
/*
 * A descriptor that is readable when this host sends packets to the device, or the device is gone; -1: there is none.
 * os_routes_discard() reads them. -1: the device is gone.
 */
int os_routes_fd(const struct os_routes *routes);
NODISCARD int os_routes_discard(struct os_routes *routes);

#endif
