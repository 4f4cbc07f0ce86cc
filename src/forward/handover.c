/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/handover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "flow/fit.h"
#include "forward/frame_ctx.h"

#define NUMBERS (UINT16_MAX + 1)
#define FIELDS_MOST 32

/* A slot of the other process. */
struct handover_slot {
	uint16_t generation; /* 0: no server that is here too */
	struct server_ref ref;
};

struct handover {
	struct model *model;
	struct forwarder *forwarder;
	bool recent;
	uint64_t now;
	struct handover_counts counts;
	/* By the other process's numbers. */
	struct handover_slot slots[NUMBERS];
	const struct vip *vips[NUMBERS];
	const struct fwd_vip *fwd_vips[NUMBERS];
	struct service *services[NUMBERS];
	bool found[NUMBERS]; /* by slots here: the server was named already */
};

/* The words of a line, cut at their '='. */
struct line {
	struct {
		const char *key;
		const char *value;
	} fields[FIELDS_MOST];
	size_t count;
};

static void
write_author(FILE *out, const char *what, const struct admin_author *author)
{
	fprintf(out, " %s-at=%" PRIu64, what, author->when);
	if (author->user >= 0)
		fprintf(out, " %s-by=%" PRId64, what, author->user);
	if (author->name[0] != '\0')
		fprintf(out, " %s-name=%s", what, author->name);
}

static void
handover_write_admin(FILE *out, const struct server *server)
{
	const struct admin *admin = &server->admin;

	/* The end of a drain has a date, too: what a peer knows of the drain is older. */
	if (admin->admin != ADMIN_ENABLED || admin->admin_by.when != 0) {
		fprintf(out, " admin=%s", admin_state_name(admin->admin));
		write_author(out, "admin", &admin->admin_by);
	}
	if (admin->admin == ADMIN_DRAINED)
		fprintf(out, " drain-began=%" PRIu64 " drain-flows=%" PRIu32 " drain-until=%" PRIu64,
		    admin->drain_began,
		    admin->drain_flows, admin->drain_until);
	if (admin->weighted || admin->weight_by.when != 0) {
		fprintf(out, " weight=%" PRIu32 " file-weight=%" PRIu32, admin_given_weight(server),
		    server->settings.weight);
		write_author(out, "weight", &admin->weight_by);
	}
}

static void
handover_write_server(FILE *out, const struct server *server, const struct iface *ifaces, size_t iface_count)
{
	char addr[ADDR_TEXT], mac[MAC_TEXT];

	fprintf(out, "server slot=%u generation=%u service=%s name=%s address=%s", server->ref.slot,
	    server->ref.generation,
	    server->service->settings.name, server->settings.name, addr_format(&server->settings.addr, addr));
	if (server->iface < iface_count && !mac_is_zero(&server->mac))
		fprintf(out, " interface=%s mac=%s", ifaces[server->iface].name, mac_format(&server->mac, mac));
	if (server_health(server) == HEALTH_UP)
		fprintf(out, " health=up percent=%u since=%" PRIu64,
		    (unsigned)health_percent(server->checks, server->check_count), server->since);
	handover_write_admin(out, server);
	fputc('\n', out);
}

static void
write_locals(FILE *out, const struct service_run *run)
{
	for (size_t i = 0; i < SERVICE_LOCALS; i++)
		if (run->local[i].server.generation != 0)
			fprintf(out, "local service=%u vip=%u slot=%u generation=%u\n", run->number, run->local[i].vip,
			    run->local[i].server.slot, run->local[i].server.generation);
}

int
handover_write(FILE *out, const struct model *model, const struct iface *ifaces, size_t iface_count)
{
	char addr[ADDR_TEXT];

	for (size_t i = 0; i < model->vip_count; i++)
		fprintf(out, "vip number=%u address=%s\n", model->vips[i].number,
		    addr_format(&model->vips[i].addr, addr));
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		fprintf(out, "service number=%u name=%s\n", service->run->number, service->settings.name);
		for (size_t j = 0; j < service->server_count; j++)
			handover_write_server(out, service->servers[j], ifaces, iface_count);
		write_locals(out, service->run);
	}
	return ferror(out) ? -1 : 0;
}

static void
cut_line(struct line *line, char *text)
{
	char *word;

	line->count = 0;
	while (line->count < FIELDS_MOST && (word = text_next_word(&text)) != NULL) {
		char *sign = strchr(word, '=');

		if (sign == NULL)
			continue;
		*sign = '\0';
		line->fields[line->count].key = word;
		line->fields[line->count++].value = sign + 1;
	}
}

