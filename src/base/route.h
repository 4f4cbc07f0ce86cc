/* SPDX-License-Identifier: ISC */
/* One route of the host, as the operating system reports it; filled in by os/. */
#ifndef BASE_ROUTE_H
#define BASE_ROUTE_H

#include <stdint.h>

#include "base/addr.h"
#include "base/iface.h"

struct ip_route {
	struct prefix destination; /* length 0: the default route */
	struct addr gateway;       /* ADDR_NONE: the destination is on the interface's link */
	char iface[IFACE_NAME];
	uint32_t metric;           /* of routes to one destination the smallest wins */
};

#endif
