/* SPDX-License-Identifier: ISC */
/* The forwarder's table, as the kernel sees it. */
#include "config.h"

#include "offload/cache_state.h"

#include <string.h>


/* As the stage of flows decides what stays: flow_stays() in forward/policy.h. */
static uint16_t
rule_of(const struct fwd_server *server)
{
	uint16_t rule = 0;

	if (!server->reachable)
		return 0;
	if (server->healthy)
		rule |= CARRY_RULE_UDP;
	if (server->healthy || server->service->settings.on_down != ON_DOWN_MOVE)
		rule |= CARRY_RULE_TCP;
	return rule;
}

/* Another owner of the slot, or all flows to be decided anew: another stamp, never 0. */
static void
renew_stamp(struct carry *carry, uint32_t slot, uint16_t generation, bool forget)
{
	if (carry->generations[slot] == generation && !forget)
		return;
	carry->generations[slot] = generation;
	carry->stamps[slot] = (uint16_t)(carry->stamps[slot] % CARRY_STAMP_MASK + 1);
}

static void
write_server(struct carry *carry, const struct fwd_server *server, uint32_t slot, bool forget)
{
	struct carry_server *out = &carry->memory.servers[slot];
	struct carry_server fresh = { .rule = 0 };
	uint64_t word;

	if (server != NULL)
		renew_stamp(carry, slot, server->ref.generation, forget);
	if (server != NULL && rule_of(server) != 0 && carry->ifindex[server->iface] != 0) {
		memcpy(fresh.mac, server->mac.bytes, sizeof(fresh.mac));
		memcpy(fresh.source, carry->ifaces[server->iface].mac.bytes, sizeof(fresh.source));
		fresh.rule = rule_of(server) | carry->stamps[slot];
		fresh.ifindex = carry->ifindex[server->iface];
		fresh.mtu = carry->ifaces[server->iface].mtu;
	}
	if (memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	memcpy(&word, &fresh, sizeof(word));
	if (memcmp((const uint8_t *)out + sizeof(word), (const uint8_t *)&fresh + sizeof(word),
	    sizeof(fresh) - sizeof(word)) != 0) {
		__atomic_store_n((uint64_t *)(void *)out, 0, __ATOMIC_SEQ_CST);
		memcpy((uint8_t *)out + sizeof(word), (uint8_t *)&fresh + sizeof(word), sizeof(fresh) - sizeof(word));
	}
	__atomic_store_n((uint64_t *)(void *)out, word, __ATOMIC_SEQ_CST);
}

static void
write_vip(const struct carry *carry, const struct fwd_vip *vip)
{
	struct carry_vip *out = &carry->memory.vips[vip->number];
	struct carry_vip fresh = { .ifindex = 0 };

	addr_mapped(&vip->addr, fresh.addr);
	if (vip->iface != IFACE_NONE && carry->carries[vip->iface]) {
		memcpy(fresh.mac, carry->ifaces[vip->iface].mac.bytes, sizeof(fresh.mac));
		fresh.ifindex = carry->ifindex[vip->iface];
	}
	if (memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	__atomic_store_n(&out->ifindex, 0, __ATOMIC_SEQ_CST);
	memcpy(out->addr, fresh.addr, sizeof(out->addr));
	memcpy(out->mac, fresh.mac, sizeof(out->mac));
	__atomic_store_n(&out->ifindex, fresh.ifindex, __ATOMIC_RELEASE);
}

static void
want(const struct carry *carry, uint8_t *wanted, const struct addr *addr)
{
	union carry_addr address;
	uint32_t bit;

	addr_mapped(addr, address.bytes);
	bit = carry_address_hash(&carry->memory.control->key, address.words);
	wanted[bit / 8] |= (uint8_t)(1U << bit % 8);
}

void
carry_refresh(struct carry *carry, const struct fwdtab *table, const struct iface *ifaces, bool forget,
    const struct addr *wanted, size_t count)
{
	uint8_t fresh[CARRY_WANTED / 8] = { 0 };

	carry->table = table;
	carry->ifaces = ifaces;
	if (carry->slots < fwdtab_slots(table))
		carry->slots = (uint32_t)fwdtab_slots(table);
	for (uint32_t slot = 0; slot < carry->slots; slot++)
		write_server(carry, fwdtab_slot(table, slot), slot, forget);
	for (size_t i = 0; i < fwdtab_vips(table); i++) {
		write_vip(carry, fwdtab_vip_at(table, i));
		want(carry, fresh, &fwdtab_vip_at(table, i)->addr);
	}
	for (size_t i = 0; i < count; i++)
		if (addr_is_set(&wanted[i]))
			want(carry, fresh, &wanted[i]);
	/* Byte by byte: what stays wanted is so at all times. */
	for (size_t i = 0; i < sizeof(fresh); i++)
		__atomic_store_n(&carry->memory.control->wanted[i], fresh[i], __ATOMIC_RELAXED);
}
