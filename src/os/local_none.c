/* SPDX-License-Identifier: ISC */
/* Systems where no frame is known to reach the host's own stack by the loopback interface. */
#include "config.h"

#include "base/attr.h"
#include "os/os.h"

const char *
os_loopback(void)
{
	return NULL;
}

enum os_local
os_local_obstacle(const struct addr *vip UNUSED, const char *iface UNUSED)
{
	return OS_LOCAL_UNSUPPORTED;
}
