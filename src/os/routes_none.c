/* SPDX-License-Identifier: ISC */
/* Where dsrd makes no routes: conf/key_announce.c refuses a configuration that needs them. */
#include "config.h"

#include "os/routes.h"

#include <stdio.h>

struct os_routes *
os_routes_open(const struct os_routes_order *order UNUSED, char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "dsrd makes no routes on this system");
	return NULL;
}

void
os_routes_close(struct os_routes *routes UNUSED)
{
}

int
os_routes_add(struct os_routes *routes UNUSED, const struct addr *addr UNUSED, uint32_t metric UNUSED,
    char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "dsrd makes no routes on this system");
	return -1;
}

int
os_routes_remove(struct os_routes *routes UNUSED, const struct addr *addr UNUSED, uint32_t metric UNUSED,
    char error[OS_ERROR])
{
	(void)snprintf(error, OS_ERROR, "dsrd makes no routes on this system");
	return -1;
}

int
os_routes_fd(const struct os_routes *routes UNUSED)
{
	return -1;
}

int
os_routes_discard(struct os_routes *routes UNUSED)
{
	return -1;
}
