/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "doctor/examine.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/arp.h"
#include "proto/ndp.h"
#include "proto/packet.h"

/* Ports of far clients: any will do, as no such client exists. */
#define FAR_PORT_FIRST 40000
#define FAR_PORTS 8192
#define PREFIX_MOST 29 /* a longer prefix has hardly an unused address */

/* xorshift64 (Marsaglia 2003): nothing here needs more than to be different each time. */
static uint64_t
examine_draw(struct examination *examination)
{
	uint64_t x = examination->random | 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	examination->random = x;
	return x;
}

/* --- targets --- */

static const struct prefix *
examine_prefix(const struct iface *iface, const struct addr *addr)
{
	for (size_t i = 0; i < iface->address_count; i++)
		if (prefix_contains(&iface->addresses[i], addr))
			return &iface->addresses[i];
	return NULL;
}

static bool
examine_is_used_address(const struct addr *addr, const struct server *server, const struct iface *iface)
{
	const struct service *service = server->service;

	if (iface_has_address(iface, addr) || addr_is_no_host(addr))
		return true;
	for (size_t i = 0; i < service->server_count; i++)
		if (addr_equal(&service->servers[i]->settings.addr, addr))
			return true;
	for (size_t i = 0; i < service->settings.listen_count; i++)
		if (addr_equal(&service->settings.listens[i].vip, addr))
			return true;
	return false;
}

/* An address of the server's network that is most likely unused; unset when there is none. */
static struct addr
examine_find_unused(struct examination *examination, const struct server *server, const struct iface *iface)
{
	const struct prefix *prefix = examine_prefix(iface, &server->settings.addr);
	struct addr found = { 0 };

	if (prefix == NULL || prefix->addr.family != ADDR_IPV4 || prefix->length > PREFIX_MOST || prefix->length == 0)
		return found;
	for (unsigned attempt = 0; attempt < 16; attempt++) {
		const uint32_t hosts = UINT32_MAX >> prefix->length;
		const uint32_t host = 1 + (uint32_t)(examine_draw(examination) % (hosts - 1));
		uint8_t bytes[4];

		store32(bytes, (load32(prefix->addr.bytes) & ~hosts) | host);
		found = addr_from_ipv4(bytes);
		if (!examine_is_used_address(&found, server, iface))
			return found;
	}
	memset(&found, 0, sizeof(found));
	return found;
}

/*
 * A client in another network, from the ranges that RFC 5737 and RFC 3849 reserve for examples, which no host uses.
 */
static struct addr
examine_find_far_source(const struct addr *vip, const struct iface *iface)
{
	static const char *const far4[] = { "203.0.113.250", "198.51.100.250", "192.0.2.250" };
	static const char *const far6[] = { "2001:db8:ffff:ffff::250", "2001:db8:fffe:ffff::250",
		"2001:db8:fffd:ffff::250" };
	const char *const *far = vip->family == ADDR_IPV6 ? far6 : far4;
	struct addr addr = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(far4); i++)
		if (addr_parse(far[i], &addr) == 0 && !iface_is_on_link(iface, &addr))
			return addr;
	memset(&addr, 0, sizeof(addr));
	return addr;
}

static uint16_t
examine_tcp_port(const struct service_settings *settings, const struct addr *vip)
{
	for (size_t i = 0; i < settings->listen_count; i++)
		if (settings->listens[i].protocol == PROTOCOL_TCP && addr_equal(&settings->listens[i].vip, vip))
			return settings->listens[i].first > 1 ? settings->listens[i].first : 80;
	return 0;
}

static bool
examine_is_listed(const struct examination *examination, const struct server *server, const struct addr *vip)
{
	for (size_t i = 0; i < examination->count; i++)
		if (server_ref_equal(examination->subjects[i].ref, server->ref) &&
		    addr_equal(&examination->subjects[i].vip, vip))
			return true;
	return false;
}

static bool
examine_is_known_machine(const struct examination *examination, const struct subject *subject)
{
	for (size_t i = 0; i < examination->count; i++)
		if (&examination->subjects[i] != subject && examination->subjects[i].iface == subject->iface &&
		    addr_equal(&examination->subjects[i].own, &subject->own))
			return true;
	return false;
}

/* A machine has one gateway for each family, whatever the VIP: one probe each is enough. */
static bool
examine_needs_far_probe(const struct examination *examination, const struct subject *subject)
{
	for (size_t i = 0; i < examination->count; i++) {
		const struct subject *other = &examination->subjects[i];

		if (other != subject && other->asks_from_far && other->iface == subject->iface &&
		    addr_equal(&other->own, &subject->own) && other->vip.family == subject->vip.family)
			return false;
	}
	return subject->port != 0;
}

