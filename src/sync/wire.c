/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/wire.h"

#include <string.h>

#include "base/bytes.h"
#include "proto/packet.h"

static const uint8_t wire_magic[8] = { 'd', 's', 'r', 'd', 's', 'y', 'n', 'c' };

/* The first byte of a flow: its state, above that its protocol, and whether its addresses are IPv6. */
#define WIRE_STATE_MASK 0xf
#define WIRE_PROTOCOL_SHIFT 4
#define WIRE_PROTOCOL_MASK 3
#define WIRE_IPV6 0x40

static const uint8_t wire_protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
static const uint8_t wire_mapped[12] = { [10] = 0xff, [11] = 0xff }; /* before an IPv4 address in 16 bytes */

void
wire_out_init(struct wire_out *out, uint8_t *bytes, size_t room)
{
	*out = (struct wire_out) { bytes, room, false };
}

/* False, and then always, when there is no room for the record. */
static bool
wire_has_room(struct wire_out *out, size_t length)
{
	if (out->left < length)
		out->failed = true;
	return !out->failed;
}

static void
wire_put_bytes(struct wire_out *out, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	memcpy(out->at, bytes, length);
	out->at += length;
	out->left -= length;
}

static void
wire_put_u8(struct wire_out *out, uint8_t value)
{
	wire_put_bytes(out, &value, 1);
}

static void
wire_put_u16(struct wire_out *out, uint16_t value)
{
	uint8_t bytes[2];

	store16(bytes, value);
	wire_put_bytes(out, bytes, sizeof(bytes));
}

static void
wire_put_u32(struct wire_out *out, uint32_t value)
{
	uint8_t bytes[4];

	store32(bytes, value);
	wire_put_bytes(out, bytes, sizeof(bytes));
}

static void
wire_put_u64(struct wire_out *out, uint64_t value)
{
	wire_put_u32(out, (uint32_t)(value >> 32));
	wire_put_u32(out, (uint32_t)value);
}

static uint64_t
wire_get_u64(struct cursor *in)
{
	const uint64_t high = cursor_u32(in);

	return high << 32 | cursor_u32(in);
}

static void
wire_put_addr(struct wire_out *out, const struct addr *addr)
{
	uint8_t bytes[16];

	addr_mapped(addr, bytes);
	wire_put_bytes(out, bytes, sizeof(bytes));
}

static struct addr
wire_get_addr(struct cursor *in)
{
	uint8_t bytes[16];

	cursor_copy(in, bytes, sizeof(bytes));
	return addr_is_mapped(bytes) ? addr_from_ipv4(bytes + sizeof(wire_mapped)) : addr_from_ipv6(bytes);
}

static void
wire_put_text(struct wire_out *out, const char *text)
{
	const size_t length = strlen(text);

	wire_put_u8(out, (uint8_t)length);
	wire_put_bytes(out, text, length);
}

