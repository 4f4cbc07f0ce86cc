/* SPDX-License-Identifier: ISC */
/*
 * The server of a flow that is not in the kernel's table, for services that select by hash: the server that the daemon
 * would choose, since both use sched/select.h. Only the beginning of a TCP connection, and UDP; all else is left to the
 * daemon. In a flood also for services with other schedulers. Compiled as offload/decide.h is; the including file must also define:
 *
 *     static struct select_control *offload_selection(void);                   NULL: nothing is selected
 *     static struct select_bank *offload_bank_at(uint32_t number);
 *     static struct select_counts *offload_counts(void);                       this processor's
 *     static struct select_record *offload_record_begin(void);                 NULL: no room
 *     static void offload_record_end(struct select_record *record);
 */
#ifndef OFFLOAD_SELECT_H
#define OFFLOAD_SELECT_H

#include "offload/select_map.h"

/* The VIP's ports, if its frames come in this way. */
OFFLOAD_INLINE const struct select_front *
select_find_front(const struct select_bank *bank, const struct offload_control *control,
    const struct offload_frame *frame, struct offload_packet *packet, const struct offload_head *head)
{
	const uint32_t begin = offload_address_hash(&control->key, packet->vip.words);
	const struct offload_vip *vip;

	for (uint32_t i = 0; i < SELECT_PROBES; i++) {
		const struct select_front *front = &bank->fronts[(begin + i) & (SELECT_FRONTS - 1)];

		if (front->vip == 0)
			return 0;
		if (front->addr[0] != packet->vip.longs[0] || front->addr[1] != packet->vip.longs[1])
			continue;
		vip = offload_vip_at(front->vip - 1);
		if (!vip || vip->ifindex != frame->ifindex || !offload_same_mac(vip->mac, head->bytes))
			return 0;
		packet->dscp = *(const volatile uint8_t *)&vip->dscp;
		return front;
	}
	return 0;
}

OFFLOAD_INLINE const struct select_service *
select_find_service(const struct select_bank *bank, const struct select_front *front,
    const struct offload_packet *packet)
{
	const uint32_t key = (packet->udp ? UINT32_C(17) : UINT32_C(6)) << 16 |
	    ((uint32_t)packet->name >> 16 & 0xffff);

	for (uint32_t i = 0; i < SELECT_RANGES_EACH; i++) {
		const struct select_range *range = &bank->ranges[(front->ranges + i) & (SELECT_RANGES - 1)];

		if (i >= front->count || key < range->first)
			return 0;
		if (key <= range->last)
			return &bank->services[range->service & (SELECT_SERVICES - 1)];
	}
	return 0;
}

/* The slot's word; not settled: the frame is the daemon's. */
OFFLOAD_INLINE uint32_t
select_choose(const struct select_bank *bank, const struct select_control *selection,
    const struct select_service *service, const struct offload_packet *packet)
{
	struct select_name name = { .client = { packet->client.longs[0], packet->client.longs[1] },
		.vip = { packet->vip.longs[0], packet->vip.longs[1] },
		.client_port = (uint16_t)packet->name, .vip_port = (uint16_t)(packet->name >> 16),
		.protocol = packet->udp ? 17 : 6 };
	uint32_t slot;

	/* IPv4 as struct addr has it. */
	if (name.vip[0] == 0) {
		union offload_addr addr = { .longs = { 0, 0 } };

		addr.words[0] = packet->vip.words[3];
		name.vip[0] = addr.longs[0];
		name.vip[1] = 0;
	}
	slot = service->slots + select_slot(select_hash(&selection->key, service->by, &name), service->size);
	return *(const volatile uint32_t *)&bank->slots[slot & (SELECT_SLOTS - 1)];
}

/* Frames that came back, of the director itself or of its probe address, are the daemon's. */
OFFLOAD_INLINE bool
select_is_strange(const struct select_control *selection, const struct offload_control *control,
    const struct offload_packet *packet, const struct offload_head *head)
{
	const uint32_t addr = select_source_bit(&control->key, &packet->client) & (SELECT_SOURCES - 1),
	    mac = select_mac_bit(head->bytes + 6) & (SELECT_SOURCES - 1);

	return ((selection->addresses[addr / 8] >> addr % 8 | selection->macs[mac / 8] >> mac % 8) & 1) != 0;
}

OFFLOAD_INLINE void
select_record(struct select_counts *counts, const struct offload_frame *frame, const struct offload_head *head,
    uint32_t slot)
{
	struct select_record *record = offload_record_begin();

	if (!record) {
		counts->unrecorded++;
		return;
	}
	record->now = frame->now;
	record->length = frame->length;
	record->ifindex = frame->ifindex;
	record->slot = slot;
	record->spare = 0;
	__builtin_memcpy(record->head, head->bytes, 78);
	record->head[78] = record->head[79] = 0;
	offload_record_end(record);
}

/* As offload_decide(), of a frame whose flow is not in the table. */
OFFLOAD_INLINE bool
offload_select(const struct offload_frame *frame, const struct offload_control *control,
    struct offload_packet *packet, const struct offload_head *head, struct offload_hand *hand)
{
	struct select_control *selection = offload_selection();
	struct select_counts *counts = offload_counts();
	const struct select_service *service;
	const struct select_front *front;
	const struct select_bank *bank;
	uint32_t number, word;
	uint64_t name;

	if (!selection || !counts)
		return false;
	number = *(volatile uint32_t *)&selection->bank;
	bank = number == 0 ? 0 : offload_bank_at(number - 1);
	if (!bank || select_is_strange(selection, control, packet, head))
		return false;
	front = select_find_front(bank, control, frame, packet, head);
	service = front ? select_find_service(bank, front, packet) : 0;
	if (!service || (service->fallback != 0 && *(volatile uint32_t *)&selection->flood == 0))
		return false;
	word = select_choose(bank, selection, service, packet);
	name = (uint64_t)(word & SELECT_SERVER) << OFFLOAD_SLOT_SHIFT |
	    (uint64_t)(word >> SELECT_STAMP_SHIFT & OFFLOAD_STAMP_MASK) << OFFLOAD_STAMP_SHIFT;
	if ((word & SELECT_SETTLED) == 0 || !offload_way(frame, packet, head, name, hand))
		return false;
	counts->servers[word & (SELECT_SERVERS - 1)].packets++;
	counts->servers[word & (SELECT_SERVERS - 1)].bytes += frame->length;
	select_record(counts, frame, head, word);
	return true;
}

#endif
