/* SPDX-License-Identifier: ISC */
/* What is wrong between the lines of a configuration: what is missing, given twice, or contradicts itself. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"
#include "conf/keys.h"
#include "conf/source.h"
#include "proto/packet.h"

/* One server, where it stood, and how it stands in the order of the file. */
struct item {
	const struct place *place;
	const struct server_settings *server;
	size_t order;
};

static int
compare_names(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int result = strcmp(a->server->name, b->server->name);

	return result != 0 ? result : compare_numbers(a->order, b->order);
}

static int
compare_hosts(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int result = compare_addrs(&a->server->addr, &b->server->addr);

	if (result == 0)
		result = strcmp(a->server->iface, b->server->iface);
	return result != 0 ? result : compare_numbers(a->order, b->order);
}

static void
check_server_names(struct parse *parse, struct item *items, size_t count)
{
	char where[PLACE_TEXT];

	qsort(items, count, sizeof(*items), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(items[i - 1].server->name, items[i].server->name) == 0)
			parse_error_at(parse, items[i].place,
			    "server `%s` was given %s already: names must differ within a service",
			    items[i].server->name, place_text(items[i - 1].place, items[i].place, where));
	}
}

static void
check_server_twins(struct parse *parse, struct item *items, size_t count)
{
	char addr[ADDR_TEXT], where[PLACE_TEXT];

	qsort(items, count, sizeof(*items), compare_hosts);
	for (size_t i = 1; i < count; i++) {
		const struct server_settings *a = items[i - 1].server, *b = items[i].server;

		/* A duplicate name has been reported already. */
		if (!addr_equal(&a->addr, &b->addr) || strcmp(a->iface, b->iface) != 0 || strcmp(a->name, b->name) == 0)
			continue;
		parse_error_at(parse, items[i].place,
		    "servers `%s` (%s) and `%s` have the same address %s: raise the weight "
		    "of one instead",
		    a->name, place_text(items[i - 1].place, items[i].place, where), b->name,
		    addr_format(&b->addr, addr));
	}
}

static void
check_servers(struct parse *parse, const struct draft *draft)
{
	size_t count = draft->service.server_count;
	struct item *items = calloc(count + 1, sizeof(*items));

	if (items == NULL) {
		parse_out_of_memory(parse);
		return;
	}
	for (size_t i = 0; i < count; i++)
		items[i] = (struct item){ .place = &draft->server_places[i], .server = &draft->service.servers[i],
		    .order = i };
	check_server_names(parse, items, count);
	check_server_twins(parse, items, count);
	free(items);
}

/* Where a service's key stood: in its section, else in [defaults], else (the built-in default) the section itself. */
static const struct place *
key_place(const struct parse *parse, const struct draft *draft, enum key_id id)
{
	if (draft->given[id].file != NULL)
		return &draft->given[id];
	if (parse->defaults.given[id].file != NULL)
		return &parse->defaults.given[id];
	return &draft->place;
}

static bool
key_broken(const struct parse *parse, const struct draft *draft, enum key_id id)
{
	return draft->broken[id] || parse->defaults.broken[id];
}

static void
check_port(struct parse *parse, const struct draft *draft)
{
	const struct service_settings *service = &draft->service;

	if (service->listen_count == 0 || key_broken(parse, draft, KEY_LISTEN) || key_broken(parse, draft, KEY_CHECK))
		return;
	for (size_t i = 0; i < service->check_count; i++) {
		const struct check_settings *check = &service->checks[i];
		const char *name = check_kind_name(check->kind);
		const bool udp = check->kind == CHECK_UDP || check->kind == CHECK_DNS;

		if (check->kind == CHECK_ICMP || check->kind == CHECK_SCRIPT || service_check_port(service, check) != 0)
			continue;
		parse_error_at(parse, draft->given[KEY_CHECK].file != NULL ? &draft->given[KEY_CHECK] : &draft->place,
		    "service `%s` names no single %s port that `check = %s` could go to: write `check = %s port=N`, or "
		    "`check = none` to disable health checks", service->name, udp ? "UDP" : "TCP", name, name);
	}
}

/* The default timeout follows a shorter interval, so that `interval = 500ms` needs no `timeout`. */
static void
derive_timeout(const struct parse *parse, struct draft *draft)
{
	struct service_settings *service = &draft->service;

	if (draft->given[KEY_TIMEOUT].file == NULL && parse->defaults.given[KEY_TIMEOUT].file == NULL &&
	    service->timeout > service->interval)
		service->timeout = service->interval;
}

/* A check must end before the next one starts. Reported once for services that inherit both from [defaults]. */
static void
check_times(struct parse *parse, const struct draft *draft, enum key_id id, uint64_t time, bool *reported)
{
	const uint64_t interval = draft->service.interval;
	const struct place *place = key_place(parse, draft, id);
	char text[DURATION_TEXT], most[DURATION_TEXT];

	if (key_broken(parse, draft, id) || key_broken(parse, draft, KEY_INTERVAL) || time <= interval)
		return;
	if (draft->given[id].file == NULL && draft->given[KEY_INTERVAL].file != NULL) {
		place = &draft->given[KEY_INTERVAL];
	} else if (draft->given[id].file == NULL) {
		if (*reported)
			return;
		*reported = true;
	}
	parse_error_at(parse, place, "a check's `%s` (%s) cannot be longer than its `interval` (%s)",
	    keys[id].info.name,
	    text_format_duration(time, text), text_format_duration(interval, most));
}

