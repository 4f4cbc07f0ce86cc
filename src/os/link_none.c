/* SPDX-License-Identifier: ISC */
/* Systems on which dsrd does not look for bonds, bridges and what they are made of. */
#include "config.h"

#include "os/os.h"

void
os_iface_read_shape(struct iface *iface)
{
	iface->ipvlan = false;
	iface->master[0] = '\0';
}
