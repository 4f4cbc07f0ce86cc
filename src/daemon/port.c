/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/port.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/ndp.h"
#include "vipcheck/vipcheck.h"

/* Beyond this many VIPs a filter that names each costs more than it saves, and some kernels' limits come near. */
#define VIPS_IN_FILTER 32

static void
turn_offloads_off(struct attachment *attachment, const struct iface *iface)
{
	char error[OS_ERROR], text[OFFLOAD_TEXT];

	if (os_offload_off(iface->name, &attachment->offload, error) == -1)
		log_info("offload interface=%s result=failed reason=\"%s\"", iface->name, error);
	else if (attachment->offload.turned_off != 0)
		log_info("offload interface=%s turned-off=\"%s\"", iface->name,
		    os_offload_text(&attachment->offload, text));
}

int
attachment_open(struct attachment *attachment, const struct iface *iface, uint16_t index, bool observe, bool bypass,
    char error[IO_ERROR])
{
	int saved;

	if (!observe)
		turn_offloads_off(attachment, iface);
	attachment->receiver = io_pcap_open(iface->name, index, error);
	if (attachment->receiver == NULL)
		goto failed;
	os_ignore_outgoing(attachment->receiver->ops->descriptor(attachment->receiver));
	if (observe)
		return 0;
	attachment->sender = io_libnet_open(iface->name, bypass, error);
	if (attachment->sender == NULL)
		goto failed;
	if (os_complete_headers(attachment->sender->ops->descriptor(attachment->sender)) == -1)
		log_info("sender interface=%s result=headers-incomplete reason=\"%s\"", iface->name, strerror(errno));
	if (os_silence_socket(attachment->sender->ops->descriptor(attachment->sender)) == -1)
		log_info("silence interface=%s result=failed reason=\"%s\"", iface->name, strerror(errno));
	return 0;
failed:
	saved = errno;
	attachment_close(attachment, iface);
	errno = saved;
	return -1;
}

bool
attachment_is_open(const struct attachment *attachment)
{
	return attachment->receiver != NULL;
}

void
attachment_stats(const struct attachment *attachment, struct receiver_stats *received, struct sender_stats *sent)
{
	struct receiver_stats now = { 0 };

	*received = attachment->received;
	*sent = attachment->sent;
	if (attachment->receiver != NULL)
		attachment->receiver->ops->stats(attachment->receiver, &now);
	received->received += now.received;
	received->dropped += now.dropped;
	if (attachment->sender != NULL) {
		sent->sent += attachment->sender->stats.sent;
		sent->failed += attachment->sender->stats.failed;
		sent->last_errno = attachment->sender->stats.last_errno;
	}
}

void
attachment_close(struct attachment *attachment, const struct iface *iface)
{
	char error[OS_ERROR], unsent[IO_ERROR];

	attachment_stats(attachment, &attachment->received, &attachment->sent);
	if (attachment->offload.turned_off != 0 &&
	    os_offload_restore(iface->name, &attachment->offload, error) == -1)
		log_warning("offload interface=%s result=not-restored reason=\"%s\"", iface->name, error);
	memset(&attachment->offload, 0, sizeof(attachment->offload));
	if (attachment->sender != NULL && attachment->sender->ops->close(attachment->sender, unsent) == -1)
		log_warning("sender interface=%s result=not-closed reason=\"%s\"", iface->name, unsent);
	if (attachment->receiver != NULL)
		attachment->receiver->ops->close(attachment->receiver);
	if (attachment->groups > 0)
		close(attachment->groups);
	if (attachment->withholder > 0)
		close(attachment->withholder);
	attachment->groups = attachment->withholder = 0;
	attachment->withheld_count = 0;
	attachment->locked = attachment->programmed = false;
	attachment->sender = NULL;
	attachment->receiver = NULL;
}

/* Neighbour discovery: ICMPv6 types 133 to 137, without an extension header (RFC 4861, RFC 6980). */
#define ALWAYS "arp or (icmp6 and ip6[40] >= 133 and ip6[40] <= 137)"

/* Answers to the VIP probe, on every interface that leads to servers (vipcheck/vipcheck.h). */
#define PROBE_ANSWERS "icmp or icmp6"
/* Last: a frame that ends before its ports ends the kernel's filter here, unseen, also one for a VIP. */
#define PROBE_PORTS "dst portrange 61000-65095"
static_assert(PATH_TAG_FIRST == 61000 && PATH_TAG_LAST == 65095, "the filter must say what the probe asks from");

/* "... or (ether dst MAC and (ANSWERS or dst host A or dst host B or PORTS))" */
static void
write_filter(char *text, size_t size, const struct iface *iface, uint16_t index, const struct model *model, bool wide)
{
	char mac[MAC_TEXT], addr[ADDR_TEXT];
	size_t used;

	mac_format(&iface->mac, mac);
	if (wide) {
		snprintf(text, size, "arp or icmp6 or ether dst %s", mac);
		return;
	}
	if (model_vips_at(model, index, ADDR_NONE) > VIPS_IN_FILTER) {
		snprintf(text, size, ALWAYS " or ((ip or ip6) and ether dst %s)", mac);
		return;
	}
	used = (size_t)snprintf(text, size, ALWAYS " or (ether dst %s and (" PROBE_ANSWERS, mac);
	for (size_t i = 0; i < PROBE_ADDRESSES && used < size; i++)
		if (addr_is_set(&model->probe_addresses[i]))
			used += (size_t)snprintf(text + used, size - used, " or dst host %s",
			    addr_format(&model->probe_addresses[i], addr));
	for (size_t i = 0; i < model->vip_count && used < size; i++)
		if (model->vips[i].iface == index)
			used += (size_t)snprintf(text + used, size - used, " or dst host %s",
			    addr_format(&model->vips[i].addr, addr));
	if (used < size)
		snprintf(text + used, size - used, " or " PROBE_PORTS "))");
}