/* "" when the line does not have it: no value is valid that way. */
static const char *
handover_field(const struct line *line, const char *key)
{
	for (size_t i = 0; i < line->count; i++)
		if (strcmp(line->fields[i].key, key) == 0)
			return line->fields[i].value;
	return "";
}

static int
handover_number(const struct line *line, const char *key, uint64_t most, uint64_t *value)
{
	return text_number(handover_field(line, key), 0, most, value);
}

static uint64_t
number_or(const struct line *line, const char *key, uint64_t most, uint64_t otherwise)
{
	uint64_t value;

	return handover_number(line, key, most, &value) == 0 ? value : otherwise;
}

static int
read_vip(struct handover *handover, const struct line *line)
{
	uint64_t old;
	struct addr addr;

	if (handover_number(line, "number", UINT16_MAX, &old) == -1 || addr_parse(handover_field(line, "address"),
	    &addr) == -1)
		return -1;
	for (size_t i = 0; i < handover->model->vip_count; i++)
		if (addr_equal(&handover->model->vips[i].addr, &addr))
			handover->vips[old] = &handover->model->vips[i];
	return 0;
}

static int
read_service(struct handover *handover, const struct line *line)
{
	const char *name = handover_field(line, "name");
	uint64_t old;

	if (handover_number(line, "number", UINT16_MAX, &old) == -1 || *name == '\0')
		return -1;
	for (size_t i = 0; i < handover->model->service_count; i++)
		if (strcmp(handover->model->services[i]->settings.name, name) == 0)
			handover->services[old] = handover->model->services[i];
	return 0;
}

static struct admin_author
read_author(const struct line *line, const char *by, const char *name, const char *at)
{
	struct admin_author author = { .user = (int64_t)number_or(line, by, UINT32_MAX, UINT64_MAX),
		.when = number_or(line, at, UINT32_MAX, 0) };

	admin_author_set_name(&author, handover_field(line, name));
	return author;
}

/* As after a reload: when the file has another weight than it had, the file's is the newer word. */
static void
handover_take_weight(struct server *server, const struct line *line)
{
	struct admin *admin = &server->admin;
	uint64_t weight, file;

	if (handover_number(line, "weight", WEIGHT_MOST, &weight) == -1 || handover_number(line, "file-weight",
	    WEIGHT_MOST, &file) == -1)
		return;
	if (file != server->settings.weight) {
		admin->overruled = weight != file;
		return;
	}
	admin->weight = (uint32_t)weight;
	admin->weighted = weight != file;
	admin->weight_by = read_author(line, "weight-by", "weight-name", "weight-at");
}

static void
take_admin(struct handover *handover, struct server *server, const struct line *line)
{
	struct admin *admin = &server->admin;
	const char *state = handover_field(line, "admin");

	if (strcmp(state, admin_state_name(ADMIN_DRAINED)) == 0) {
		admin->admin = ADMIN_DRAINED;
		admin->drain_began = number_or(line, "drain-began", handover->now, handover->now);
		admin->drain_flows = (uint32_t)number_or(line, "drain-flows", UINT32_MAX, 0);
		admin->drain_until = number_or(line, "drain-until", UINT64_MAX, 0);
	} else if (strcmp(state, admin_state_name(ADMIN_DISABLED)) == 0) {
		admin->admin = ADMIN_DISABLED;
	}
	if (*state != '\0')
		admin->admin_by = read_author(line, "admin-by", "admin-name", "admin-at");
	handover_take_weight(server, line);
	handover->counts.admin += admin_differs(server);
}

static void
take_mac(struct handover *handover, struct server *server, const struct line *line)
{
	const struct forwarder *forwarder = handover->forwarder;
	const struct mac *known;
	struct mac mac;

	if (!mac_is_zero(&server->settings.mac) || server->iface >= forwarder->iface_count ||
	    strcmp(forwarder->ifaces[server->iface].name, handover_field(line, "interface")) != 0 ||
	    mac_parse(handover_field(line, "mac"), &mac) == -1 || mac_is_zero(&mac) || mac_is_group(&mac))
		return;
	neigh_restore(forwarder->neighbors, server->iface, &server->hop, &mac, handover->now);
	/* Another service's server may be the same machine, and have brought it here. */
	known = neigh_mac(forwarder->neighbors, server->iface, &server->hop);
	if (known != NULL)
		server->mac = *known;
}