bool
examine_add(struct examination *examination, const struct server *server, const struct iface *ifaces,
    size_t iface_count)
{
	const struct service_settings *settings = &server->service->settings;

	if (server->iface >= iface_count)
		return true;
	for (size_t i = 0; i < settings->listen_count; i++) {
		const struct addr *vip = &settings->listens[i].vip;
		const struct iface *iface = &ifaces[server->iface];
		struct subject *subject;

		if (examine_is_listed(examination, server, vip))
			continue;
		if (examination->count == EXAMINE_MOST)
			return false;
		subject = &examination->subjects[examination->count++];
		memset(subject, 0, sizeof(*subject));
		subject->ref = server->ref;
		subject->vip = *vip;
		subject->own = server->settings.addr;
		subject->mac = server->mac;
		subject->iface = server->iface;
		subject->first = !examine_is_known_machine(examination, subject);
		subject->port = examine_tcp_port(settings, vip);
		subject->asks_from_far = examine_needs_far_probe(examination, subject);
		for (size_t j = 0; j < EXAMINE_UNUSED; j++)
			subject->unused[j] = examine_find_unused(examination, server, iface);
		subject->far = examine_find_far_source(vip, iface);
		subject->far_port = (uint16_t)(FAR_PORT_FIRST + examine_draw(examination) % FAR_PORTS);
		subject->far_sequence = (uint32_t)examine_draw(examination);
	}
	return true;
}

/* --- asking --- */

struct voice {
	struct craft *craft;
	const struct iface *ifaces;
	const struct frame_tx *tx;
};

static void
examine_send(const struct voice *voice, const struct frame *made, uint16_t iface)
{
	(void)frame_tx_send(voice->tx, made, iface);
}

/* A request without a sender address (NULL) is answered whatever the server's routes are, and updates no cache. */
static void
examine_send_arp(const struct voice *voice, uint16_t iface, const struct mac *destination, const struct addr *target,
    const struct addr *sender)
{
	struct arp arp = { .operation = ARP_REQUEST, .sender = { .family = ADDR_IPV4 }, .target = *target };

	if (sender != NULL)
		arp.sender = *sender;
	arp.sender_mac = voice->ifaces[iface].mac;
	examine_send(voice, craft_arp(voice->craft, destination, &arp), iface);
}

static void
examine_send_ndp(const struct voice *voice, uint16_t iface, const struct mac *to, const struct addr *target)
{
	const struct addr *source = iface_address(&voice->ifaces[iface], ADDR_IPV6);
	struct craft_neighbor question = { .target = *target, .mac = voice->ifaces[iface].mac };

	/* A unicast solicitation needs a sender address (RFC 4861 section 7.1.1). */
	if (source == NULL && to != NULL)
		return;
	question.ends.ether_source = voice->ifaces[iface].mac;
	question.ends.destination = to != NULL ? *target : ndp_solicited_node(target);
	question.ends.ether_destination = to != NULL ? *to : ndp_multicast_mac(&question.ends.destination);
	question.ends.source.family = ADDR_IPV6;
	if (source != NULL)
		question.ends.source = *source;
	examine_send(voice, craft_neighbor_solicitation(voice->craft, &question), iface);
}

/* `to` NULL: broadcast. */
static void
examine_send_broadcast(const struct voice *voice, uint16_t iface, const struct mac *to, const struct addr *target)
{
	if (target->family == ADDR_IPV6)
		examine_send_ndp(voice, iface, to, target);
	else if (target->family == ADDR_IPV4)
		examine_send_arp(voice, iface, to != NULL ? to : &mac_broadcast, target, NULL);
}

/* A second time for the own address, and as the director itself. */
static void
examine_probe_own(const struct voice *voice, struct subject *subject)
{
	const struct addr *director = iface_address(&voice->ifaces[subject->iface], ADDR_IPV4);

	if (!subject->first)
		return;
	if (subject->own.family == ADDR_IPV6 || director == NULL) {
		examine_send_broadcast(voice, subject->iface, NULL, &subject->own);
		return;
	}
	examine_send_arp(voice, subject->iface, &mac_broadcast, &subject->own, director);
	subject->requested_as = true;
}

static void
examine_send_far(const struct voice *voice, const struct subject *subject, uint8_t flags)
{
	struct craft_tcp tcp = { .source_port = subject->far_port, .destination_port = subject->port, .flags = flags };

	if (!subject->asks_from_far || !addr_is_set(&subject->far) || mac_is_zero(&subject->mac))
		return;
	tcp.ends.ether_source = voice->ifaces[subject->iface].mac;
	tcp.ends.ether_destination = subject->mac;
	tcp.ends.source = subject->far;
	tcp.ends.destination = subject->vip;
	tcp.sequence = subject->far_sequence + ((flags & TCP_RST) != 0 ? 1 : 0);
	tcp.window = (flags & TCP_SYN) != 0 ? UINT16_MAX : 0;
	examine_send(voice, craft_tcp(voice->craft, &tcp), subject->iface);
}

