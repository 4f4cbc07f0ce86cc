/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "scene.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "must.h"

struct mac
scene_mac(const char *text)
{
	struct mac mac;

	must(mac_parse(text, &mac) == 0, "`%s` is no MAC address", text);
	return mac;
}

struct addr
scene_addr(const char *text)
{
	struct addr addr;

	must(addr_parse(text, &addr) == 0, "`%s` is no address", text);
	return addr;
}

static void
remember(void *context, const struct frame *frame)
{
	struct scene *scene = context;
	struct sent *sent;

	if (scene->discards)
		return;
	must(scene->sent_count < SCENE_SENT, "more than %u frames were sent", (unsigned)SCENE_SENT);
	sent = &scene->sent[scene->sent_count++];
	memcpy(sent->bytes, frame->bytes, frame->length < sizeof(sent->bytes) ? frame->length : sizeof(sent->bytes));
	sent->length = frame->length;
	sent->iface = frame->iface;
	sent->left = *frame;
}

static unsigned
takes(void *context, uint16_t iface)
{
	const struct scene *scene = context;

	return iface == 0 ? scene->takes : 0;
}

/* What the daemon does when it hears of a neighbor: the model's servers get the MAC, the table is compiled anew. */
static void
watch(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other)
{
	struct scene *scene = context;

	(void)reason;
	(void)other;
	scene->neighbor_events[event]++;
	for (size_t i = 0; i < scene->model->slot_count; i++) {
		struct server *server = scene->model->slots[i];

		if (server != NULL && addr_equal(&server->settings.addr, &neigh->addr))
			server->mac = neigh->mac;
	}
}

static void
set_iface(struct iface *iface, const char *name, const char *mac, const char *addr)
{
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->mac = scene_mac(mac);
	iface->mtu = 1500;
	iface->addresses[0] = (struct prefix) { scene_addr(addr), 24 };
	iface->address_count = 1;
}

void
scene_open(struct scene *scene)
{
	static const struct siphash_key key = { { 1, 2, 3 } };
	char error[256];

	memset(scene, 0, sizeof(*scene));
	scene->now = SCENE_START;
	set_iface(&scene->ifaces[0], "eth0", "02:00:00:00:00:01", "192.0.2.1");
	set_iface(&scene->ifaces[1], "eth1", "02:00:00:00:01:01", "198.51.100.1");
	ck_assert_int_eq(forwarder_init(&scene->forwarder, SCENE_FLOWS, &key, watch, scene, error, sizeof(error)), 0);
	scene->forwarder.tx = (struct frame_tx) { remember, scene, takes };
	scene->forwarder.ifaces = scene->ifaces;
	scene->forwarder.iface_count = 2;
	scene->model = model_new();
	ck_assert_ptr_nonnull(scene->model);
	scene_compile(scene);
}

void
scene_close(struct scene *scene)
{
	forwarder_clear(&scene->forwarder);
	fwdtab_free(scene->table);
	model_free(scene->model);
	settings_clear(&scene->settings);
}

void
scene_listen(struct service_settings *service, const char *vip, uint8_t protocol, uint16_t first, uint16_t last)
{
	service->listens = realloc(service->listens, (service->listen_count + 1) * sizeof(*service->listens));
	ck_assert_ptr_nonnull(service->listens);
	service->listens[service->listen_count++] = (struct listen_settings) { scene_addr(vip), protocol, first, last,
	    0 };
}

struct service_settings *
scene_add_service(struct scene *scene, const char *name, uint8_t protocol, uint16_t port, const char *scheduler)
{
	struct settings *settings = &scene->settings;
	struct service_settings *service;

	settings->services = realloc(settings->services, (settings->service_count + 1) * sizeof(*service));
	service = &settings->services[settings->service_count++];
	memset(service, 0, sizeof(*service));
	snprintf(service->name, sizeof(service->name), "%s", name);
	snprintf(service->iface, sizeof(service->iface), "eth0");
	service->scheduler = scheduler_find(scheduler);
	ck_assert_ptr_nonnull(service->scheduler);
	scene_listen(service, VIP, protocol, port, port);
	service->timeouts = conn_timeouts_default();
	service->persist_prefix4 = 32;
	service->persist_prefix6 = 128;
	service->rise = 2;
	service->fall = 3;
	return service;
}

struct server_settings *
scene_add_server(struct service_settings *service, unsigned number, uint32_t weight, bool ask)
{
	struct server_settings *server;
	char text[32];

	service->servers = realloc(service->servers, (service->server_count + 1) * sizeof(*server));
	server = &service->servers[service->server_count++];
	memset(server, 0, sizeof(*server));
	snprintf(server->name, sizeof(server->name), "s%u", number);
	snprintf(text, sizeof(text), "192.0.2.%u", 100 + number);
	server->addr = scene_addr(text);
	snprintf(text, sizeof(text), "02:00:00:00:00:%02x", 0x10 + number);
	if (!ask)
		server->mac = scene_mac(text);
	server->weight = weight;
	return server;
}

