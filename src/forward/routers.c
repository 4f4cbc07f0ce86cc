/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/routers.h"

void
routers_note(struct routers *routers, uint16_t iface, const struct mac *mac)
{
	struct router *vacant = NULL;

	for (size_t i = 0; i < ROUTERS_MOST; i++) {
		struct router *router = &routers->list[i];

		if (router->count == 0) {
			vacant = router;
		} else if (router->iface == iface && mac_equal(&router->mac, mac)) {
			router->count += router->count < UINT32_MAX;
			return;
		}
	}
	if (vacant != NULL) {
		*vacant = (struct router) { *mac, iface, 1 };
		return;
	}
	for (size_t i = 0; i < ROUTERS_MOST; i++)
		routers->list[i].count--;
}