/* Printable ASCII: it is shown to people. False when it is not, or does not fit. */
static bool
wire_get_text(struct cursor *in, char *text, size_t size)
{
	const size_t length = cursor_u8(in);

	text[0] = '\0';
	if (!cursor_ok(in) || length >= size || length > in->left)
		return false;
	cursor_copy(in, text, length);
	text[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return cursor_ok(in);
}

void
wire_put_header(uint8_t bytes[WIRE_HEADER], const struct wire_header *header)
{
	memset(bytes, 0, WIRE_HEADER);
	store32(bytes, header->length);
	bytes[4] = header->type;
	store32(bytes + 8, (uint32_t)(header->sequence >> 32));
	store32(bytes + 12, (uint32_t)header->sequence);
}

bool
wire_get_header(const uint8_t bytes[WIRE_HEADER], struct wire_header *header)
{
	header->length = load32(bytes);
	header->type = bytes[4];
	header->sequence = (uint64_t)load32(bytes + 8) << 32 | load32(bytes + 12);
	return header->length <= WIRE_BODY && (bytes[5] | bytes[6] | bytes[7]) == 0;
}

void
wire_put_flow(struct wire_out *out, const struct wire_flow *flow)
{
	const bool ipv4 = addr_is_mapped(flow->client);
	uint8_t protocol = 0;

	if (!wire_has_room(out, ipv4 ? WIRE_FLOW4 : WIRE_FLOW6))
		return;
	while (protocol < ARRAY_LEN(wire_protocols) - 1 && wire_protocols[protocol] != flow->protocol)
		protocol++;
	wire_put_u8(out, (uint8_t)(flow->state | protocol << WIRE_PROTOCOL_SHIFT | (ipv4 ? 0 : WIRE_IPV6)));
	wire_put_u16(out, flow->vip);
	wire_put_u16(out, flow->server);
	wire_put_u16(out, flow->vip_port);
	wire_put_u16(out, flow->client_port);
	if (ipv4)
		wire_put_bytes(out, flow->client + sizeof(wire_mapped), 4);
	else
		wire_put_bytes(out, flow->client, sizeof(flow->client));
	wire_put_u32(out, flow->age);
	wire_put_u32(out, flow->left);
}

static bool
wire_state_fits(enum conn_state state, uint8_t protocol)
{
	return conn_is_proven(state) && (state == CONN_UDP) == (protocol == PROTOCOL_UDP);
}

bool
wire_get_flow(struct cursor *in, struct wire_flow *flow)
{
	const uint8_t first = cursor_u8(in), state = first & WIRE_STATE_MASK;
	const uint8_t protocol = first >> WIRE_PROTOCOL_SHIFT & WIRE_PROTOCOL_MASK;
	const bool ipv4 = (first & WIRE_IPV6) == 0;

	flow->vip = cursor_u16(in);
	flow->server = cursor_u16(in);
	flow->vip_port = cursor_u16(in);
	flow->client_port = cursor_u16(in);
	memcpy(flow->client, wire_mapped, sizeof(wire_mapped));
	if (ipv4)
		cursor_copy(in, flow->client + sizeof(wire_mapped), 4);
	else
		cursor_copy(in, flow->client, sizeof(flow->client));
	flow->age = cursor_u32(in);
	flow->left = cursor_u32(in);
	if (!cursor_ok(in) || state == CONN_NONE || state >= CONN_STATE_COUNT || protocol >= ARRAY_LEN(wire_protocols) ||
	    (first & ~(WIRE_STATE_MASK | WIRE_PROTOCOL_MASK << WIRE_PROTOCOL_SHIFT | WIRE_IPV6)) != 0)
		return false;
	flow->state = (enum conn_state)state;
	flow->protocol = wire_protocols[protocol];
	return wire_state_fits(flow->state, flow->protocol);
}

void
wire_put_client(struct wire_out *out, const struct wire_client *client)
{
	if (!wire_has_room(out, 2 + sizeof(client->client) + 4))
		return;
	wire_put_u16(out, client->server);
	wire_put_bytes(out, client->client, sizeof(client->client));
	wire_put_u32(out, client->left);
}

bool
wire_get_client(struct cursor *in, struct wire_client *client)
{
	client->server = cursor_u16(in);
	cursor_copy(in, client->client, sizeof(client->client));
	client->left = cursor_u32(in);
	return cursor_ok(in);
}

void
wire_put_fragment(struct wire_out *out, const struct wire_fragment *fragment)
{
	if (!wire_has_room(out, WIRE_FRAGMENT))
		return;
	wire_put_u16(out, fragment->vip);
	wire_put_u16(out, fragment->server);
	wire_put_u8(out, fragment->protocol);
	wire_put_bytes(out, fragment->client, sizeof(fragment->client));
	wire_put_u32(out, fragment->id);
}

bool
wire_get_fragment(struct cursor *in, struct wire_fragment *fragment)
{
	fragment->vip = cursor_u16(in);
	fragment->server = cursor_u16(in);
	fragment->protocol = cursor_u8(in);
	cursor_copy(in, fragment->client, sizeof(fragment->client));
	fragment->id = cursor_u32(in);
	return cursor_ok(in);
}

void
wire_put_vip(struct wire_out *out, const struct wire_vip *vip)
{
	if (!wire_has_room(out, 2 + 16))
		return;
	wire_put_u16(out, vip->number);
	wire_put_addr(out, &vip->addr);
}

bool
wire_get_vip(struct cursor *in, struct wire_vip *vip)
{
	vip->number = cursor_u16(in);
	vip->addr = wire_get_addr(in);
	return cursor_ok(in);
}

void
wire_put_service(struct wire_out *out, const struct wire_service *service)
{
	if (!wire_has_room(out, 2 + 16 + 1 + 2 + 1 + strlen(service->name) + 1 + strlen(service->scheduler) + PART_COUNT * 4 + 8))
		return;
	wire_put_u16(out, service->number);
	wire_put_addr(out, &service->vip);
	wire_put_u8(out, service->protocol);
	wire_put_u16(out, service->port);
	wire_put_text(out, service->name);
	wire_put_text(out, service->scheduler);
	for (size_t i = 0; i < PART_COUNT; i++)
		wire_put_u32(out, service->parts[i]);
	wire_put_u64(out, service->candidates);
}

bool
wire_get_service(struct cursor *in, struct wire_service *service)
{
	service->number = cursor_u16(in);
	service->vip = wire_get_addr(in);
	service->protocol = cursor_u8(in);
	service->port = cursor_u16(in);
	if (!wire_get_text(in, service->name, sizeof(service->name)) ||
	    !wire_get_text(in, service->scheduler, sizeof(service->scheduler)))
		return false;
	for (size_t i = 0; i < PART_COUNT; i++)
		service->parts[i] = cursor_u32(in);
	service->candidates = wire_get_u64(in);
	return cursor_ok(in);
}

void
wire_put_server(struct wire_out *out, const struct wire_server *server)
{
	if (!wire_has_room(out, 2 + 2 + 16 + 4 + 4 + 1 + 1 + strlen(server->name) + 1 + strlen(server->reason)))
		return;
	wire_put_u16(out, server->number);
	wire_put_u16(out, server->service);
	wire_put_addr(out, &server->addr);
	wire_put_u32(out, server->file_weight);
	wire_put_u32(out, server->weight);
	wire_put_u8(out, (uint8_t)server->state);
	wire_put_text(out, server->name);
	wire_put_text(out, server->reason);
}

bool
wire_get_server(struct cursor *in, struct wire_server *server)
{
	uint8_t state;

	server->number = cursor_u16(in);
	server->service = cursor_u16(in);
	server->addr = wire_get_addr(in);
	server->file_weight = cursor_u32(in);
	server->weight = cursor_u32(in);
	state = cursor_u8(in);
	if (!cursor_ok(in) || state > SERVER_DISABLED || server->file_weight > WEIGHT_MOST ||
	    server->weight > WEIGHT_MOST)
		return false;
	server->state = (enum server_state)state;
	return wire_get_text(in, server->name, sizeof(server->name)) &&
	    wire_get_text(in, server->reason, sizeof(server->reason));
}

void
wire_put_order(struct wire_out *out, const struct wire_order *order)
{
	if (!wire_has_room(out, 2 + 1 + 4 + 4 + 4 + 8 + 8 + 1 + strlen(order->author.name)))
		return;
	wire_put_u16(out, order->server);
	wire_put_u8(out, order->weight);
	wire_put_u32(out, order->value);
	wire_put_u32(out, order->file_weight);
	wire_put_u32(out, order->drain_left);
	wire_put_u64(out, order->author.when);
	wire_put_u64(out, (uint64_t)order->author.user);
	wire_put_text(out, order->author.name);
}

bool
wire_get_order(struct cursor *in, struct wire_order *order)
{
	char name[ADMIN_NAME];
	uint64_t user;

	order->server = cursor_u16(in);
	order->weight = cursor_u8(in) != 0;
	order->value = cursor_u32(in);
	order->file_weight = cursor_u32(in);
	order->drain_left = cursor_u32(in);
	order->author.when = wire_get_u64(in);
	user = wire_get_u64(in);
	if (!wire_get_text(in, name, sizeof(name)))
		return false;
	order->author.user = user > UINT32_MAX ? -1 : (int64_t)user;
	admin_author_set_name(&order->author, name);
	/* Dates have 32 bits everywhere else. */
	return order->value <= (order->weight ? WEIGHT_MOST : ADMIN_DISABLED) && order->author.when <= UINT32_MAX;
}

void
wire_put_hello(struct wire_out *out, const struct wire_hello *hello)
{
	if (!wire_has_room(out, sizeof(wire_magic) + 3 + sizeof(hello->boot) + sizeof(hello->nonce) + 1 +
	    strlen(hello->name)))
		return;
	wire_put_bytes(out, wire_magic, sizeof(wire_magic));
	wire_put_u8(out, hello->lowest);
	wire_put_u8(out, hello->highest);
	wire_put_u8(out, hello->begins);
	wire_put_bytes(out, hello->boot, sizeof(hello->boot));
	wire_put_bytes(out, hello->nonce, sizeof(hello->nonce));
	wire_put_text(out, hello->name);
}

bool
wire_get_hello(struct cursor *in, struct wire_hello *hello)
{
	uint8_t magic[sizeof(wire_magic)];

	cursor_copy(in, magic, sizeof(magic));
	hello->lowest = cursor_u8(in);
	hello->highest = cursor_u8(in);
	hello->begins = cursor_u8(in) != 0;
	cursor_copy(in, hello->boot, sizeof(hello->boot));
	cursor_copy(in, hello->nonce, sizeof(hello->nonce));
	return wire_get_text(in, hello->name, sizeof(hello->name)) && memcmp(magic, wire_magic, sizeof(magic)) == 0 &&
	    hello->lowest <= hello->highest && hello->name[0] != '\0';
}

#define WIRE_SELF_MOST (3 + ROLE_GROUPS * (ROLE_GROUP + 2 + 8 + ROLE_WHY) + WIRE_MACS * MAC_BYTES + \
	WIRE_ROUTERS * (1 + MAC_BYTES))