void
scene_compile(struct scene *scene)
{
	struct fwdtab *table = fwdtab_compile(scene->model, scene->ifaces, 2, scene->now);

	ck_assert_ptr_nonnull(table);
	if (scene->table != NULL)
		fwdtab_inherit(table, scene->table, scene->now);
	fwdtab_free(scene->table);
	scene->table = table;
	scene->forwarder.table = table;
}

void
scene_apply(struct scene *scene)
{
	ck_assert_int_eq(model_apply(scene->model, &scene->settings, scene->now), 0);
	model_place(scene->model, scene->ifaces, 2);
	neigh_begin(scene->forwarder.neighbors);
	for (size_t i = 0; i < scene->model->slot_count; i++) {
		struct server *server = scene->model->slots[i];

		if (server == NULL)
			continue;
		if (server->health.state == HEALTH_UNKNOWN)
			health_trust(&server->health, scene->now);
		if (mac_is_zero(&server->settings.mac))
			ck_assert_int_eq(neigh_want(scene->forwarder.neighbors, server->iface,
			    &server->settings.addr, server->service->settings.neighbor, scene->now), 0);
	}
	neigh_end(scene->forwarder.neighbors);
	scene_compile(scene);
}

struct server *
scene_server(const struct scene *scene, const char *service, const char *server)
{
	char wanted[SERVER_NAME_TEXT], name[SERVER_NAME_TEXT];

	snprintf(wanted, sizeof(wanted), "%s/%s", service, server);
	for (size_t i = 0; i < scene->model->slot_count; i++)
		if (scene->model->slots[i] != NULL && strcmp(server_name(scene->model->slots[i], name), wanted) == 0)
			return scene->model->slots[i];
	ck_abort_msg("no server %s", wanted);
	return NULL;
}

void
scene_forget(struct scene *scene)
{
	scene->sent_count = 0;
}

