/* SPDX-License-Identifier: ISC */
/* Compiled only where libpcap lacks the function. Its devices there are all bpf(4), whose descriptors can be polled. */
#include "config.h"

#include <stddef.h>

#include "base/attr.h"
#include "compat/pcap_wait.h"

const struct timeval *
pcap_get_required_select_timeout(struct pcap *pcap UNUSED)
{
	return NULL;
}