static void
wire_put_self(struct wire_out *out, const struct wire_self *self)
{
	wire_put_u8(out, self->role_count);
	for (size_t i = 0; i < self->role_count; i++) {
		wire_put_text(out, self->roles[i].group);
		wire_put_u8(out, (uint8_t)self->roles[i].state);
		wire_put_u8(out, self->roles[i].ready);
		wire_put_u64(out, self->roles[i].epoch);
		wire_put_text(out, self->roles[i].why);
	}
	wire_put_u8(out, self->mac_count);
	for (size_t i = 0; i < self->mac_count; i++)
		wire_put_bytes(out, self->macs[i].bytes, MAC_BYTES);
	wire_put_u8(out, self->router_count);
	for (size_t i = 0; i < self->router_count; i++) {
		wire_put_u8(out, self->routers[i].iface);
		wire_put_bytes(out, self->routers[i].mac.bytes, MAC_BYTES);
	}
}

static bool
wire_get_role(struct cursor *in, struct role_word *word)
{
	uint8_t state;

	if (!wire_get_text(in, word->group, sizeof(word->group)))
		return false;
	state = cursor_u8(in);
	if (state >= ROLE_STATE_COUNT)
		return false;
	word->state = (enum role_state)state;
	word->ready = cursor_u8(in) != 0;
	word->epoch = wire_get_u64(in);
	/* The next epoch is one above. */
	return wire_get_text(in, word->why, sizeof(word->why)) && word->epoch <= UINT32_MAX;
}

