/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/capture_filter.h"
#include "daemon/privsep.h"
#include "io/io_lend.h"
#include "proto/ndp.h"

static void
port_turn_offloads_off(struct nic *nic, const struct iface *iface)
{
	char error[OS_ERROR], text[OFFLOAD_TEXT];

	if (privsep_offload_off(nic->privsep, iface->name, &nic->offload, error) == -1)
		log_info("offload interface=%s result=failed reason=\"%s\"", iface->name, error);
	else if (nic->offload.turned_off != 0)
		log_info("offload interface=%s turned-off=\"%s\"", iface->name,
		    os_offload_text(&nic->offload, text));
}

int
nic_open(struct nic *nic, const struct iface *iface, uint16_t index, bool observe, bool bypass,
    char error[IO_ERROR])
{
	int saved;

	if (!observe)
		port_turn_offloads_off(nic, iface);
	if (privsep_lend(nic->privsep, PRIVSEP_CAPTURE, iface->name, error, IO_ERROR) == -1)
		goto failed;
	nic->receiver = io_pcap_open(iface->name, index, error);
	io_lend_end();
	if (nic->receiver == NULL)
		goto failed;
	os_ignore_outgoing(nic->receiver->ops->descriptor(nic->receiver));
	if (observe)
		return 0;
	if (privsep_lend(nic->privsep, PRIVSEP_SENDER, iface->name, error, IO_ERROR) == -1)
		goto failed;
	nic->sender = io_libnet_open(iface->name, bypass, error);
	io_lend_end();
	if (nic->sender == NULL)
		goto failed;
	if (os_complete_headers(nic->sender->ops->descriptor(nic->sender)) == -1)
		log_info("sender interface=%s result=headers-incomplete reason=\"%s\"", iface->name, strerror(errno));
	if (os_silence_socket(nic->sender->ops->descriptor(nic->sender)) == -1)
		log_info("silence interface=%s result=failed reason=\"%s\"", iface->name, strerror(errno));
	return 0;
failed:
	saved = errno;
	nic_close(nic, iface);
	errno = saved;
	return -1;
}

bool
nic_is_open(const struct nic *nic)
{
	return nic->receiver != NULL;
}

void
nic_has_read(struct nic *nic, bool more, uint64_t now)
{
	if (!more)
		nic->unread_since = 0;
	else if (nic->unread_since == 0)
		nic->unread_since = now;
}

void
nic_stats(const struct nic *nic, struct receiver_stats *received, struct sender_stats *sent)
{
	struct receiver_stats now = { 0 };

	*received = nic->received;
	*sent = nic->sent;
	if (nic->receiver != NULL)
		nic->receiver->ops->stats(nic->receiver, &now);
	received->received += now.received;
	received->dropped += now.dropped;
	if (nic->sender != NULL) {
		sent->sent += nic->sender->stats.sent;
		sent->failed += nic->sender->stats.failed;
		sent->last_errno = nic->sender->stats.last_errno;
	}
}

void
nic_close(struct nic *nic, const struct iface *iface)
{
	char error[OS_ERROR], unsent[IO_ERROR];

	nic_stats(nic, &nic->received, &nic->sent);
	if (nic->offload.turned_off != 0 &&
	    privsep_offload_restore(nic->privsep, iface->name, &nic->offload, error) == -1)
		log_warning("offload interface=%s result=not-restored reason=\"%s\"", iface->name, error);
	memset(&nic->offload, 0, sizeof(nic->offload));
	if (nic->sender != NULL && nic->sender->ops->close(nic->sender, unsent) == -1)
		log_warning("sender interface=%s result=not-closed reason=\"%s\"", iface->name, unsent);
	if (nic->receiver != NULL)
		nic->receiver->ops->close(nic->receiver);
	if (nic->groups > 0)
		close(nic->groups);
	if (nic->withholder > 0)
		close(nic->withholder);
	nic->groups = nic->withholder = 0;
	nic->withheld_count = 0;
	nic->locked = nic->programmed = false;
	nic->unread_since = 0;
	nic->sender = NULL;
	nic->receiver = NULL;
}

static void
port_join_group(struct nic *nic, const struct iface *iface, const struct addr *addr)
{
	const struct addr group = ndp_solicited_node(addr);
	char text[ADDR_TEXT];

	if (nic->groups == 0)
		nic->groups = os_group_socket();
	if (nic->groups == -1 || os_group_join(nic->groups, iface->name, &group) == -1)
		log_warning("group interface=%s vip=%s result=failed reason=\"%s: switches that listen to MLD may not "
		    "deliver "
		    "neighbor solicitations\"", iface->name, addr_format(addr, text), strerror(errno));
}