/*
 * Up, as if its checks had just succeeded; they, and the VIP check, run immediately. A server that was down is unknown.
 */
static void
take_health(struct handover *handover, struct server *server, const struct line *line)
{
	const uint8_t percent = (uint8_t)number_or(line, "percent", 100, 100);

	if (strcmp(handover_field(line, "health"), "up") != 0)
		return;
	for (size_t i = 0; i < server->check_count; i++) {
		(void)health_trust(&server->checks[i].health, handover->now);
		server->checks[i].percent = percent;
	}
	if (server->check_count > 0)
		(void)health_combine(&server->health, server->checks, server->check_count, handover->now);
	vipcheck_trust(handover->forwarder->vipchecks, server, handover->now);
	/* It has warmed up already. */
	server->since = number_or(line, "since", handover->now, handover->now);
	handover->counts.up++;
}

/* With the same configuration it is in the same slot. */
static struct server *
handover_find_server(const struct model *model, size_t slot, const char *service, const char *name)
{
	char whole[SERVER_NAME_TEXT];

	if (slot < model->slot_count && model->slots[slot] != NULL &&
	    strcmp(model->slots[slot]->settings.name, name) == 0 &&
	    strcmp(model->slots[slot]->service->settings.name, service) == 0)
		return model->slots[slot];
	if (snprintf(whole, sizeof(whole), "%s/%s", service, name) >= (int)sizeof(whole))
		return NULL;
	return model_find(model, whole);
}

static int
read_server(struct handover *handover, const struct line *line)
{
	uint64_t slot, generation;
	struct server *server;
	struct addr addr;

	if (handover_number(line, "slot", UINT16_MAX, &slot) == -1 || handover_number(line, "generation", UINT16_MAX,
	    &generation) == -1 ||
	    generation == 0 || handover->slots[slot].generation != 0 || addr_parse(handover_field(line, "address"),
	    &addr) == -1)
		return -1;
	server = handover_find_server(handover->model, (size_t)slot, handover_field(line, "service"),
	    handover_field(line,
	    "name"));
	if (server == NULL || !addr_equal(&server->settings.addr, &addr))
		return 0;
	if (handover->found[server->ref.slot])
		return -1;
	handover->found[server->ref.slot] = true;
	handover->slots[slot] = (struct handover_slot) { (uint16_t)generation, server->ref };
	handover->counts.servers++;
	take_admin(handover, server, line);
	if (handover->recent) {
		take_mac(handover, server, line);
		take_health(handover, server, line);
	}
	return 0;
}

/* The server here, or NULL. */
static const struct server *
server_of(const struct handover *handover, struct server_ref old)
{
	const struct handover_slot *slot = &handover->slots[old.slot];

	if (old.generation == 0 || slot->generation != old.generation)
		return NULL;
	return model_server(handover->model, slot->ref);
}

static int
read_local(struct handover *handover, const struct line *line)
{
	uint64_t service, vip, slot, generation;
	const struct server *server;

	if (handover_number(line, "service", UINT16_MAX, &service) == -1 || handover_number(line, "vip", UINT16_MAX,
	    &vip) == -1 ||
	    handover_number(line, "slot", UINT16_MAX, &slot) == -1 || handover_number(line, "generation", UINT16_MAX,
	    &generation) == -1)
		return -1;
	server = server_of(handover, (struct server_ref) { (uint16_t)slot, (uint16_t)generation });
	if (server == NULL || handover->services[service] != server->service || handover->vips[vip] == NULL)
		return 0;
	server->service->run->local[handover->vips[vip]->number % SERVICE_LOCALS] =
	    (struct service_local) { handover->vips[vip]->number, server->ref };
	return 0;
}

static int
handover_read_line(struct handover *handover, char *text)
{
	static const struct {
		const char *word;
		int (*read)(struct handover *handover, const struct line *line);
	} kinds[] = {
		{ "vip", read_vip }, { "service", read_service }, { "server", read_server }, { "local", read_local },
	};
	const char *word = text_next_word(&text);
	struct line line;

	if (word == NULL)
		return 0;
	cut_line(&line, text);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(word, kinds[i].word) == 0)
			return kinds[i].read(handover, &line);
	return 0;
}

