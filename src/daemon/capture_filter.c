/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/capture_filter.h"

#include <assert.h>
#include <stdio.h>

#include "vipcheck/vipcheck.h"

/* Answers to the VIP check, on every interface that leads to servers (vipcheck/vipcheck.h). */
#define ANSWERS "icmp or icmp6"
/*
 * Destination ports 61000 to 65095. IPv6 needs the offsets in the packet: tcp[] and udp[] mean IPv4 only.
 * Last: a frame that ends before its ports ends the kernel's filter here, unseen, also one for a VIP.
 */
#define IN_RANGE(field) "(" field " >= 61000 and " field " <= 65095)"
#define ANSWER_PORTS IN_RANGE("tcp[2:2]") " or " IN_RANGE("udp[2:2]") " or ((ip6[6] = 6 or ip6[6] = 17) and " \
    IN_RANGE("ip6[42:2]") ")"
static_assert(VIPCHECK_TAG_FIRST == 61000 && VIPCHECK_TAG_LAST == 65095,
    "the filter must match the ports of VIP checks");

static size_t
capture_filter_add(char text[CAPTURE_FILTER_TEXT], size_t used, const struct addr *addr)
{
	char name[ADDR_TEXT];

	if (used >= CAPTURE_FILTER_TEXT)
		return used;
	return used + (size_t)snprintf(text + used, CAPTURE_FILTER_TEXT - used, " or dst host %s",
	    addr_format(addr, name));
}

/* "... or (ether dst MAC and (ANSWERS or dst host A or dst host B or PORTS))" */
void
capture_filter_write(char text[CAPTURE_FILTER_TEXT], const struct iface *iface, uint16_t index,
    const struct model *model,
    bool wide)
{
	char mac[MAC_TEXT];
	size_t used;

	mac_format(&iface->mac, mac);
	if (wide) {
		snprintf(text, CAPTURE_FILTER_TEXT, "arp or icmp6 or ether dst %s", mac);
		return;
	}
	if (model_vips_at(model, index, ADDR_NONE) > CAPTURE_FILTER_VIPS) {
		snprintf(text, CAPTURE_FILTER_TEXT, CAPTURE_FILTER_ALWAYS " or ((ip or ip6) and ether dst %s)", mac);
		return;
	}
	used = (size_t)snprintf(text, CAPTURE_FILTER_TEXT, CAPTURE_FILTER_ALWAYS " or (ether dst %s and (" ANSWERS,
	    mac);
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (addr_is_set(&model->probe_addresses[i]))
			used = capture_filter_add(text, used, &model->probe_addresses[i]);
	for (size_t i = 0; i < model->vip_count; i++)
		if (model->vips[i].iface == index)
			used = capture_filter_add(text, used, &model->vips[i].addr);
	if (used < CAPTURE_FILTER_TEXT)
		snprintf(text + used, CAPTURE_FILTER_TEXT - used, " or " ANSWER_PORTS "))");
}