/* The Internet checksum, byte by byte (RFC 1071). */
static uint32_t
sum(uint32_t start, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		start += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (start >> 16 != 0)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static const char *
or_else(const char *text, const char *usual)
{
	return text != NULL ? text : usual;
}

/* The pseudo-header's sum: RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6. */
static uint32_t
pseudo_sum(const struct addr *from, const struct addr *to, uint8_t protocol, uint32_t length)
{
	const size_t bytes = from->family == ADDR_IPV6 ? 16 : 4;

	return sum(sum((uint32_t)protocol + length, from->bytes, bytes), to->bytes, bytes);
}

static void
put_ports(const struct shape *shape, uint8_t protocol, uint8_t *l4, uint32_t length)
{
	store16(l4, shape->from_port != 0 ? shape->from_port : 40000);
	store16(l4 + 2, shape->to_port != 0 ? shape->to_port : 80);
	if (protocol == PROTOCOL_TCP) {
		store32(l4 + 4, (shape->sequence != 0 ? shape->sequence : 1000) - ((shape->flags & TCP_SYN) != 0));
		store32(l4 + 8, shape->acknowledgement);
		l4[12] = 5 << 4;
		l4[13] = shape->flags;
	} else if (protocol == PROTOCOL_UDP) {
		store16(l4 + 4, (uint16_t)length);
	}
}

/* Where the protocol keeps its checksum; SCTP's is of another kind and left alone. */
static size_t
checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return 16;
	case PROTOCOL_UDP:
		return 6;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static void
put_checksum(const struct shape *shape, uint8_t protocol, const struct addr *from, const struct addr *to, uint8_t *l4,
    uint32_t length)
{
	const uint32_t pseudo = protocol == PROTOCOL_ICMP ? 0 : pseudo_sum(from, to, protocol, length);
	uint8_t *field = l4 + checksum_offset(protocol);

	if (field == l4 || length < 8)
		return;
	store16(field, 0);
	store16(field, (uint16_t)(shape->unfinished ? pseudo : ~sum(pseudo, l4, length)));
}

static uint8_t *
put_ipv4(const struct shape *shape, uint8_t *ip, uint8_t protocol, const struct addr *from, const struct addr *to,
    uint32_t length)
{
	ip[0] = 0x45;
	store16(ip + 2, (uint16_t)(20 + length));
	store16(ip + 4, shape->id != 0 ? shape->id : 77);
	store16(ip + 6, shape->fragment);
	ip[8] = shape->ttl != 0 ? shape->ttl : 64;
	ip[9] = protocol;
	memcpy(ip + 12, from->bytes, 4);
	memcpy(ip + 16, to->bytes, 4);
	store16(ip + 10, (uint16_t)~sum(0, ip, 20));
	return ip + 20;
}

static uint8_t *
put_ipv6(const struct shape *shape, uint8_t *ip, uint8_t protocol, const struct addr *from, const struct addr *to,
    uint32_t length)
{
	const uint32_t extension = shape->fragment != 0 ? 8 : 0;

	ip[0] = 0x60;
	store16(ip + 4, (uint16_t)(length + extension));
	ip[6] = extension != 0 ? 44 : protocol;
	ip[7] = shape->ttl != 0 ? shape->ttl : 255;
	memcpy(ip + 8, from->bytes, 16);
	memcpy(ip + 24, to->bytes, 16);
	if (extension != 0) {
		ip[40] = protocol;
		store16(ip + 42, (uint16_t)((shape->fragment & 0x1fff) << 3 | (shape->fragment >> 13 & 1)));
		store32(ip + 44, shape->id);
	}
	return ip + 40 + extension;
}

static uint8_t *
put_ethernet(struct scene *scene, const struct shape *shape, uint16_t type)
{
	const struct mac to = scene_mac(or_else(shape->to_mac, shape->iface == 0 ? "02:00:00:00:00:01" :
	    "02:00:00:00:01:01"));
	const struct mac from = scene_mac(or_else(shape->from_mac, CLIENT_MAC));
	uint8_t *bytes = scene->bytes;

	memcpy(bytes, to.bytes, 6);
	memcpy(bytes + 6, from.bytes, 6);
	bytes += 12;
	if (shape->vlan != 0) {
		store16(bytes, ETHERTYPE_VLAN);
		store16(bytes + 2, shape->vlan);
		bytes += 4;
	}
	store16(bytes, type);
	return bytes + 2;
}

struct frame
scene_frame(struct scene *scene, const struct shape *shape)
{
	const uint8_t protocol = shape->protocol != 0 ? shape->protocol : PROTOCOL_TCP;
	const struct addr from = scene_addr(or_else(shape->from, "203.0.113.7"));
	const struct addr to = scene_addr(or_else(shape->to, VIP));
	const bool headless = shape->raw != NULL || (shape->fragment & 0x1fff) != 0;
	const uint32_t header = headless ? 0 : protocol == PROTOCOL_TCP ? 20 : protocol == PROTOCOL_SCTP ? 12 : 8;
	const uint32_t length = header + shape->payload;
	uint8_t *ip, *l4;
	uint32_t total;

	memset(scene->bytes, 0, 128 + length);
	ip = put_ethernet(scene, shape, from.family == ADDR_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
	l4 = from.family == ADDR_IPV6 ? put_ipv6(shape, ip, protocol, &from, &to, length) :
	    put_ipv4(shape, ip, protocol, &from, &to, length);
	for (uint32_t i = 0; i < shape->payload; i++)
		l4[header + i] = shape->raw != NULL ? shape->raw[i] : (uint8_t)(i * 7);
	if (header != 0 && checksum_offset(protocol) != 2)
		put_ports(shape, protocol, l4, length);
	if (shape->fragment == 0 || (shape->fragment & 0x3fff) == 0)
		put_checksum(shape, protocol, &from, &to, l4, length);
	total = (uint32_t)(l4 + length - scene->bytes);
	return frame_of(scene->bytes, total, shape->iface);
}

struct decision
scene_send(struct scene *scene, const struct shape *shape)
{
	struct frame frame = scene_frame(scene, shape);

	return forward_frame(&scene->forwarder, &frame, scene->now);
}

const char *
scene_went(const struct decision *decision)
{
	switch (decision->verdict) {
	case VERDICT_FORWARD:
		return decision->server->server->settings.name;
	case VERDICT_DROP:
		return drop_reason_name(decision->reason);
	case VERDICT_PASS:
	case VERDICT_CONSUMED:
	case VERDICT_HOLD:
		break;
	}
	return verdict_name(decision->verdict);
}

const char *
scene_tcp(struct scene *scene, uint16_t port, uint8_t flags)
{
	const struct shape shape = { .from_port = port, .flags = flags };
	const struct decision decision = scene_send(scene, &shape);

	scene_forget(scene);
	return scene_went(&decision);
}

struct decision
scene_arp(struct scene *scene, const char *ether_from, const char *ether_to, uint16_t operation, const char *sender_mac,
    const char *sender, const char *target)
{
	const struct mac from = scene_mac(ether_from), to = scene_mac(ether_to), mac = scene_mac(sender_mac);
	const struct addr spa = scene_addr(sender), tpa = scene_addr(target);
	uint8_t *arp = scene->bytes + ETHER_HEADER;
	struct frame frame = frame_of(scene->bytes, 60, 0);

	memset(scene->bytes, 0, 60);
	memcpy(scene->bytes, to.bytes, 6);
	memcpy(scene->bytes + 6, from.bytes, 6);
	store16(scene->bytes + 12, ETHERTYPE_ARP);
	store16(arp, 1);
	store16(arp + 2, ETHERTYPE_IPV4);
	arp[4] = 6;
	arp[5] = 4;
	store16(arp + 6, operation);
	memcpy(arp + 8, mac.bytes, 6);
	memcpy(arp + 14, spa.bytes, 4);
	memcpy(arp + 24, tpa.bytes, 4);
	return forward_frame(&scene->forwarder, &frame, scene->now);
}
