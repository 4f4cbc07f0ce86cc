/* SPDX-License-Identifier: ISC */
/*
 * Does a configuration fit the host that is to be its director? What dsrd would refuse at the start, and what would
 * leave a server down: warnings for `dsrd -n`, `dsrctl reload --plan` and the log. Pure: the host's facts are
 * arguments.
 */
#ifndef DOCTOR_FIT_H
#define DOCTOR_FIT_H

#include <stddef.h>

#include "base/addr.h"
#include "base/iface.h"
#include "model/settings.h"

enum fit_kind {
	FIT_NO_INTERFACE = 0, /* the host does not have it: dsrd does not start */
	FIT_NOT_ETHERNET,     /* it has no MAC address */
	FIT_NO_LINK,          /* it is down, or has no link */
	FIT_PORT,             /* it is a port of a bond, a team or a bridge, which is what should be named */
	FIT_IPVLAN,           /* packets for VIPs never arrive there */
	FIT_VIP_HELD,         /* dsrd does not start */
	FIT_PROBE_HELD,       /* dsrd does not start */
	FIT_SERVER_IS_SELF,   /* the server's address is the director's own */
	FIT_VIP_ON_LINK,      /* `arp = off`, and neighbors ask for it */
	FIT_SERVER_FAR        /* the server is in none of the director's networks */
};

struct fit_host {
	const struct iface *ifaces; /* those that the settings name, if they exist, and all that are up */
	size_t iface_count;
	/* The interface on which the host itself has the address; NULL: it does not have it. */
	const char *(*holder)(void *context, const struct addr *addr);
	void *context;
};

/*
 * `service` and `server` are NULL where it is about none. `message` has what is wrong, what it means and what to
 * type.
 */
typedef void fit_warning(void *context, enum fit_kind kind, const char *service, const char *server,
    const char *message);

/* Warns once of each interface, VIP and server of a service. */
void fit_check(const struct settings *settings, const struct fit_host *host, fit_warning *warning, void *context);

#endif
