/* SPDX-License-Identifier: ISC */
/* The properties of one network interface, as reported by the operating system and filled in by os/. */
#ifndef BASE_IFACE_H
#define BASE_IFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define IFACE_NAME 16       /* IF_NAMESIZE of every system we run on, with the end (POSIX <net/if.h>) */
#define IFACE_ADDRESSES 32  /* more addresses on one interface are not looked at */
#define IFACE_MTU_DEFAULT 1500

struct iface {
	char name[IFACE_NAME];
	struct mac mac;
	uint32_t mtu; /* of the IP datagram: what Ethernet calls its payload */
	bool up;       /* administratively up, with link as far as the system knows */
	bool disabled; /* administratively down */
	bool gone;     /* the host has no such interface any more; the rest is what was read last */
	bool ipvlan;   /* gets only packets for the host's own addresses there, not those for a VIP (Linux) */
	/* What it is a port of and hands its frames to: a bond, a team or a bridge. Empty: none, or not known. */
	char master[IFACE_NAME];
	struct prefix addresses[IFACE_ADDRESSES];
	size_t address_count;
};

/* The interface's first address of that family, or NULL. */
const struct addr *iface_address(const struct iface *iface, enum addr_family family);
/* True if `addr` is in one of the interface's prefixes, so that a host there is reached without a router. */
bool iface_is_on_link(const struct iface *iface, const struct addr *addr);
/* Is `addr` one of the interface's own? */
bool iface_has_address(const struct iface *iface, const struct addr *addr);
/* "up", "no link", "down" (administratively) or "gone". */
const char *iface_link_name(const struct iface *iface);
/* Are all facts the same? */
bool iface_equal(const struct iface *a, const struct iface *b);

#endif