/* What brings a service back is not less than what it may not fall below. Shares are compared with shares only. */
static void
check_quorum(struct parse *parse, const struct draft *draft)
{
	const struct quorum *quorum = &draft->service.quorum, *recover = &draft->service.recover;
	size_t regular = 0;

	for (size_t i = 0; i < draft->service.server_count; i++)
		regular += !draft->service.servers[i].backup;
	if (key_broken(parse, draft, KEY_QUORUM) || regular == 0)
		return;
	if (recover->number != 0 && recover->percent == quorum->percent && recover->number < quorum->number)
		parse_error_at(parse, key_place(parse, draft, KEY_QUORUM), "`recover` of `quorum` (%u) is less than "
		    "the quorum (%u): "
		    "leave it out, or make it larger", recover->number, quorum->number);
	if (draft->given[KEY_QUORUM].file == NULL)
		return;
	if ((!quorum->percent && quorum->number > regular) || (!recover->percent && recover->number > regular))
		parse_error_at(parse, &draft->given[KEY_QUORUM], "`quorum` requires more servers than service `%s` has "
		    "(%zu, backups "
		    "not counted): it would never be up", draft->service.name, regular);
}

static bool
has_server(const struct service_settings *service, const char *name, size_t length)
{
	for (size_t i = 0; i < service->server_count; i++)
		if (strlen(service->servers[i].name) == length && memcmp(service->servers[i].name, name, length) == 0)
			return true;
	return false;
}

static void
check_name_list(struct parse *parse, const struct draft *draft, enum key_id key, const char *what, const char *list)
{
	size_t length;

	for (const char *at = list; *at != '\0'; at += length, at += strspn(at, ",")) {
		length = strcspn(at, ",");
		if (!has_server(&draft->service, at, length))
			parse_error_at(parse, key_place(parse, draft, key), "%s is for server `%.*s`, which service "
			    "`%s` does not have",
			    what, (int)length, at, draft->service.name);
	}
}

/* A check for a server that there is not would leave the one that was meant to another check. */
static void
check_named_servers(struct parse *parse, const struct draft *draft)
{
	const struct service_settings *service = &draft->service;

	for (size_t i = 0; i < service->check_count; i++)
		check_name_list(parse, draft, KEY_CHECK, "a check", service->checks[i].servers);
	for (size_t i = 0; i < service->notify_count; i++)
		check_name_list(parse, draft, KEY_NOTIFY, "a `notify`", service->notifies[i].servers);
}

static void
check_service(struct parse *parse, struct draft *draft, bool times_reported[2])
{
	const struct service_settings *service = &draft->service;

	derive_timeout(parse, draft);
	if (draft->given[KEY_LISTEN].file == NULL)
		parse_error_at(parse, &draft->place,
		    "service `%s` has no VIP: add `listen = ADDRESS tcp/PORT`", service->name);
	if (draft->given[KEY_SERVER].file == NULL)
		parse_error_at(parse, &draft->place,
		    "service `%s` has no server: add `server = NAME ADDRESS`", service->name);
	check_servers(parse, draft);
	check_port(parse, draft);
	check_named_servers(parse, draft);
	check_times(parse, draft, KEY_TIMEOUT, service->timeout, &times_reported[0]);
	check_times(parse, draft, KEY_RETRY, service->retry, &times_reported[1]);
	check_quorum(parse, draft);
	parse_check_quic(parse, draft);
}

static void
check_counts(struct parse *parse)
{
	size_t servers = 0;

	for (size_t i = 0; i < parse->service_count; i++)
		servers += parse->services[i]->service.server_count;
	if (servers > SERVERS_MOST)
		parse_error_at(parse, &parse->place, "too many servers in all services together: %zu, at most %d",
		    servers, SERVERS_MOST);
	if (parse->service_count == 0 && errlist_count(parse->errors) == 0)
		parse_error_at(parse, &parse->place,
		    "there is no service: add a section [service NAME] with `listen` and `server`");
}

/* Where a peer is, there are an address for it to connect to, and a key. */
static void
check_peers(struct parse *parse)
{
	const struct place *place = &parse->dsrd.given[KEY_PEER];
	const struct conf *conf = parse->conf;

	if (conf->peer_count == 0)
		return;
	if (!addr_is_set(&conf->peer_address) && !parse->dsrd.broken[KEY_PEER_LISTEN])
		parse_error_at(parse, place, "`peer` without `peer-listen`: add the address of this host that peers "
		    "connect to");
	if (conf->sync_key_file[0] != '/' && !parse->dsrd.broken[KEY_SYNC_KEY_FILE])
		parse_error_at(parse, place, "`peer` without `sync-key-file`: add the path of a file with a key that "
		    "all peers have");
	for (size_t i = 0; i < conf->peer_count; i++) {
		if (strcmp(conf->peers[i].name, conf->peer_name) == 0 ||
		    addr_equal(&conf->peers[i].addr, &conf->peer_address))
			parse_error_at(parse, place, "`peer` %s is this director itself: list only the others",
			    conf->peers[i].name);
	}
}

void
parse_check(struct parse *parse)
{
	bool times_reported[2] = { false, false };

	for (size_t i = 0; i < parse->service_count; i++) {
		if (!parse->services[i]->discard)
			check_service(parse, parse->services[i], times_reported);
	}
	parse_check_methods(parse);
	check_counts(parse);
	parse_check_groups(parse);
	check_peers(parse);
	parse_check_listens(parse);
}