struct handover *
handover_read(char *text, size_t length, struct model *model, struct forwarder *forwarder, bool recent, uint64_t now)
{
	struct handover *handover = calloc(1, sizeof(*handover));
	char *end = text + length;

	if (handover == NULL)
		return NULL;
	handover->model = model;
	handover->forwarder = forwarder;
	handover->recent = recent;
	handover->now = now;
	while (text < end) {
		char *next = memchr(text, '\n', (size_t)(end - text));

		if (next == NULL)
			next = end;
		*next = '\0';
		handover->counts.unreadable += handover_read_line(handover, text) == -1;
		text = next + 1;
	}
	return handover;
}

void
handover_free(struct handover *handover)
{
	free(handover);
}

void
handover_begin(struct handover *handover)
{
	const struct fwdtab *table = handover->forwarder->table;

	for (size_t old = 0; old < NUMBERS; old++) {
		const struct vip *vip = handover->vips[old];

		handover->fwd_vips[old] = vip != NULL ? fwdtab_vip(table, vip->iface, &vip->addr) : NULL;
	}
}

/* Microseconds that are left of `timeout`; 0: the flow has expired. */
static uint64_t
handover_time_left(const struct conn_saved *saved, uint64_t timeout, uint64_t now)
{
	const int32_t left = (int32_t)(saved->deadline + CONN_RECORD_SLACK - (uint32_t)(now / SECONDS(1)));

	if (left <= 0)
		return 0;
	return SECONDS(left) < timeout ? SECONDS(left) : timeout;
}

/* With `server`, which exists here. NULL: it has expired, it exists already, or there is no room. */
static struct conn *
handover_insert(struct handover *handover, struct conn_table *table, const struct conn_saved *saved,
    const struct conn_key *key,
    struct server_ref server, uint64_t timeout, uint64_t now)
{
	const uint64_t left = handover_time_left(saved, timeout, now);
	const uint32_t second = (uint32_t)(now / SECONDS(1));
	struct conn *conn;

	if (left == 0) {
		handover->counts.expired++;
		return NULL;
	}
	conn = conn_peek(table, key) == NULL ? conn_insert(table, key, server, saved->state, left, now) : NULL;
	if (conn == NULL) {
		handover->counts.refused++;
		return NULL;
	}
	if ((int32_t)(second - saved->began) >= 0)
		conn->began = saved->began;
	return conn;
}

static bool
state_fits(enum conn_state state, uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_UDP:
		return state == CONN_UDP || state == CONN_NEW;
	case PROTOCOL_TCP:
	case PROTOCOL_SCTP:
		return state != CONN_UDP;
	default:
		return false;
	}
}

void
handover_flow(struct handover *handover, const struct conn_saved *saved, uint64_t now)
{
	const struct server *server = server_of(handover, saved->server);
	const struct fwd_vip *vip = handover->fwd_vips[conn_key_vip(&saved->key)];
	const uint8_t protocol = conn_key_protocol(&saved->key);
	const struct fwd_service *service = NULL;
	struct conn_key key = saved->key;
	struct conn *conn;

	if (server != NULL && vip != NULL && state_fits(saved->state, protocol))
		service = fwd_vip_service(vip, protocol, key.vip_port);
	if (service == NULL || service->service != server->service) {
		handover->counts.unknown++;
		return;
	}
	key.target = conn_target(vip->number, protocol);
	conn = handover_insert(handover, handover->forwarder->conns, saved, &key, server->ref,
	    conn_lifetime(service->timeouts, saved->state, protocol),
	    now);
	if (conn == NULL)
		return;
	fit_resume(conn, saved->numbered, saved->acknowledged, saved->sent);
	if (protocol == PROTOCOL_TCP)
		measure_resume(&server->run->measure, conn);
	account_flow(server->run, saved->state, 1);
	handover->counts.flows++;
}

void
handover_client(struct handover *handover, const struct conn_saved *saved, uint64_t now)
{
	const struct server *server = server_of(handover, saved->server);
	const struct service *service = handover->services[conn_key_vip(&saved->key)];
	struct conn_key key = saved->key;

	if (server == NULL || service == NULL || server->service != service || service->settings.persist == 0 ||
	    (saved->state != CONN_UDP && saved->state != CONN_NEW)) {
		handover->counts.unknown++;
		return;
	}
	key.target = conn_target(service->run->number, 0);
	if (handover_insert(handover, handover->forwarder->persist, saved, &key, server->ref,
	    service->settings.persist, now) != NULL)
		handover->counts.clients++;
}

const struct handover_counts *
handover_counts(const struct handover *handover)
{
	return &handover->counts;
}