static bool
wire_get_self(struct cursor *in, struct wire_self *self)
{
	self->role_count = cursor_u8(in);
	if (self->role_count > ROLE_GROUPS)
		return false;
	for (size_t i = 0; i < self->role_count; i++)
		if (!wire_get_role(in, &self->roles[i]))
			return false;
	self->mac_count = cursor_u8(in);
	if (self->mac_count > WIRE_MACS)
		return false;
	for (size_t i = 0; i < self->mac_count; i++)
		cursor_copy(in, self->macs[i].bytes, MAC_BYTES);
	self->router_count = cursor_u8(in);
	if (self->router_count > WIRE_ROUTERS)
		return false;
	for (size_t i = 0; i < self->router_count; i++) {
		self->routers[i].iface = cursor_u8(in);
		cursor_copy(in, self->routers[i].mac.bytes, MAC_BYTES);
	}
	return cursor_ok(in);
}

void
wire_put_state(struct wire_out *out, const struct wire_state *state)
{
	if (!wire_has_room(out, 8 + 4 * 3 + 8 + 4 * 2 + 1 + strlen(state->version) + WIRE_SELF_MOST))
		return;
	wire_put_u64(out, state->wall);
	wire_put_u32(out, state->stamp);
	wire_put_u32(out, state->echo);
	wire_put_u32(out, state->echo_age);
	wire_put_u64(out, state->configuration);
	wire_put_u32(out, state->flows);
	wire_put_u32(out, state->shared);
	wire_put_text(out, state->version);
	wire_put_self(out, &state->self);
}

bool
wire_get_state(struct cursor *in, struct wire_state *state)
{
	state->wall = wire_get_u64(in);
	state->stamp = cursor_u32(in);
	state->echo = cursor_u32(in);
	state->echo_age = cursor_u32(in);
	state->configuration = wire_get_u64(in);
	state->flows = cursor_u32(in);
	state->shared = cursor_u32(in);
	return wire_get_text(in, state->version, sizeof(state->version)) && wire_get_self(in, &state->self);
}
