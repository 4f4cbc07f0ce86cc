/* SPDX-License-Identifier: ISC */
/* The forwarder's table, as the kernel sees it. */
#include "config.h"

#include "offload/cache_state.h"

#include <string.h>

/* As the stage of flows decides what stays: flow_stays() in forward/policy.h. */
static uint16_t
cache_rule(const struct fwd_server *server)
{
	uint16_t rule = 0;

	if (!server->reachable || server->local ||
	    (server->encap != NULL && server->ref.slot >= OFFLOAD_ENCAPS))
		return 0;
	if (server->healthy)
		rule |= OFFLOAD_RULE_UDP;
	if (server->healthy || server->service->settings.on_down != ON_DOWN_MOVE)
		rule |= OFFLOAD_RULE_TCP;
	return rule;
}

/* The slot has another owner, or all flows must be decided again: another stamp, never 0. */
static void
cache_renew_stamp(struct offload_cache *offload, uint32_t slot, uint16_t generation, bool forget)
{
	if (offload->generations[slot] == generation && !forget)
		return;
	offload->generations[slot] = generation;
	offload->stamps[slot] = (uint16_t)(offload->stamps[slot] % OFFLOAD_STAMP_MASK + 1);
}

static struct offload_server
cache_view_server(const struct offload_cache *offload, const struct fwd_server *server, uint32_t slot)
{
	struct offload_server fresh = { .rule = 0 };

	if (server == NULL || cache_rule(server) == 0 || offload->ifindex[server->iface] == 0)
		return fresh;
	memcpy(fresh.mac, server->mac.bytes, sizeof(fresh.mac));
	memcpy(fresh.source, offload->ifaces[server->iface].mac.bytes, sizeof(fresh.source));
	fresh.rule = cache_rule(server) | offload->stamps[slot];
	fresh.ifindex = offload->ifindex[server->iface];
	fresh.mtu = server->mtu;
	fresh.method = server->encap == NULL ? ENCAP_MAC : server->encap->method;
	return fresh;
}

/* Is it reached in another way than the kernel knows, by another method than mac? */
static bool
cache_view_encap_differs(const struct offload_cache *offload, const struct fwd_server *server, uint32_t slot)
{
	return server != NULL && server->encap != NULL && slot < OFFLOAD_ENCAPS &&
	    memcmp(&offload->memory.encaps[slot], server->encap, sizeof(struct offload_encap)) != 0;
}

/*
 * The first word, which alone decides, is zero while the rest is rewritten, and has another stamp afterwards: a reader
 * that finds it unchanged after it has read the rest has not mixed the old rest with the new one.
 */
static void
cache_view_write_server(struct offload_cache *offload, const struct fwd_server *server, uint32_t slot, bool forget)
{
	struct offload_server *out = &offload->memory.servers[slot];
	struct offload_server fresh;
	const size_t rest = sizeof(fresh) - sizeof(uint64_t);
	const bool encap = cache_view_encap_differs(offload, server, slot);
	uint64_t word;
	bool moved;

	if (server != NULL)
		cache_renew_stamp(offload, slot, server->ref.generation, forget);
	fresh = cache_view_server(offload, server, slot);
	if (!encap && memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	moved = encap || memcmp((const uint8_t *)out + sizeof(word), (const uint8_t *)&fresh + sizeof(word), rest) != 0;
	if (moved) {
		__atomic_store_n((uint64_t *)(void *)out, 0, __ATOMIC_SEQ_CST);
		memcpy((uint8_t *)out + sizeof(word), (const uint8_t *)&fresh + sizeof(word), rest);
		if (encap)
			memcpy(&offload->memory.encaps[slot], server->encap, sizeof(struct offload_encap));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	}
	if (moved && fresh.rule != 0) {
		cache_renew_stamp(offload, slot, offload->generations[slot], true);
		fresh.rule = cache_rule(server) | offload->stamps[slot];
	}
	memcpy(&word, &fresh, sizeof(word));
	__atomic_store_n((uint64_t *)(void *)out, word, __ATOMIC_SEQ_CST);
}

static void
cache_write_vip(const struct offload_cache *offload, const struct fwd_vip *vip)
{
	struct offload_vip *out = &offload->memory.vips[vip->number];
	struct offload_vip fresh = { .ifindex = 0 };

	addr_mapped(&vip->addr, fresh.addr);
	fresh.dscp = vip->dscp;
	if (vip->iface != IFACE_NONE && offload->carries[vip->iface]) {
		memcpy(fresh.mac, offload->ifaces[vip->iface].mac.bytes, sizeof(fresh.mac));
		fresh.ifindex = offload->ifindex[vip->iface];
	}
	if (memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	__atomic_store_n(&out->ifindex, 0, __ATOMIC_SEQ_CST);
	memcpy(out->addr, fresh.addr, sizeof(out->addr));
	memcpy(out->mac, fresh.mac, sizeof(out->mac));
	__atomic_store_n(&out->dscp, fresh.dscp, __ATOMIC_RELEASE);
	__atomic_store_n(&out->ifindex, fresh.ifindex, __ATOMIC_RELEASE);
}

static void
cache_view_want(const struct offload_cache *offload, uint8_t *wanted, const struct addr *addr)
{
	union offload_addr address;
	uint32_t bit;

	addr_mapped(addr, address.bytes);
	bit = offload_address_hash(&offload->memory.control->key, address.words);
	wanted[bit / 8] |= (uint8_t)(1U << bit % 8);
}

void
offload_refresh(struct offload_cache *offload, const struct fwdtab *table, const struct iface *ifaces, bool forget,
    const struct addr *wanted, size_t count, uint64_t now)
{
	uint8_t fresh[OFFLOAD_WANTED / 8] = { 0 };

	offload->table = table;
	offload->ifaces = ifaces;
	if (now > offload->clock)
		offload->clock = now;
	publisher_collect(offload);
	offload->probes = wanted;
	offload->probe_count = count;
	if (offload->slots < fwdtab_slots(table))
		offload->slots = (uint32_t)fwdtab_slots(table);
	for (uint32_t slot = 0; slot < offload->slots; slot++)
		cache_view_write_server(offload, fwdtab_slot(table, slot), slot, forget);
	for (size_t i = 0; i < fwdtab_vips(table); i++) {
		cache_write_vip(offload, fwdtab_vip_at(table, i));
		cache_view_want(offload, fresh, &fwdtab_vip_at(table, i)->addr);
	}
	for (size_t i = 0; i < count; i++)
		if (addr_is_set(&wanted[i]))
			cache_view_want(offload, fresh, &wanted[i]);
	/* Byte by byte, so that an address that stays wanted is never missing. */
	for (size_t i = 0; i < sizeof(fresh); i++)
		__atomic_store_n(&offload->memory.control->wanted[i], fresh[i], __ATOMIC_RELAXED);
	publisher_update(offload);
}