void
nic_join(struct nic *nic, const struct iface *iface, uint16_t index, const struct model *model)
{
	if (nic->receiver == NULL || nic->sender == NULL)
		return;
	for (size_t i = 0; i < model->vip_count; i++)
		if (model->vips[i].iface == index && !model->vips[i].silent && model->vips[i].addr.family == ADDR_IPV6)
			port_join_group(nic, iface, &model->vips[i].addr);
	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (model->probe_addresses[i].family == ADDR_IPV6)
			port_join_group(nic, iface, &model->probe_addresses[i]);
}

void
nic_rejoin(struct nic *nic, const struct iface *iface, uint16_t index, const struct model *model)
{
	const int before = nic->groups;

	/* What stays is joined twice for a moment, and so never left. */
	nic->groups = 0;
	nic_join(nic, iface, index, model);
	if (before > 0)
		close(before);
}

/* Those of this interface, into `vips`; their number, or VIPS_WITHHELD + 1 when they are too many. */
static size_t
port_find_vips(const struct model *model, uint16_t index, struct addr vips[VIPS_WITHHELD])
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
port_is_withheld(const struct nic *nic, const struct mac *mac, const struct addr *vips, size_t count)
{
	if (count != nic->withheld_count || !mac_equal(mac, &nic->withheld_mac))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!addr_equal(&vips[i], &nic->withheld[i]))
			return false;
	return true;
}

bool
nic_withhold(struct nic *nic, const struct iface *iface, uint16_t index, const struct model *model)
{
	struct addr vips[VIPS_WITHHELD];
	const size_t count = port_find_vips(model, index, vips);
	int fd = nic->withholder > 0 ? nic->withholder : -1;

	if (nic->sender == NULL || (count == 0 && fd == -1))
		return true;
	if (port_is_withheld(nic, &iface->mac, vips, count))
		return true;
	if (count > VIPS_WITHHELD) {
		errno = E2BIG;
	} else if (os_withhold(&fd, iface->name, &iface->mac, vips, count) == 0) {
		nic->withholder = fd == -1 ? 0 : fd;
		nic->withheld_count = count;
		nic->withheld_mac = iface->mac;
		memcpy(nic->withheld, vips, count * sizeof(vips[0]));
		log_info("withhold interface=%s vips=%zu", iface->name, count);
		return true;
	}
	if (errno == ENOTSUP)
		return false;
	log_warning("withhold interface=%s result=failed reason=\"%s\" meaning=\"this host's own stack sees frames for "
	    "new VIPs too: disable IP forwarding, or restart dsrd\"", iface->name, strerror(errno));
	return true;
}

void
nic_filter(struct nic *nic, const struct iface *iface, uint16_t index, const struct model *model,
    bool wide)
{
	char text[CAPTURE_FILTER_TEXT], error[IO_ERROR];

	/*
	 * Linux sets none where nothing can be read, and throws the old one away. It is set when the interface is up.
	 */
	if (nic->receiver == NULL || nic->locked || nic->programmed || !iface->up)
		return;
	capture_filter_write(text, iface, index, model, wide);
	log_debug("filter interface=%s expression=\"%s\"", iface->name, text);
	if (nic->receiver->ops->filter(nic->receiver, text, error) == -1)
		log_warning("filter interface=%s result=failed reason=\"%s\"", iface->name, error);
}

void
nic_lock(struct nic *nic, const struct iface *iface)
{
	char error[IO_ERROR] = "";
	int result;

	if (nic->receiver == NULL || nic->locked)
		return;
	result = nic->receiver->ops->filter(nic->receiver, CAPTURE_FILTER_BROAD, error);
	if (result == 0)
		result = os_lock_capture(nic->receiver->ops->descriptor(nic->receiver));
	nic->locked = result == 0;
	if (result == 0 && nic->sender != NULL)
		result = os_lock_sender(nic->sender->ops->descriptor(nic->sender));
	if (result == 0 && nic->withholder > 0)
		result = os_lock_capture(nic->withholder);
	if (result == -1)
		log_warning("lock interface=%s result=failed reason=\"%s\"", iface->name,
		    error[0] != '\0' ? error : strerror(errno));
}
