/* SPDX-License-Identifier: ISC */
/* pcap_get_required_select_timeout() came with libpcap 1.9; OpenBSD's own libpcap is older. Include after <pcap.h>. */
#ifndef COMPAT_PCAP_WAIT_H
#define COMPAT_PCAP_WAIT_H

#ifndef HAVE_PCAP_GET_REQUIRED_SELECT_TIMEOUT
struct pcap;
struct timeval;

const struct timeval *pcap_get_required_select_timeout(struct pcap *pcap);
#endif

#endif
