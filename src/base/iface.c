/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/iface.h"

#include <string.h>

const struct addr *
iface_address(const struct iface *iface, enum addr_family family)
{
	for (size_t i = 0; i < iface->address_count; i++) {
		if (iface->addresses[i].addr.family == family)
			return &iface->addresses[i].addr;
	}
	return NULL;
}

bool
iface_is_on_link(const struct iface *iface, const struct addr *addr)
{
	for (size_t i = 0; i < iface->address_count; i++) {
		if (prefix_contains(&iface->addresses[i], addr))
			return true;
	}
	return false;
}

bool
iface_has_address(const struct iface *iface, const struct addr *addr)
{
	for (size_t i = 0; i < iface->address_count; i++) {
		if (addr_equal(&iface->addresses[i].addr, addr))
			return true;
	}
	return false;
}

bool
iface_equal(const struct iface *a, const struct iface *b)
{
	if (strcmp(a->name, b->name) != 0 || !mac_equal(&a->mac, &b->mac) || a->mtu != b->mtu ||
	    a->up != b->up || a->disabled != b->disabled || a->gone != b->gone || a->ipvlan != b->ipvlan ||
	    strcmp(a->master, b->master) != 0 || a->address_count != b->address_count)
		return false;
	for (size_t i = 0; i < a->address_count; i++)
		if (a->addresses[i].length != b->addresses[i].length ||
		    !addr_equal(&a->addresses[i].addr, &b->addresses[i].addr))
			return false;
	return true;
}

const char *
iface_link_name(const struct iface *iface)
{
	if (iface->gone)
		return "gone";
	if (iface->disabled)
		return "down";
	return iface->up ? "up" : "no link";
}