static void
join_group(struct attachment *attachment, const struct iface *iface, const struct addr *addr)
{
	const struct addr group = ndp_solicited_node(addr);
	char text[ADDR_TEXT];

	if (attachment->groups == 0)
		attachment->groups = os_group_socket();
	if (attachment->groups == -1 || os_group_join(attachment->groups, iface->name, &group) == -1)
		log_warning("group interface=%s vip=%s result=failed reason=\"%s: switches that listen to MLD may not deliver "
		    "neighbour solicitations\"", iface->name, addr_format(addr, text), strerror(errno));
}

void
attachment_join(struct attachment *attachment, const struct iface *iface, uint16_t index, const struct model *model)
{
	if (attachment->receiver == NULL || attachment->sender == NULL)
		return;
	for (size_t i = 0; i < model->vip_count; i++)
		if (model->vips[i].iface == index && model->vips[i].addr.family == ADDR_IPV6)
			join_group(attachment, iface, &model->vips[i].addr);
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (model->probe_addresses[i].family == ADDR_IPV6)
			join_group(attachment, iface, &model->probe_addresses[i]);
}

/* Those of this interface, into `vips`; their number, or VIPS_WITHHELD + 1 when they are too many. */
static size_t
find_vips(const struct model *model, uint16_t index, struct addr vips[VIPS_WITHHELD])
{
	size_t count = 0;

	for (size_t i = 0; i < model->vip_count; i++) {
		if (model->vips[i].iface != index)
			continue;
		if (count < VIPS_WITHHELD)
			vips[count] = model->vips[i].addr;
		count++;
	}
	return count <= VIPS_WITHHELD ? count : VIPS_WITHHELD + 1;
}

static bool
is_withheld(const struct attachment *attachment, const struct mac *mac, const struct addr *vips, size_t count)
{
	if (count != attachment->withheld_count || !mac_equal(mac, &attachment->withheld_mac))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!addr_equal(&vips[i], &attachment->withheld[i]))
			return false;
	return true;
}

bool
attachment_withhold(struct attachment *attachment, const struct iface *iface, uint16_t index, const struct model *model)
{
	struct addr vips[VIPS_WITHHELD];
	const size_t count = find_vips(model, index, vips);
	int fd = attachment->withholder > 0 ? attachment->withholder : -1;

	if (attachment->sender == NULL || (count == 0 && fd == -1))
		return true;
	if (is_withheld(attachment, &iface->mac, vips, count))
		return true;
	if (count > VIPS_WITHHELD) {
		errno = E2BIG;
	} else if (os_withhold(&fd, iface->name, &iface->mac, vips, count) == 0) {
		attachment->withholder = fd == -1 ? 0 : fd;
		attachment->withheld_count = count;
		attachment->withheld_mac = iface->mac;
		memcpy(attachment->withheld, vips, count * sizeof(vips[0]));
		log_info("withhold interface=%s vips=%zu", iface->name, count);
		return true;
	}
	if (errno == ENOTSUP)
		return false;
	log_warning("withhold interface=%s result=failed reason=\"%s\" meaning=\"this host's own stack sees frames for "
	    "new VIPs too: let it not forward, or restart dsrd\"", iface->name, strerror(errno));
	return true;
}

void
attachment_filter(struct attachment *attachment, const struct iface *iface, uint16_t index, const struct model *model,
    bool wide)
{
	char text[256 + (VIPS_IN_FILTER + PROBE_ADDRESSES) * (ADDR_TEXT + 16)], error[IO_ERROR];

	/* Linux sets none where nothing can be read, and throws the old one away. It is set when the interface is up. */
	if (attachment->receiver == NULL || attachment->locked || attachment->programmed || !iface->up)
		return;
	write_filter(text, sizeof(text), iface, index, model, wide);
	log_debug("filter interface=%s expression=\"%s\"", iface->name, text);
	if (attachment->receiver->ops->filter(attachment->receiver, text, error) == -1)
		log_warning("filter interface=%s result=failed reason=\"%s\"", iface->name, error);
}

/* Without names and addresses: VIPs and the MAC may change, and the filter cannot. */
#define BROAD_FILTER ALWAYS " or ((ip or ip6) and not ether multicast)"

void
attachment_lock(struct attachment *attachment, const struct iface *iface)
{
	char error[IO_ERROR] = "";
	int result;

	if (attachment->receiver == NULL || attachment->locked)
		return;
	result = attachment->receiver->ops->filter(attachment->receiver, BROAD_FILTER, error);
	if (result == 0)
		result = os_lock_capture(attachment->receiver->ops->descriptor(attachment->receiver));
	attachment->locked = result == 0;
	if (result == 0 && attachment->sender != NULL)
		result = os_lock_sender(attachment->sender->ops->descriptor(attachment->sender));
	if (result == 0 && attachment->withholder > 0)
		result = os_lock_capture(attachment->withholder);
	if (result == -1)
		log_warning("lock interface=%s result=failed reason=\"%s\"", iface->name,
		    error[0] != '\0' ? error : strerror(errno));
}