static void
examine_send_unicast(const struct voice *voice, const struct subject *subject)
{
	if (mac_is_zero(&subject->mac))
		return;
	examine_send_broadcast(voice, subject->iface, &subject->mac, &subject->vip);
	for (size_t i = 0; i < EXAMINE_UNUSED; i++)
		examine_send_broadcast(voice, subject->iface, &subject->mac, &subject->unused[i]);
	examine_send_far(voice, subject, TCP_SYN);
}

void
examine_ask(struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx)
{
	const struct voice voice = { craft, ifaces, tx };

	examination->round++;
	for (size_t i = 0; i < examination->count; i++) {
		struct subject *subject = &examination->subjects[i];

		if (examination->round > 1) {
			examine_send_unicast(&voice, subject);
			examine_probe_own(&voice, subject);
			continue;
		}
		examine_send_broadcast(&voice, subject->iface, NULL, &subject->vip);
		if (subject->first)
			examine_send_broadcast(&voice, subject->iface, NULL, &subject->own);
	}
}

void
examine_end(const struct examination *examination, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx)
{
	const struct voice voice = { craft, ifaces, tx };

	/* Its answer, if there is one, most likely went elsewhere: this is the number that the server awaits. */
	for (size_t i = 0; i < examination->count && examination->round > 1; i++)
		examine_send_far(&voice, &examination->subjects[i], TCP_RST);
}

bool
examine_is_silent(const struct examination *examination, const struct subject *subject)
{
	for (size_t i = 0; i < examination->count; i++) {
		const struct subject *other = &examination->subjects[i];

		if (other->iface == subject->iface && addr_equal(&other->own, &subject->own) && other->present)
			return false;
	}
	return examination->round > 1;
}

/* --- hearing --- */

static bool
examine_is_ours(const struct mac *mac, const struct iface *ifaces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (mac_equal(mac, &ifaces[i].mac))
			return true;
	return false;
}

static bool
examine_is_server_addr(const struct mac *mac, const struct examination *examination, const struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL && mac_equal(mac, &model->slots[i]->mac))
			return true;
	for (size_t i = 0; i < examination->count; i++)
		if (mac_equal(mac, &examination->subjects[i].mac))
			return true;
	return false;
}

/* `mac` answers for `addr`; the answer is sent to `answered_to`. */
static void
examine_receive_claim(struct examination *examination, uint16_t iface, const struct addr *addr, const struct mac *mac,
    const struct addr *answered_to, const struct model *model)
{
	for (size_t i = 0; i < examination->count; i++) {
		struct subject *subject = &examination->subjects[i];
		const bool is_server = mac_equal(mac, &subject->mac);

		if (subject->iface != iface)
			continue;
		if (addr_equal(addr, &subject->own)) {
			if (mac_is_zero(&subject->mac))
				subject->mac = *mac;
			else if (!is_server)
				subject->twin = *mac;
			subject->present = true;
			subject->answered_as |= addr_is_set(answered_to) && !addr_is_no_host(answered_to);
		}
		if (addr_equal(addr, &subject->vip)) {
			if (is_server && examination->round == 1)
				subject->arp_broadcast = true;
			else if (is_server)
				subject->arp_unicast = true;
			else if (!examine_is_server_addr(mac, examination, model))
				subject->foreign = *mac;
		}
		for (size_t j = 0; j < EXAMINE_UNUSED; j++)
			if (is_server && addr_is_set(&subject->unused[j]) && addr_equal(addr, &subject->unused[j]))
				subject->unused_answered[j] = true;
	}
}

static void
examine_receive_far(struct examination *examination, uint16_t iface, const struct packet *packet)
{
	if (packet->protocol != PROTOCOL_TCP || !packet->has_ports)
		return;
	for (size_t i = 0; i < examination->count; i++) {
		struct subject *subject = &examination->subjects[i];

		if (subject->iface == iface && subject->far_port == packet->destination_port &&
		    addr_equal(&packet->destination, &subject->far) && addr_equal(&packet->source, &subject->vip))
			subject->gateway = true;
	}
}

void
examine_hear(struct examination *examination, const struct frame *frame, const struct model *model,
    const struct iface *ifaces, size_t iface_count)
{
	struct packet packet;
	struct arp arp;
	struct ndp ndp;

	if (examination->round == 0 || packet_parse(frame, &packet) != PACKET_OK ||
	    examine_is_ours(&packet.ether_source, ifaces, iface_count))
		return;
	if (packet.ethertype == ETHERTYPE_ARP) {
		if (arp_parse(frame, &arp) == 0 && arp.operation == ARP_REPLY)
			examine_receive_claim(examination, frame->iface, &arp.sender, &arp.sender_mac, &arp.target,
			    model);
	} else if (ndp_is_neighbor(&packet)) {
		if (ndp_parse(frame, &packet, &ndp) == 0 && ndp.kind == NDP_ADVERTISEMENT)
			examine_receive_claim(examination, frame->iface, &ndp.target, &packet.ether_source,
			    &packet.destination, model);
	} else if (examine_is_ours(&packet.ether_destination, ifaces, iface_count)) {
		examine_receive_far(examination, frame->iface, &packet);
	}
}
