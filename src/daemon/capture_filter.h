/* SPDX-License-Identifier: ISC */
/*
 * The filters of a capture, in the language of pcap-filter(7). One text serves all systems, so it uses only what
 * libpcap 0.9 and the libpcap of OpenBSD's base system know: neither has `portrange`, which they take for the name of
 * a host.
 */
#ifndef DAEMON_CAPTURE_FILTER_H
#define DAEMON_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/iface.h"
#include "model/model.h"

/* Beyond this many VIPs a filter that names each costs more than it saves, and some kernels' limits come near. */
#define CAPTURE_FILTER_VIPS 32
/* Bytes, with the end: the longest that capture_filter_write() writes. */
#define CAPTURE_FILTER_TEXT (512 + (CAPTURE_FILTER_VIPS + PROBE_ADDRESSES) * (ADDR_TEXT + 16))

/* Neighbor discovery: ICMPv6 types 133 to 137, without an extension header (RFC 4861, RFC 6980). */
#define CAPTURE_FILTER_ALWAYS "arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137)"
/*
 * Without names and addresses, for a descriptor that gets locked: VIPs and the MAC may change, and the filter cannot.
 */
#define CAPTURE_FILTER_BROAD CAPTURE_FILTER_ALWAYS " or ((ip or ip6) and not ether multicast)"

/* What the director needs on this interface, or with `wide` everything that arrives at its MAC. */
void capture_filter_write(char text[CAPTURE_FILTER_TEXT], const struct iface *iface, uint16_t index,
    const struct model *model, bool wide);

#endif
